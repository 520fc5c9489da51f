// Operators with amplifiers folded in, against ngspice on the op-amp deck of the same tile.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "example_tile.hpp"
#include "netlists/netlist_writer.hpp"
#include "netlists/ngspice_session.hpp"
#include "nn/detail/readout_fold.hpp"
#include "solver/transfer_solver.hpp"

using namespace kirchnet;
using namespace kirchnet_test;

namespace {

constexpr double read_voltage = 0.2;  // [V]
constexpr double feedback = 2e3;      // [ohm]
// Outputs are below 1 V and ngspice solves loops of gain 1e3 in double precision; tanh(v / swing)
// is its argument to 1e-14.
constexpr double tolerance = 1e-11;  // [V]

LinearReadout readout_of(double gain, double offset, double mismatch) {
    LinearReadout readout;
    readout.circuit.amplifier = {.gain = gain, .offset = offset, .swing = 1e7};
    readout.circuit.feedback_resistance = feedback;
    readout.mismatch = mismatch;
    readout.read_voltage = read_voltage;
    return readout;
}

TileSettings wired(Mapping mapping, Layout layout, Unused unused) {
    TileSettings settings = example_settings(mapping, layout);
    settings.unused = unused;
    settings.wires = Wires{40.0, 25.0, 100.0, 15.0, true};
    return settings;
}

/// What the converter is told of each output, by the folded operator [V]: v_d = -R_f ....
Eigen::VectorXd folded_outputs(const TileSettings& settings, const LinearReadout& readout) {
    TileSettings loaded = settings;
    loaded.wires = with_input_resistance(
        settings.wires, amplifier_input(readout.circuit.amplifier, feedback).resistance);
    const Tile tile(example_block(), loaded);
    std::vector<Eigen::MatrixXd> transfers;
    for (const Crossbar& array : tile.arrays())
        transfers.push_back(TransferSolver().transfer_rows(array, tile.read_bit_lines()));
    const auto read = detail::read_by_amplifiers(tile, transfers, readout, feedback);
    Eigen::VectorXd u = read.transfer * example_inputs;
    if (read.offset.size() > 0) u += settings.device.span() * read_voltage * read.offset;
    return -feedback * u;
}

/// The deck of the tile, with the resistors of one output's subtractor.
std::string deck_of(const TileSettings& settings, const LinearReadout& readout, Index output) {
    TileDeckSettings how;
    how.readout = Readout::opamp;
    how.subtractor = readout.circuit;
    std::string deck = write_tile_deck(Tile(example_block(), settings), example_inputs, how);
    const auto at = deck.find(".param r1=");
    if (at == std::string::npos) return deck;  // `offset` has no subtractor
    const auto bridge =
        draw_bridge(readout, example_block().layer, 0, static_cast<std::int32_t>(64 + output));
    return deck.replace(
        at, deck.find('\n', at) - at,
        fmt::format(".param r1={} r2={} r3={} r4={}", bridge.r1, bridge.r2, bridge.r3, bridge.r4));
}

void check_agreement(const TileSettings& settings, const LinearReadout& readout) {
    const Eigen::VectorXd folded = folded_outputs(settings, readout);
    for (Index j = 0; j < folded.size(); ++j) {
        const std::string net =
            fmt::format("{}_{}", has_column_pair(settings.mapping) ? "sub" : "tia_a", j);
        const auto found = run_operating_point(deck_of(settings, readout, j), {net});
        CAPTURE(net);
        CHECK(std::abs(found.at(net) - folded(j)) < tolerance);
        CHECK(std::abs(folded(j)) > 1e-3);
    }
}

}  // namespace

TEST_CASE("folded amplifiers agree with ngspice: finite gain, wires, every mapping and layout") {
    for (const auto mapping : {Mapping::two_column, Mapping::offset, Mapping::differential})
        for (const auto layout : {Layout::split, Layout::interleaved})
            for (const auto unused : {Unused::pad, Unused::trim}) {
                CAPTURE(to_string(mapping));
                CAPTURE(to_string(layout));
                CAPTURE(to_string(unused));
                check_agreement(wired(mapping, layout, unused), readout_of(50, 0, 0));
            }
}

TEST_CASE("folded offsets agree with ngspice, padding columns included") {
    for (const auto mapping : {Mapping::two_column, Mapping::offset, Mapping::differential})
        for (const auto unused : {Unused::pad, Unused::trim}) {
            CAPTURE(to_string(mapping));
            CAPTURE(to_string(unused));
            check_agreement(wired(mapping, Layout::split, unused), readout_of(1e3, 5e-3, 0));
        }
}

TEST_CASE("folded mismatch of the resistors agrees with ngspice") {
    for (const auto layout : {Layout::split, Layout::interleaved})
        check_agreement(wired(Mapping::differential, layout, Unused::pad),
                        readout_of(1e3, -2e-3, 0.05));
}

TEST_CASE("arrays read at the top agree with ngspice as well") {
    TileSettings settings = wired(Mapping::two_column, Layout::split, Unused::trim);
    settings.wires.sense_at = SenseSide::top;
    settings.wires.drive = DriveSide::both;
    check_agreement(settings, readout_of(200, 1e-3, 0));
}
