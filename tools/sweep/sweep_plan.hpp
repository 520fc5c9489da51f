#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "data/sweep_file.hpp"
#include "nn/arm.hpp"
#include "tools/settings/experiment.hpp"

namespace kirchnet {

/// Values of some axes, by axis name: canonical, as a point's `values` hold them.
using AxisValues = std::map<std::string, std::string>;
/// Several values for some axes.
using AxisChoices = std::map<std::string, std::vector<std::string>>;

/// Two kinds of points to compare: every point with the values of `from` is paired with the point
/// that differs in the values of `to` alone.
struct PairedPoints {
    std::string name;
    AxisValues from;
    AxisValues to;
    AxisChoices where;  ///< only points with one of these values
};

/// A statement about a sweep's results that may fail.
struct GateSettings {
    enum class Kind {
        better,            ///< `to` beats `from` at every pair, p below `p`
        equal,             ///< every pair's interval holds 0
        iso_loss,          ///< along `along`, `to` takes `at_least` times what `from` takes
        interior_minimum,  ///< the loss along `along` is least at neither end
        worst              ///< `to` is below every other value of its axes
    };
    std::string name;
    Kind kind = Kind::better;
    PairedPoints pair;
    std::string along = {};  ///< axis with numbers
    double p = 0.01;
    double loss = 0.05;     ///< of accuracy, for `iso_loss`
    double at_least = 4.0;  ///< for `iso_loss`
};

/// What a figure of a sweep shows; `kirchnet report` draws it.
struct FigureSettings {
    enum class Quantity {
        accuracy,
        loss,   ///< of accuracy, from the same point without faults
        change  ///< of accuracy, over the points of `pair`
    };
    std::string name;
    std::string title;
    std::string x;                    ///< axis with numbers, or `zeros` of the network
    std::vector<std::string> series;  ///< axes that tell curves apart
    std::vector<std::string> panels;  ///< axes that tell charts apart
    AxisChoices where;
    Quantity y = Quantity::accuracy;
    PairedPoints pair = {};  ///< for `change`
    bool log_x = false;
};

/// One point of a plan, ready to run.
struct PlannedPoint {
    Experiment experiment;
    Mapping mapping = Mapping::two_column;
    Operators operators = Operators::ideal;
    std::vector<std::string> values;  ///< one per axis

    /// @param trial  which chip
    [[nodiscard]] ArmSettings arm(std::uint32_t trial) const;
};

/// A sweep: every combination of axes, each on many chips.
struct SweepPlan {
    std::string name;
    std::string description;
    std::string text;  ///< the TOML file
    Experiment base;
    std::vector<std::string> axes;  ///< in the order written, those of variations behind them
    std::vector<PlannedPoint> points;
    std::uint32_t trials = 100;
    std::uint32_t least_trials = 10;  ///< before `until` may end a point
    double until =
        0;  ///< half width of a point's interval over chips that is enough; 0: all trials
    std::string out;
    std::vector<PairedPoints> pairs;
    std::vector<GateSettings> gates;
    std::vector<FigureSettings> figures;
};

/// Reads a plan (docs/methods/sweeps.md).
/// @param settings  on top of its `[experiment]`
/// @throws InvalidInput  naming file, line and key: unknown keys, empty axes, absurd values
SweepPlan read_plan(const std::filesystem::path& path,
                    const std::vector<std::pair<std::string, std::string>>& settings = {});
/// The same of TOML text that was read before: what a results file holds.
/// @param path  for messages
SweepPlan parse_plan(const std::string& text, const std::filesystem::path& path,
                     const std::vector<std::pair<std::string, std::string>>& settings = {});

/// The place of an axis. @throws InvalidInput  naming the axes there are
std::size_t axis_index(const std::vector<std::string>& axes, const std::string& name);

/// A value of an axis as the plan's points hold it: `100u` of `cells.on` is `0.0001`.
/// @throws InvalidInput  when the axis takes no such value
std::string canonical_value(const Experiment& base, const std::string& axis,
                            const std::string& value);

}  // namespace kirchnet
