#pragma once

#include "circuit/crossbar.hpp"
#include "tools/arguments.hpp"

namespace kirchnet {

/// @throws InvalidInput  naming --cell
CellLaw read_cell_law(const SolveArguments& arguments);

/// Driver and sense, which may be files with a value per line, and the sides move from an
/// experiment's keys to the options of a given array.
/// @throws InvalidInput  for a key of networks, but `faults.seed` and `run.threads`
void take_array_settings(std::vector<std::pair<std::string, std::string>>& settings,
                         SolveArguments& array);

/// The array that `solve` and others were given: a matrix of conductances with the wires of the
/// command line, or a crossbar file of ours with the wires it holds; its cells follow --cell.
/// @throws InvalidInput  naming file, option or cell
Crossbar load_crossbar(const SolveArguments& arguments);

/// Read voltages [V], [word_lines × batch].
/// @throws InvalidInput  when a line's length is not the number of word lines
Eigen::MatrixXd load_inputs(const std::string& path, const Crossbar& crossbar);

/// Read voltages uniform in [0, limit), a pure function of the seed.
Eigen::VectorXd random_voltages(Index word_lines, double limit, std::uint64_t seed);

}  // namespace kirchnet
