// Plugins that get each event one after another.
#include "scripted.hpp"

namespace turns_test {

using namespace sg;
using namespace sg::test;

namespace {

using Ids = std::vector<EventId>;

dispatch::Settings ordered(std::vector<std::string> collections = {"/plugins"}) {
    dispatch::Settings settings;
    settings.ordered_collections = std::move(collections);
    return settings;
}

/// Ends one call wherever there is one, until there is none: who was called, in order.
std::vector<std::string> run_all(Rig& rig) {
    std::vector<std::string> order;
    for (bool ran = true; ran;) {
        ran = false;
        // The last one loaded first: nobody's turn follows from being asked.
        for (auto one = rig.generations.rbegin(); one != rig.generations.rend(); ++one) {
            if ((*one)->is_idle()) continue;
            order.push_back((*one)->plugin() + std::to_string((*one)->next().event));
            rig.finish_one(*one);
            ran = true;
        }
    }
    return order;
}

}  // namespace

TEST_CASE("C24 plugins of an ordered collection get an event by the order of their file names") {
    Rig rig(100, ordered());
    rig.begin();
    for (const auto* name : {"a_b", "a", "A", "a1", "Z", "a-b"}) rig.load(name);
    const auto free = rig.load("0", {{"all", {}}}, "/elsewhere");
    rig.live({{101}});
    CHECK_FALSE(free->is_idle());
    rig.run(free);
    CHECK(run_all(rig) == std::vector<std::string>{"A101", "Z101", "a-b101", "a101", "a1101", "a_b101"});
}

TEST_CASE("C25 the collection that is listed first goes first") {
    Rig rig(100, ordered({"/second/by/name", "/first/by/name"}));
    rig.begin();
    rig.load("a", {{"all", {}}}, "/first/by/name");
    rig.load("b", {{"all", {}}}, "/second/by/name");
    rig.live({{101}});
    CHECK(run_all(rig) == std::vector<std::string>{"b101", "a101"});
}

TEST_CASE("a plugin may be ahead of those behind it, and one that wants nothing holds nobody up") {
    Rig rig(100, ordered());
    rig.begin();
    const auto a = rig.load("a");
    rig.load("b", {{"none", EventFilter{}.on("Shotgun_Never_New")}});
    const auto c = rig.load("c");
    rig.live(101, 103);
    CHECK(c->is_idle());
    rig.finish_one(a);
    rig.finish_one(a);
    rig.finish_one(c);
    CHECK(ids(c->journal) == Ids{101});
    rig.run(a);
    rig.run(c);
    CHECK(ids(c->journal) == range(101, 103));
}

TEST_CASE("a plugin that failed, stands, or is gone is not waited for") {
    dispatch::Settings settings = ordered();
    settings.failures["stands"].policy = OnFailure::halt;
    Rig rig(100, settings);
    rig.begin();
    const auto fails = rig.load("fails"), stands = rig.load("stands"), z = rig.load("z");
    rig.live(101, 102);
    CHECK(z->is_idle());
    rig.finish_one(fails, false);
    rig.finish_one(fails, false);
    CHECK(z->is_idle());
    rig.finish_one(stands, false);
    rig.run(z);
    CHECK(ids(z->journal) == Ids{101, 102});
    rig.end(fails, {"killed", {}, {}});
    rig.end(stands, {"killed", {}, {}});
    rig.live({{103}});
    rig.run(z);
    CHECK(ids(z->journal) == range(101, 103));
}

}  // namespace turns_test
