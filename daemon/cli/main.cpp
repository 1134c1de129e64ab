#include <cstdio>
#include <exception>

#include "cli/command_line.hpp"
#include "service/exit_code.hpp"

int main(int argc, char** argv) {
    try {
        return sg::cli::run_command_line(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "sgeventd: this is a bug: %s\n", error.what());
        return static_cast<int>(sg::service::ExitCode::bug);
    }
}
