// Operators with amplifiers folded in, against ngspice on the op-amp deck of the same tile.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "circuit/error.hpp"
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
    how.amplifiers.circuit = readout.circuit;
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

TEST_CASE("reference columns, their faults and their shares agree with ngspice") {
    FaultMap faults;
    for (const auto mapping : {Mapping::offset, Mapping::differential})
        for (const auto layout : {Layout::split, Layout::interleaved})
            for (const auto unused : {Unused::pad, Unused::trim}) {
                CAPTURE(to_string(mapping));
                CAPTURE(to_string(layout));
                CAPTURE(to_string(unused));
                TileSettings settings = wired(mapping, layout, unused);
                settings.array.bit_lines += 1;
                settings.reference_column = true;
                const Tile whole(example_block(), settings);
                const auto line = whole.reference_bit_line().value();
                const auto& block = whole.block();
                const auto place = static_cast<std::int32_t>(line);
                const auto pattern = whole.arrays().front().pattern();
                faults.set(block.layer,
                           PaddingCell{static_cast<std::int32_t>(block.tile_row),
                                       static_cast<std::int32_t>(block.tile_column), 1, place,
                                       polarity_of(pattern, line), 0},
                           Fault::stuck_off);
                const Tile tile(example_block(), settings, FaultSource(faults));
                CHECK(tile.arrays().front().conductance()(0, line) == settings.device.on);
                CHECK(tile.arrays().front().conductance()(1, line) == settings.device.off);
                std::vector<Eigen::MatrixXd> transfers;
                for (const Crossbar& array : tile.arrays())
                    transfers.push_back(
                        TransferSolver().transfer_rows(array, tile.read_bit_lines()));
                TileDeckSettings how;
                how.reference_shares.resize(2, static_cast<Index>(transfers.size()));
                how.reference_shares.row(0).setConstant(0.25);
                how.reference_shares.row(1).setConstant(-0.5);
                const Eigen::VectorXd wanted =
                    (detail::read_ideally(tile, transfers).transfer -
                     Eigen::Vector2d(0.25, -0.5) *
                         detail::read_reference_ideally(tile, transfers).transfer) *
                    example_inputs;
                for (const auto& deck : {write_tile_deck(tile, example_inputs, how),
                                         write_flat_deck(tile, example_inputs, how)}) {
                    const auto found = run_operating_point(deck, {"sub_0", "sub_1"});
                    for (Index j = 0; j < 2; ++j)  // currents of 1e-4 A at most, as volts
                        CHECK(std::abs(found.at(fmt::format("sub_{}", j)) - wanted(j)) < 1e-14);
                }
            }
}

TEST_CASE("reference shares that a deck cannot have are refused") {
    TileSettings settings = example_settings(Mapping::differential, Layout::split);
    TileDeckSettings how;
    how.reference_shares = Eigen::MatrixXd::Ones(2, 2);
    CHECK_THROWS_AS((void)write_tile_deck(Tile(example_block(), settings), example_inputs, how),
                    InvalidInput);
    settings.array.bit_lines += 1;
    settings.reference_column = true;
    const Tile tile(example_block(), settings);
    CHECK(write_tile_deck(tile, example_inputs, how).find("reference bit line") !=
          std::string::npos);
    how.readout = Readout::opamp;
    CHECK_THROWS_AS((void)write_tile_deck(tile, example_inputs, how), InvalidInput);
    how = {};
    how.reference_shares = Eigen::MatrixXd::Ones(1, 2);
    CHECK_THROWS_AS((void)write_tile_deck(tile, example_inputs, how), InvalidInput);
}

TEST_CASE("arrays read at the top agree with ngspice as well") {
    TileSettings settings = wired(Mapping::two_column, Layout::split, Unused::trim);
    settings.wires.sense_at = SenseSide::top;
    settings.wires.drive = DriveSide::both;
    check_agreement(settings, readout_of(200, 1e-3, 0));
}
