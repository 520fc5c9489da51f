#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>

#include "tools/network_pruner.hpp"

namespace kirchnet {

/// The subcommands of the program, and what the one that was called does.
class Subcommands {
  public:
    explicit Subcommands(CLI::App& app) : app_(app) {}
    Subcommands(const Subcommands&) = delete;
    Subcommands& operator=(const Subcommands&) = delete;

    template <typename Arguments>
    struct Added {
        CLI::App& sub;
        Arguments& arguments;
    };

    /// @param run       takes the arguments, as options have set them; returns the exit code
    /// @param examples  shown below the options, a line each
    template <typename Arguments>
    Added<Arguments> add(const std::string& name, const std::string& purpose,
                         int (*run)(const Arguments&), const std::string& examples) {
        const auto arguments = std::make_shared<Arguments>();
        auto& sub = *app_.add_subcommand(name, purpose);
        sub.footer("Examples:\n" + examples);
        sub.callback(
            [this, arguments, run] { called_ = [arguments, run] { return run(*arguments); }; });
        return {sub, *arguments};
    }

    /// What was called on the command line; to be asked when that has been parsed.
    [[nodiscard]] int run() const { return called_(); }

  private:
    CLI::App& app_;
    std::function<int()> called_;
};

/// What trains, and the command line to hand on where nothing does.
struct Trainer {
    const NetworkPruner& pruner;
    const char* const* command_line;
};

void add_inference_commands(Subcommands& commands);
void add_deck_commands(Subcommands& commands);
void add_array_commands(Subcommands& commands);
void add_network_commands(Subcommands& commands, const Trainer& trainer);
void add_sweep_commands(Subcommands& commands);

}  // namespace kirchnet
