#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "circuit/random.hpp"
#include "circuit/tile_circuit.hpp"
#include "netlists/circuit_deck.hpp"
#include "netlists/ngspice_session.hpp"
#include "solver/transient.hpp"

namespace kirchnet::test {

/// A tile of n x n arrays with random weights behind wires of 2 ohm a segment, as a circuit that is
/// read through amplifiers after inputs have risen within 1 ns.
struct TileStudy {
    Index n = 4;
    SubtractorKind kind = SubtractorKind::difference;
    SwingLimit limit = SwingLimit::smooth;
    double feedback = 0;  ///< [ohm]; 0: 0.8 of the swing at the largest current
    bool falls = false;   ///< inputs go from their values to 0 instead, out of overload perhaps
    CellLaw law = {};
};

inline Circuit circuit_of(const TileStudy& study) {
    const auto draw = [](Index i, Index j) {
        return keyed_uniform(7, 0,
                             {static_cast<std::uint64_t>(i), static_cast<std::uint64_t>(j), 0, 0});
    };
    WeightBlock block;
    block.layer = "conv1";
    block.weights = Eigen::MatrixXd::NullaryExpr(
        study.n, study.n, [&](Index i, Index j) { return 2 * draw(i, j) - 1; });
    for (Index r = 0; r < study.n; ++r)
        block.inputs.push_back({static_cast<std::int32_t>(r), 0, 0});
    TileSettings settings;
    settings.array = {study.n, study.n};
    settings.mapping = Mapping::differential;
    settings.device = {1e-4, 1e-6};
    settings.wires.word_line_segment = 2;
    settings.wires.bit_line_segment = 2;
    settings.wires.driver = 100;
    const Tile tile(block, settings);
    Eigen::VectorXd inputs(study.n);
    for (Index r = 0; r < study.n; ++r) inputs(r) = 0.2 * draw(r, 1000);

    LinearReadout readout;
    readout.circuit.kind = study.kind;
    readout.circuit.amplifier.limit = study.limit;
    readout.mismatch = 0.01;
    readout.offset_deviation = 1e-3;
    const double feedback = study.feedback > 0
                                ? study.feedback
                                : default_feedback_resistance(readout.circuit.amplifier,
                                                              largest_column_current(tile, inputs));
    TileCircuitSettings circuit_settings;
    circuit_settings.amplifiers = draw_amplifiers(tile, readout, feedback);
    circuit_settings.capacitances = {.wire_segment = 3e-17, .cell = 2e-17, .access = 1e-16};
    circuit_settings.rise_time = 1e-9;
    circuit_settings.law = study.law;
    Circuit circuit = tile_circuit(tile, inputs, circuit_settings);
    if (study.falls)
        for (const CircuitDevice& device : std::vector(circuit.devices()))
            if (device.name.starts_with("v_in"))
                circuit.set_waveform(
                    device.name,
                    {{{0, std::get<VoltageSource>(device.model).voltage.at(1)}, {1e-9, 0}}});
    return circuit;
}

inline std::vector<std::string> outputs_of(const TileStudy& study) {
    std::vector<std::string> nets;
    for (Index j = 0; j < study.n; ++j) {
        nets.push_back("tia_a_" + std::to_string(j));
        nets.push_back("sub_" + std::to_string(j));
    }
    return nets;
}

/// How far apart two roads are.
struct TileAgreement {
    double voltage = 0;   ///< largest difference over time, of the largest swing of the net
    double settling = 0;  ///< largest relative difference of settling times to 1/512 of that
    int compared = 0;     ///< settling times
    double start = 0;     ///< largest output at t = 0 [V]
};

/// By straight lines between ngspice's points.
inline SampledWaveform waveform_of(const NgspiceWaveforms& waves, Eigen::Index row) {
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

inline TileAgreement compare_tile_transients(const TileStudy& study, double stop) {
    const Circuit circuit = circuit_of(study);
    const auto nets = outputs_of(study);
    const TransientResult ours = solve_transient(circuit, stop, nets);
    const NgspiceWaveforms theirs =
        run_transient(write_circuit_deck(circuit, "tile"), nets, {.stop = stop});
    TileAgreement agreement;
    for (std::size_t i = 0; i < nets.size(); ++i) {
        const auto row = static_cast<Eigen::Index>(i);
        agreement.start = std::max(agreement.start, std::abs(theirs.values(row, 0)));
        const double last = theirs.values(row, theirs.time.size() - 1);
        // Settled value, or where it falls to nearly 0 the value it fell from.
        const double swing = std::max(std::abs(last), std::abs(theirs.values(row, 0)));
        const SampledWaveform& wave = ours.voltage.at(nets[i]);
        for (Eigen::Index t = 0; t < theirs.time.size(); ++t)
            agreement.voltage =
                std::max(agreement.voltage,
                         std::abs(wave.at(theirs.time(t)) - theirs.values(row, t)) / swing);
        const auto here = settling_time(wave, last, swing / 512);
        const auto there = settling_time(waveform_of(theirs, row), last, swing / 512);
        if (!here || !there || *there == 0) continue;
        ++agreement.compared;
        agreement.settling = std::max(agreement.settling, std::abs(*here / *there - 1));
    }
    return agreement;
}

inline void check_tile_transients(const TileStudy& study, double stop) {
    const TileAgreement agreement = compare_tile_transients(study, stop);
    CHECK(agreement.voltage <= 0.01);
    CHECK(agreement.settling <= 0.02);
    CHECK(agreement.compared >= study.n);
    if (study.falls) CHECK(agreement.start > 1.15);  // of a swing of 1.2 V: overload
    MESSAGE("worst difference " << agreement.voltage << " of the settled value, settling times "
                                << agreement.settling << " apart");
}

}  // namespace kirchnet::test
