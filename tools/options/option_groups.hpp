#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tools/commands/commands.hpp"

namespace kirchnet {

// Options that several subcommands share. Those that are keys of an experiment are kept as pairs of
// key and value, in the order given.

using Settings = std::vector<std::pair<std::string, std::string>>;

/// One flag that sets a key.
void add_key(CLI::App& app, Settings& settings, const std::string& flag, const std::string& key,
             const std::string& help, const std::string& type);
/// `--set SECTION.KEY=VALUE`, any key.
void add_set(CLI::App& app, Settings& settings);
/// NETWORK may be a network file or an experiment in TOML.
void add_source(CLI::App& app, Settings& settings, std::string& experiment, bool required);
/// Arrays, cells, weights and faults.
void add_chip_keys(CLI::App& app, Settings& settings);
void add_data_keys(CLI::App& app, Settings& settings);
void add_converter_keys(CLI::App& app, Settings& settings);
void add_engine_keys(CLI::App& app, Settings& settings);
void add_nonlinear_keys(CLI::App& app, Settings& settings);
/// A number with SI suffix.
void add_quantity(CLI::App& sub, const std::string& flag, double& value, const std::string& help,
                  const std::string& unit);
/// A given array and its wires. `check` has driver, sense and sides among the keys of its chips
/// already.
void add_array_options(CLI::App& app, SolveArguments& arguments);

}  // namespace kirchnet
