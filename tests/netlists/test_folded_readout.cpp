// Operators with amplifiers folded in, against ngspice on the op-amp deck of the same tile.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "circuit/error.hpp"
#include "circuit/ideal_solver.hpp"
#include "example_tile.hpp"
#include "netlists/netlist_writer.hpp"
#include "netlists/ngspice_session.hpp"
#include "nn/detail/readout_fold.hpp"
#include "solver/nodal_solver.hpp"
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

/// What the converter is told of each output, by the folded operator [V]: v_d = -R_f ..., of a
/// current-mode pair R_f ....
Eigen::VectorXd folded_outputs(const TileSettings& settings, const LinearReadout& readout) {
    TileSettings loaded = settings;
    const bool alike = detail::are_alike(readout, settings);
    if (alike)
        loaded.wires = with_input_resistance(
            settings.wires, amplifier_input(readout.circuit.amplifier, feedback).resistance);
    const Tile tile(example_block(), loaded);
    const TileAmplifiers amplifiers = draw_amplifiers(tile, readout, feedback);
    std::vector<Eigen::MatrixXd> transfers;
    std::vector<ArrayPorts> ports;
    for (const Crossbar& array : tile.arrays()) {
        transfers.push_back(TransferSolver().transfer_rows(array, tile.read_bit_lines()));
        ports.push_back(TransferSolver().ports(array));
    }
    const auto outputs = alike ? detail::outputs_of_alike(tile, transfers, amplifiers)
                               : detail::outputs_of_drawn(tile, ports, amplifiers);
    const auto read = detail::read_by_amplifiers(tile, outputs, amplifiers, read_voltage);
    Eigen::VectorXd u = read.transfer * example_inputs;
    if (read.offset.size() > 0) u += settings.device.span() * read_voltage * read.offset;
    const bool is_current_mode =
        tile.has_subtractors() && readout.circuit.kind == SubtractorKind::current_mode;
    return (is_current_mode ? feedback : -feedback) * u;
}

std::string deck_of(const TileSettings& settings, const LinearReadout& readout) {
    TileDeckSettings how;
    how.readout = Readout::opamp;
    how.amplifiers = readout;
    return write_tile_deck(Tile(example_block(), settings), example_inputs, how);
}

void check_agreement(const TileSettings& settings, const LinearReadout& readout) {
    const Eigen::VectorXd folded = folded_outputs(settings, readout);
    for (Index j = 0; j < folded.size(); ++j) {
        const bool is_held = readout.circuit.hold.is_there();
        const std::string net = fmt::format("{}_{}",
                                            is_held                             ? "held"
                                            : has_column_pair(settings.mapping) ? "sub"
                                                                                : "tia_a",
                                            j);
        const auto found = run_operating_point(deck_of(settings, readout), {net});
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

TEST_CASE("amplifiers that all differ agree with ngspice, columns coupled") {
    for (const auto mapping : {Mapping::two_column, Mapping::offset, Mapping::differential})
        for (const auto layout : {Layout::split, Layout::interleaved}) {
            CAPTURE(to_string(mapping));
            CAPTURE(to_string(layout));
            LinearReadout readout = readout_of(200, 1e-3, 0.03);
            readout.offset_deviation = 3e-3;
            readout.feedback_mismatch = 0.05;
            readout.seed = 11;
            readout.trial = 3;
            check_agreement(wired(mapping, layout, Unused::pad), readout);
        }
}

TEST_CASE("current-mode subtractors agree with ngspice, alike or not") {
    for (const auto layout : {Layout::split, Layout::interleaved})
        for (const double deviation : {0.0, 2e-3}) {
            CAPTURE(to_string(layout));
            CAPTURE(deviation);
            LinearReadout readout = readout_of(100, deviation / 2, 0);
            readout.circuit.kind = SubtractorKind::current_mode;
            readout.offset_deviation = deviation;
            readout.feedback_mismatch = 10 * deviation;
            check_agreement(wired(Mapping::differential, layout, Unused::pad), readout);
        }
}

TEST_CASE("folded hold stages agree with ngspice: droop and pedestal, either subtractor") {
    for (const auto mapping : {Mapping::offset, Mapping::differential})
        for (const auto kind : {SubtractorKind::difference, SubtractorKind::current_mode}) {
            CAPTURE(to_string(mapping));
            LinearReadout readout = readout_of(200, 1e-3, 0);
            readout.circuit.kind = kind;
            readout.circuit.hold = {.capacitance = 1e-14,
                                    .pedestal = 4e-3,
                                    .hold_time = 1e-8,
                                    .droop_time = 5e-8,
                                    .temperature = 0};
            check_agreement(wired(mapping, Layout::split, Unused::pad), readout);
        }
}

TEST_CASE("amplifiers of one kind are the same by either way of folding") {
    for (const auto mapping : {Mapping::offset, Mapping::differential}) {
        const TileSettings settings = wired(mapping, Layout::split, Unused::pad);
        const LinearReadout readout = readout_of(300, 2e-3, 0);
        const Eigen::VectorXd alike = folded_outputs(settings, readout);
        const Tile tile(example_block(), settings);
        const TileAmplifiers amplifiers = draw_amplifiers(tile, readout, feedback);
        std::vector<ArrayPorts> ports;
        for (const Crossbar& array : tile.arrays()) ports.push_back(NodalSolver().ports(array));
        const auto read = detail::read_by_amplifiers(
            tile, detail::outputs_of_drawn(tile, ports, amplifiers), amplifiers, read_voltage);
        const Eigen::VectorXd drawn =
            -feedback *
            (read.transfer * example_inputs + settings.device.span() * read_voltage * read.offset);
        CHECK((drawn - alike).cwiseAbs().maxCoeff() < 1e-13 * alike.cwiseAbs().maxCoeff());
    }
}

TEST_CASE("an engine without admittances refuses amplifiers that differ, by name") {
    const Tile tile(example_block(), wired(Mapping::differential, Layout::split, Unused::pad));
    CHECK_THROWS_WITH_AS((void)IdealSolver().ports(tile.arrays().front()),
                         doctest::Contains("choose transfer or nodal"), InvalidInput);
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
