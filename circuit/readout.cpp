#include "circuit/readout.hpp"

#include <fmt/format.h>

#include "circuit/error.hpp"

namespace kirchnet {

std::string_view to_string(Readout readout) {
    return readout == Readout::ideal ? "ideal" : "opamp";
}

Readout parse_readout(std::string_view text) {
    if (text == "ideal") return Readout::ideal;
    if (text == "opamp") return Readout::opamp;
    throw InvalidInput(fmt::format("read-out '{}' is neither ideal nor opamp", text));
}

std::string_view to_string(Subtraction subtraction) {
    return subtraction == Subtraction::before ? "before" : "after";
}

Subtraction parse_subtraction(std::string_view text) {
    if (text == "before") return Subtraction::before;
    if (text == "after") return Subtraction::after;
    throw InvalidInput(fmt::format("subtraction '{}' is neither before nor after the ADC", text));
}

double default_feedback_resistance(const OpAmp& amplifier, double largest_current) {
    constexpr double swing_used = 0.8;  // leaves a fifth of the swing for inputs not seen
    constexpr double no_current = 1e3;  // [ohm]
    return largest_current > 0 ? swing_used * amplifier.swing / largest_current : no_current;
}

}  // namespace kirchnet
