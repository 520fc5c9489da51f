#include "tools/command_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <clocale>
#include <cstdio>
#include <new>

#include "circuit/error.hpp"
#include "tools/options/subcommands.hpp"

namespace kirchnet {
namespace {

constexpr int exit_bad_input = 2;
constexpr int exit_failure = 1;

int parse_and_run(int argc, const char* const* argv, const NetworkPruner& pruner) {
    CLI::App app{
        "What a ReRAM crossbar really computes: crossbar circuits of trained networks, "
        "solved exactly and checked by ngspice.",
        "kirchnet"};
    app.require_subcommand(1);
    app.set_version_flag("--version", "kirchnet " KIRCHNET_VERSION);
    app.get_formatter()->column_width(34);
    app.failure_message(CLI::FailureMessage::simple);
    Subcommands commands(app);
    add_inference_commands(commands);
    add_deck_commands(commands);
    add_array_commands(commands);
    add_network_commands(commands, {pruner, argv});
    add_sweep_commands(commands);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const int code = app.exit(error);
        return code == 0 ? 0 : exit_bad_input;
    }
    return commands.run();
}

int report(int code, const std::string& message) {
    fmt::print(stderr, "kirchnet: {}\n", message);
    return code;
}

}  // namespace

int run_command_line(int argc, const char* const* argv, const NetworkPruner& pruner) {
    std::setlocale(LC_NUMERIC, "C");
    try {
        return parse_and_run(argc, argv, pruner);
    } catch (const InvalidInput& error) {
        return report(exit_bad_input, error.what());
    } catch (const Error& error) {
        return report(exit_failure, error.what());
    } catch (const std::bad_alloc&) {
        return report(exit_failure, "not enough memory");
    } catch (const std::exception& error) {
        return report(exit_failure, error.what());
    }
}

}  // namespace kirchnet
