#pragma once
// The whole daemon under random ill fortune.

#include <cstdint>
#include <string>

namespace sg::test::random_run {

/// Plays `usual` seeds, or as many as SG_SEEDS says, from one that SG_FIRST_SEED says or chance. Each is a
/// site with faults, plugins with fates, and a daemon that is killed and started again; then the journals are
/// held against the model. Prints the first seed, and with each failure its own:
///
///     SG_SEEDS=1 SG_FIRST_SEED=1234 build/dev/bin/test_e2e_random "*in threads*"
///
/// What is done is the seed's; what the daemon is in the middle of then is not.
void play_seeds(const std::string& isolation, std::uint64_t usual);

}  // namespace sg::test::random_run
