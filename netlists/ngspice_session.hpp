#pragma once

#include <Eigen/Core>
#include <map>
#include <string>
#include <vector>

#include "netlists/ngspice_settings.hpp"

namespace kirchnet {

/// Independent sources whose value changes from one operating point to the next.
struct SourceSweep {
    std::vector<std::string> sources;  ///< element names, `v_in_a_3`
    Eigen::MatrixXd values;            ///< [V] or [A], [sources × points]
};

/// Operating points of one circuit, found by ngspice in a process of its own. `.control` blocks
/// of the deck are left out; relative paths of `.include` lead nowhere, since the process runs in
/// an empty directory.
/// @param deck    title line first, `.end` last
/// @param wanted  vectors as ngspice names them: net `sub_3`, current `vs_a_3#branch`, device
///                value `@r.xc_a_0_0.rcell[resistance]`
/// @return        [wanted × points], finite
/// @throws NgspiceError  when ngspice refuses the deck, says anything that sounds like an error,
///                       lacks a vector, dies or exceeds its time limit
Eigen::MatrixXd run_operating_points(const std::string& deck, const SourceSweep& sweep,
                                     const std::vector<std::string>& wanted,
                                     const NgspiceSettings& settings = {});

/// Vectors over time, at the times where ngspice was.
struct NgspiceWaveforms {
    Eigen::VectorXd time;    ///< [s], rising from 0, [times]
    Eigen::MatrixXd values;  ///< [V] or [A], [wanted × times]
};

/// How long, and in which steps at most.
struct TransientSpan {
    double stop = 0;          ///< [s]
    double step = 0;          ///< ngspice's suggestion of a step [s]; 0: a thousandth of `stop`
    double largest_step = 0;  ///< [s]; 0: `step`
};

/// The transient of one circuit from its operating point at t = 0 on, under the conditions of
/// `run_operating_points`; the time limit is for the whole run. Accuracy is that of the deck's
/// `.options`: ngspice's default `chgtol` of 1e-14 C leaves the charges of wires out of its
/// control.
/// @throws InvalidInput  for a span that is not positive and finite
NgspiceWaveforms run_transient(const std::string& deck, const std::vector<std::string>& wanted,
                               const TransientSpan& span, const NgspiceSettings& settings = {});
/// A deck as ngspice understands it: parameters put in, subcircuits unfolded, one line per device
/// in lower case, `r.xc_a_0_3.rcell wl_a_0_3 bl_a_0_3 1.25e+04`; dot commands may stand among them.
/// Numbers that were expressions have 16 digits. Nothing is solved.
/// @throws NgspiceError  when ngspice refuses the deck, dies or exceeds its time limit
std::vector<std::string> expand_deck(const std::string& deck, const NgspiceSettings& settings = {});

/// A `dc` sweep of one independent source over 0, 1, ... points - 1; each point starts from the
/// solution of the one before, so that a circuit with several shows it.
/// @return  [wanted × points], finite
/// @throws NgspiceError  as `run_operating_points`; the time limit is of the whole sweep
Eigen::MatrixXd run_dc_sweep(const std::string& deck, const std::string& source,
                             Eigen::Index points, const std::vector<std::string>& wanted,
                             const NgspiceSettings& settings = {});

/// The operating point of a deck as it is written.
std::map<std::string, double> run_operating_point(const std::string& deck,
                                                  const std::vector<std::string>& wanted,
                                                  const NgspiceSettings& settings = {});

}  // namespace kirchnet
