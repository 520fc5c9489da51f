#pragma once

#include <string>
#include <vector>

namespace kirchnet {

/// A step of a waterfall: the level it ends at, and the interval its change is believed to be in.
struct WaterfallStep {
    std::string name;
    double level = 0;       ///< after the step
    double change_low = 0;  ///< change from the level before
    double change_high = 0;
};

/// A level that changes step by step: a full bar at the beginning and the end, floating bars
/// between, with the interval of each change as a whisker about the level the step ends at.
struct Waterfall {
    std::string title = {};
    std::string y_label = {};  ///< with its unit, `accuracy [%]`
    std::string start = {};    ///< name of the first bar
    double start_level = 0;
    std::string end = {};  ///< name of the last bar
    std::vector<WaterfallStep> steps = {};
    double y_max = 100;
    int decimals = 1;
};

/// @throws InvalidInput  without steps, or when a level lies outside [0, y_max] or is no number
std::string waterfall(const Waterfall& chart);

}  // namespace kirchnet
