#include "tools/reports/settling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "circuit/error.hpp"
#include "netlists/circuit_deck.hpp"
#include "netlists/ngspice_session.hpp"

namespace kirchnet {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double first_stop = 1.5;  // of the estimate
constexpr double last_share = 0.9;  // of a run; what settles later might leave again
constexpr int most_runs = 9;
constexpr int most_bits = 24;
constexpr double never = std::numeric_limits<double>::infinity();

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string column_word(const Tile& tile, const TileColumn& at) {
    return fmt::format(
        "{}_{}", to_char(polarity_of(tile.arrays()[at.array].pattern(), at.bit_line)), at.bit_line);
}

std::vector<SettlingSignal> signals_of(const Tile& tile, bool has_amplifiers) {
    std::vector<SettlingSignal> signals;
    for (Index j = 0; j < tile.outputs(); ++j) {
        if (tile.has_subtractors()) {
            signals.push_back({fmt::format("sub_{}", j), false, j, std::nullopt});
            continue;
        }
        for (const Polarity side : {Polarity::a, Polarity::b}) {
            if (side == Polarity::b && !tile.has_pairs()) continue;
            const std::string word = column_word(tile, tile.column(j, side));
            signals.push_back({(has_amplifiers ? "tia_" : "vs_") + word, !has_amplifiers, j, side});
        }
    }
    return signals;
}

/// Largest magnitude that an output's current can take with inputs of either sign up to full scale,
/// without wires [A].
double largest_output_current(const Tile& tile, double full_scale) {
    double largest = 0;
    for (Index j = 0; j < tile.outputs(); ++j) {
        const auto cells = [&](Polarity side) -> Eigen::VectorXd {
            const TileColumn at = tile.column(j, side);
            return tile.arrays()[at.array].conductance().col(at.bit_line).head(tile.rows());
        };
        Eigen::VectorXd output = cells(Polarity::a);
        if (tile.has_subtractors())
            output -= cells(Polarity::b);
        else if (tile.has_pairs())
            output = output.cwiseMax(cells(Polarity::b));
        largest = std::max(largest, output.cwiseAbs().sum());
    }
    return full_scale * largest;
}

/// Steps exact enough for half an LSB: errors of many steps add up to some ten tolerances.
TransientSettings transient_settings(const SettlingTerms& terms, bool is_current) {
    TransientSettings settings;
    settings.relative_tolerance =
        std::clamp(settings.relative_tolerance * std::exp2(8 - terms.bits), 1e-9, 3e-5);
    // Bit lines of an ideal read-out stand at microvolts, and their differences are its currents.
    if (is_current) settings.absolute_tolerance = 1e-11;
    return settings;
}

void run_once(SettlingStudy& study, const TransientSettings& settings) {
    std::vector<std::string> nets;
    std::vector<std::string> ammeters;
    for (const OutputSettling& output : study.outputs)
        (output.signal.is_ammeter ? ammeters : nets).push_back(output.signal.name);
    TransientResult result = solve_transient(study.circuit, study.stop, nets, ammeters, settings);
    study.steps = result.steps;
    for (OutputSettling& output : study.outputs) {
        auto& waves = output.signal.is_ammeter ? result.current : result.voltage;
        output.waveform = std::move(waves.at(output.signal.name));
        output.time = settling_time(output.waveform, output.settled, study.half_lsb);
    }
}

/// Whether nothing settles so late that it might leave again.
bool is_settled_early(const SettlingStudy& study) {
    return std::all_of(study.outputs.begin(), study.outputs.end(), [&](const OutputSettling& o) {
        return o.time && *o.time <= last_share * study.stop;
    });
}

double value_of(const Circuit& circuit, const CircuitSolution& solution,
                const SettlingSignal& signal) {
    return signal.is_ammeter ? current_of(circuit, solution, signal.name)
                             : voltage_of(circuit, solution, signal.name);
}

/// 0 without amplifiers [V].
double largest_amplifier_output(const Circuit& circuit, const CircuitSolution& solution) {
    double largest = 0;
    for (CircuitNet net = 1; net < circuit.nets(); ++net)
        if (circuit.net_name(net).starts_with("tia_"))
            largest = std::max(largest, std::abs(solution.voltage[static_cast<std::size_t>(net)]));
    return largest;
}

SettlingStudy prepare(const Tile& tile, const Eigen::VectorXd& inputs,
                      const std::optional<LinearReadout>& readout, double full_scale,
                      const SettlingTerms& terms) {
    TileCircuitSettings how{.capacitances = terms.capacitances,
                            .rise_time = terms.rise_time,
                            .law = terms.law,
                            .read_voltage = full_scale};
    SettlingStudy study;
    study.unit = readout ? "V" : "A";
    study.range = terms.range;
    if (readout) {
        study.feedback = readout->circuit.feedback_resistance;
        // The converter is what waits; a staircase has no waveform.
        LinearReadout analog = *readout;
        analog.circuit.adc = {};
        analog.circuit.hold = {};
        how.amplifiers = draw_amplifiers(tile, analog, study.feedback);
        study.swing = readout->circuit.amplifier.swing;
        if (study.range == 0) study.range = study.swing;
    }
    if (study.range == 0) study.range = largest_output_current(tile, full_scale);
    if (study.range == 0)
        throw InvalidInput("--range",
                           "the tile delivers no current to take a range from; name one");
    study.half_lsb = study.range / (std::exp2(terms.bits) - 1);
    study.circuit = tile_circuit(tile, inputs, how);
    how.rise_time = 0;
    study.settled_circuit = tile_circuit(tile, inputs, how);
    const CircuitSolution settled = solve_circuit(study.settled_circuit);
    study.largest_voltage = largest_amplifier_output(study.settled_circuit, settled);
    for (const SettlingSignal& signal : signals_of(tile, readout.has_value())) {
        OutputSettling output{.signal = signal};
        output.estimate = estimate_settling(tile, signal.output, signal.side, terms.capacitances,
                                            how.amplifiers ? &*how.amplifiers : nullptr);
        output.estimated = terms.rise_time + output.estimate.settling(terms.bits);
        output.settled = value_of(study.settled_circuit, settled, signal);
        study.outputs.push_back(std::move(output));
    }
    return study;
}

// ---- ngspice ----

/// By straight lines between ngspice's points.
SampledWaveform waveform_of(const NgspiceWaveforms& waves, Eigen::Index row) {
    SampledWaveform waveform;
    for (Eigen::Index t = 0; t < waves.time.size(); ++t) {
        if (t > 0) {
            waveform.time.push_back((waves.time(t - 1) + waves.time(t)) / 2);
            waveform.value.push_back((waves.values(row, t - 1) + waves.values(row, t)) / 2);
        }
        waveform.time.push_back(waves.time(t));
        waveform.value.push_back(waves.values(row, t));
    }
    return waveform;
}

std::string vector_name(const Circuit& circuit, const SettlingSignal& signal) {
    return signal.is_ammeter ? deck_current(circuit.device(signal.name)) : signal.name;
}

SettlingAgreement::Output compare_output(const SettlingStudy& study, const OutputSettling& ours,
                                         const SampledWaveform& theirs, double settled) {
    SettlingAgreement::Output output{.name = ours.signal.name};
    const double scale = std::max(std::abs(settled), 2 * study.half_lsb);
    for (std::size_t k = 0; k < theirs.time.size(); k += 2)
        output.waveform = std::max(
            output.waveform, std::abs(ours.waveform.at(theirs.time[k]) - theirs.value[k]) / scale);
    output.time = settling_time(theirs, settled, study.half_lsb);
    if (!ours.time && !output.time) return output;
    if (!ours.time || !output.time) {
        output.time_difference = never;
        return output;
    }
    const double least = study.read_time().value_or(study.stop) / 10;
    if (*ours.time != *output.time)
        output.time_difference =
            std::abs(*ours.time - *output.time) / std::max(*output.time, least);
    return output;
}

template <typename Of>
const SettlingAgreement::Output& worst_of(const SettlingAgreement& agreement, Of of) {
    return *std::max_element(agreement.outputs.begin(), agreement.outputs.end(),
                             [&](const auto& x, const auto& y) { return of(x) < of(y); });
}

double cells_of(const Tile& tile) {
    double cells = 0;
    for (const Crossbar& array : tile.arrays()) cells += static_cast<double>(array.shape().cells());
    return cells;
}

}  // namespace

void check(const SettlingTerms& terms) {
    const auto require = [](bool holds, const char* option, double value, const char* words) {
        if (!holds) throw InvalidInput(option, fmt::format("{:g} is not {}", value, words));
    };
    if (terms.bits < 1 || terms.bits > most_bits)
        throw InvalidInput("--bits",
                           fmt::format("{} is not between 1 and {}", terms.bits, most_bits));
    require(std::isfinite(terms.range) && terms.range >= 0, "--range", terms.range,
            "a finite number above 0");
    const ArrayCapacitances& c = terms.capacitances;
    const char* at_least_0 = "a finite capacitance of 0 or more";
    require(std::isfinite(c.wire_segment) && c.wire_segment >= 0, "--wire-capacitance",
            c.wire_segment, at_least_0);
    require(std::isfinite(c.cell) && c.cell >= 0, "--cell-capacitance", c.cell, at_least_0);
    require(std::isfinite(c.access) && c.access >= 0, "--access-capacitance", c.access, at_least_0);
    require(std::isfinite(terms.rise_time) && terms.rise_time > 0, "--rise-time", terms.rise_time,
            "a finite time above 0; inputs that always stood there leave nothing to settle");
    require(std::isfinite(terms.stop) && terms.stop >= 0, "--stop", terms.stop,
            "a finite time above 0");
    if (terms.stop > 0 && terms.stop <= terms.rise_time)
        throw InvalidInput("--stop", fmt::format("{:g} s is not behind the rise of {:g} s",
                                                 terms.stop, terms.rise_time));
}

bool SettlingStudy::is_settled() const {
    return std::all_of(outputs.begin(), outputs.end(),
                       [](const OutputSettling& output) { return output.time.has_value(); });
}

const OutputSettling& SettlingStudy::slowest() const {
    return *std::max_element(outputs.begin(), outputs.end(),
                             [](const OutputSettling& x, const OutputSettling& y) {
                                 return x.time.value_or(never) < y.time.value_or(never);
                             });
}

double SettlingStudy::estimated_read_time() const {
    double longest = 0;
    for (const OutputSettling& output : outputs) longest = std::max(longest, output.estimated);
    return longest;
}

SettlingStudy study_settling(const Tile& tile, const Eigen::VectorXd& inputs,
                             const std::optional<LinearReadout>& readout, double full_scale,
                             const SettlingTerms& terms, const Progress& progress) {
    check(terms);
    const auto start = Clock::now();
    SettlingStudy study = prepare(tile, inputs, readout, full_scale, terms);
    TransientSettings settings = transient_settings(terms, !readout);
    constexpr std::size_t parts = 1000;
    settings.after_step = [&](double time) {
        // The end itself is told below, once it is known to be one.
        const double share = std::min(time / study.stop, 0.999);
        progress(static_cast<std::size_t>(share * parts), parts);
    };
    study.stop = terms.stop > 0
                     ? terms.stop
                     : std::max(first_stop * study.estimated_read_time(), 2 * terms.rise_time);
    run_once(study, settings);
    for (int runs = 1; terms.stop == 0 && runs < most_runs && !is_settled_early(study); ++runs) {
        study.stop *= 2;
        run_once(study, settings);
    }
    progress(parts, parts);
    study.seconds = seconds_since(start);
    return study;
}

double expected_settling_seconds(const Tile& tile) {
    // Measured with amplifiers on one core: a pair of 16 x 16 arrays 0.3 s, 64 x 64 20 s.
    constexpr double seconds = 20;
    constexpr double cells = 2.0 * 64 * 64;
    return seconds * std::pow(cells_of(tile) / cells, 1.5);
}

double expected_ngspice_transient_seconds(const Tile& tile) {
    // Measured on the same core: 8 x 8 0.3 s, 16 x 16 2.5 s.
    constexpr double seconds = 2.5;
    constexpr double cells = 2.0 * 16 * 16;
    return seconds * std::pow(cells_of(tile) / cells, 1.75);
}

const SettlingAgreement::Output& SettlingAgreement::worst_waveform() const {
    return worst_of(*this, [](const Output& output) { return output.waveform; });
}

const SettlingAgreement::Output& SettlingAgreement::worst_time() const {
    return worst_of(*this, [](const Output& output) { return output.time_difference; });
}

bool SettlingAgreement::agrees() const {
    return worst_waveform().waveform <= waveform_tolerance &&
           worst_time().time_difference <= time_tolerance;
}

SettlingAgreement compare_with_ngspice(const SettlingStudy& study, double time_limit) {
    const auto start = Clock::now();
    std::vector<std::string> wanted;
    for (const OutputSettling& output : study.outputs)
        wanted.push_back(vector_name(study.circuit, output.signal));
    NgspiceSettings settings;
    settings.time_limit_s = time_limit;
    const auto settled =
        run_operating_point(write_circuit_deck(study.settled_circuit, "settled"), wanted, settings);
    const NgspiceWaveforms waves = run_transient(write_circuit_deck(study.circuit, "rising"),
                                                 wanted, {.stop = study.stop}, settings);
    SettlingAgreement agreement;
    for (std::size_t i = 0; i < wanted.size(); ++i)
        agreement.outputs.push_back(compare_output(study, study.outputs[i],
                                                   waveform_of(waves, static_cast<Eigen::Index>(i)),
                                                   settled.at(wanted[i])));
    agreement.seconds = seconds_since(start);
    return agreement;
}

}  // namespace kirchnet
