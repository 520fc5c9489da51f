#pragma once

#include <Eigen/Core>
#include <map>
#include <string>
#include <vector>

#include "netlists/ngspice_settings.hpp"

namespace kirchnet::detail {

/// A cell out of an unfolded deck.
struct ProbedCell {
    std::vector<std::string> lines;  ///< its devices and their models
    std::string word_net;            ///< its nets, as the lines have them; not both ground
    std::string bit_net;
    std::map<std::string, double> gates;  ///< other nets, with what they are held at [V]
};

/// Currents from word to bit line that ngspice finds for cells by themselves, the bit line at 0 V
/// (a cell whose word line is ground: at -v, gates that much lower).
/// @param voltages  v, word line minus bit line [V]
/// @return          [A], [cells × voltages]
/// @throws NgspiceError  as `run_operating_points`
Eigen::MatrixXd probe_cells(const std::vector<ProbedCell>& cells, const Eigen::VectorXd& voltages,
                            const NgspiceSettings& settings);

}  // namespace kirchnet::detail
