#include "circuit/readout.hpp"

#include <fmt/format.h>

#include <cmath>

#include "circuit/detail/checks.hpp"
#include "circuit/error.hpp"

namespace kirchnet {

using detail::check_finite;
using detail::check_not_negative;
using detail::check_positive;

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

std::string_view to_string(SwingLimit limit) {
    return limit == SwingLimit::smooth ? "smooth" : "hard";
}

SwingLimit parse_swing_limit(std::string_view text) {
    if (text == "smooth") return SwingLimit::smooth;
    if (text == "hard") return SwingLimit::hard;
    throw InvalidInput(fmt::format("swing limit '{}' is neither smooth nor hard", text));
}

std::string_view to_string(SubtractorKind kind) {
    return kind == SubtractorKind::difference ? "difference" : "current_mode";
}

SubtractorKind parse_subtractor_kind(std::string_view text) {
    if (text == "difference") return SubtractorKind::difference;
    if (text == "current_mode") return SubtractorKind::current_mode;
    throw InvalidInput(fmt::format("subtractor '{}' is neither difference nor current_mode", text));
}

double SampleHold::gain() const {
    return std::exp(-hold_time / droop_time);
}

double SampleHold::noise() const {
    constexpr double boltzmann = 1.380649e-23;  // [J/K], exact (SI)
    return std::sqrt(boltzmann * temperature / capacitance);
}

void check(const SubtractorCircuit& circuit) {
    const OpAmp& amplifier = circuit.amplifier;
    check_positive(amplifier.gain, "op-amp gain");
    check_positive(amplifier.gain_bandwidth, "op-amp gain bandwidth");
    check_positive(amplifier.swing, "op-amp swing");
    check_positive(circuit.bridge_resistance, "subtractor bridge resistance");
    if (circuit.feedback_resistance != 0)
        check_positive(circuit.feedback_resistance, "feedback resistance");
    check_finite(amplifier.offset, "op-amp offset");
    check_not_negative(circuit.hold.capacitance, "hold capacitance");
    check_finite(circuit.hold.pedestal, "hold pedestal");
    check_not_negative(circuit.hold.hold_time, "hold time");
    if (!(circuit.hold.droop_time > 0))
        throw InvalidInput("droop time", fmt::format("{} is not above 0", circuit.hold.droop_time));
    check_not_negative(circuit.hold.temperature, "hold temperature");
    for (const Adc& adc : circuit.adc.adc) check(adc);
    check(circuit.adc.errors);
}

double default_feedback_resistance(const OpAmp& amplifier, double largest_current) {
    constexpr double swing_used = 0.8;  // leaves a fifth of the swing for inputs not seen
    constexpr double no_current = 1e3;  // [ohm]
    return largest_current > 0 ? swing_used * amplifier.swing / largest_current : no_current;
}

}  // namespace kirchnet
