#pragma once

#include "circuit/crossbar.hpp"
#include "tools/commands.hpp"

namespace kirchnet {

/// @throws InvalidInput  naming --cell
CellLaw read_cell_law(const SolveArguments& arguments);

/// The array `solve` and `check` were given: a matrix of conductances with the wires of the command
/// line, or a crossbar file of ours with the wires it holds; its cells follow --cell.
/// @throws InvalidInput  naming file, option or cell
Crossbar load_crossbar(const SolveArguments& arguments);

/// Read voltages [V], [word_lines × batch].
/// @throws InvalidInput  when a line's length is not the number of word lines
Eigen::MatrixXd load_inputs(const std::string& path, const Crossbar& crossbar);

/// Read voltages uniform in [0, limit), a pure function of the seed.
Eigen::VectorXd random_voltages(Index word_lines, double limit, std::uint64_t seed);

}  // namespace kirchnet
