// The readable decks, run: by `ngspice -b` as a user would, and by the library in its process.
#include <doctest/doctest.h>

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <limits>

#include "example_tile.hpp"
#include "netlists/netlist_writer.hpp"
#include "netlists/ngspice_session.hpp"
#include "run_deck.hpp"

using namespace kirchnet;
using namespace kirchnet_test;

namespace {

// tanh(v / swing) is linear to 1e-13 at 1 V: closed forms hold as they stand.
constexpr double linear_swing = 1e7;
constexpr double program_tolerance = 1e-11;  // 12 digits are printed after the point
constexpr double helper_tolerance = 1e-12;   // relative to 1e4-fold loop gain, double rounding

using Values = std::map<std::string, double>;

/// The same vectors by both roads; `i(vs)` and `v(net)` as printed.
void check_both(const std::string& deck, const Values& expected, double scale) {
    std::vector<std::string> wanted;
    for (const auto& [name, value] : expected) {
        const std::string inner = name.substr(2, name.size() - 3);
        wanted.push_back(name[0] == 'i' ? inner + "#branch" : inner);
    }
    const Values by_helper = run_operating_point(deck, wanted);
    std::size_t i = 0;
    for (const auto& [name, value] : expected) {
        CAPTURE(name);
        CHECK(std::abs(by_helper.at(wanted[i++]) - value) <= helper_tolerance * scale);
    }
    if (!has_ngspice_program()) return;
    const BatchRun run = run_ngspice_batch(deck);
    CHECK_MESSAGE(run.status == 0, run.output);
    for (const auto& [name, value] : expected) {
        CAPTURE(name);
        REQUIRE(run.printed.contains(name));
        CHECK(std::abs(run.printed.at(name) - value) <= program_tolerance * scale);
    }
}

/// Column currents of a tile without wires, from the mapping's definition on integer levels.
struct IdealColumn {
    double a = 0;        // [A]
    double b = 0;        // [A]
    double total_a = 0;  // conductance on the column [S], padding word lines included
    double total_b = 0;
};

IdealColumn ideal_column(const Tile& tile, Index output) {
    const TileSettings& settings = tile.settings();
    const double span = settings.device.on - settings.device.off;
    IdealColumn column;
    for (Index r = 0; r < settings.array.word_lines; ++r) {
        double a = 0;
        double b = 0;
        if (r < tile.rows()) {
            const double w = std::round(tile.block().weights(r, output) * 127) / 127;
            const double plus = std::max(w, 0.0);
            const double minus = std::max(-w, 0.0);
            if (settings.mapping == Mapping::two_column) a = plus, b = minus;
            if (settings.mapping == Mapping::differential) a = 1 - minus, b = 1 - plus;
            if (settings.mapping == Mapping::offset) a = (w + 1) / 2;
        }
        const double v = r < tile.rows() ? example_inputs(r) : 0.0;
        column.a += v * (settings.device.off + span * a);
        column.b += v * (settings.device.off + span * b);
        column.total_a += settings.device.off + span * a;
        column.total_b += settings.device.off + span * b;
    }
    return column;
}

std::string column_of(const Tile& tile, Index output, Polarity side) {
    const Index c = tile.column(output, side).bit_line;
    return std::string(1, to_char(side)) + "_" + std::to_string(c);
}

/// v = [-I R_f + NG V_os] / (1 + NG / A0), NG = 1 + G_in R_f: one column alone.
double tia(double current, double conductance, double rf, const OpAmp& amplifier) {
    const double noise_gain = 1 + conductance * rf;
    return (-current * rf + noise_gain * amplifier.offset) / (1 + noise_gain / amplifier.gain);
}

/// Difference amplifier of four equal resistors around an amplifier of finite gain and offset.
double difference(double va, double vb, const OpAmp& amplifier) {
    return (va - vb + 2 * amplifier.offset) / (1 + 2 / amplifier.gain);
}

/// Terminal admittance of an array's sources and sense nodes, by dense elimination of the inner
/// nodes: J = Y [v_in; v_out], J into the array.
Eigen::MatrixXd terminal_admittance(const Crossbar& x) {
    const Index m = x.shape().word_lines;
    const Index n = x.shape().bit_lines;
    const Index ports = m + n;
    Eigen::MatrixXd Y = Eigen::MatrixXd::Zero(ports + 2 * m * n, ports + 2 * m * n);
    const auto wl = [&](Index r, Index c) { return ports + r * n + c; };
    const auto bl = [&](Index r, Index c) { return ports + m * n + r * n + c; };
    const auto join = [&](Index p, Index q, double g) {
        Y(p, p) += g;
        Y(q, q) += g;
        Y(p, q) -= g;
        Y(q, p) -= g;
    };
    for (Index r = 0; r < m; ++r)
        for (Index c = 0; c < n; ++c) {
            join(c > 0 ? wl(r, c - 1) : r, wl(r, c), 1 / x.word_line_resistance(r, c));
            join(wl(r, c), bl(r, c), x.conductance()(r, c));
            join(bl(r, c), r + 1 < m ? bl(r + 1, c) : m + c, 1 / x.bit_line_resistance(r, c));
        }
    for (Index r = 0; r < m; ++r) join(r, wl(r, n - 1), 1 / x.right_end_resistance(r));
    for (Index c = 0; c < n; ++c) join(bl(0, c), m + c, 1 / x.top_end_resistance(c));
    const Index inner = 2 * m * n;
    return Y.topLeftCorner(ports, ports) -
           Y.topRightCorner(ports, inner) * Y.bottomRightCorner(inner, inner)
                                                .partialPivLu()
                                                .solve(Y.bottomLeftCorner(inner, ports));
}

/// TIA outputs of coupled columns: [(1 + 1/A0)/R_f + Y_BB/A0] v = (Y_BB + 1/R_f) V_os - T V.
Eigen::VectorXd coupled_tias(const Crossbar& x, const Eigen::VectorXd& v, double rf,
                             const OpAmp& amplifier) {
    const Index m = x.shape().word_lines;
    const Index n = x.shape().bit_lines;
    const Eigen::MatrixXd Y = terminal_admittance(x);
    const Eigen::MatrixXd Y_BB = Y.bottomRightCorner(n, n);
    const Eigen::MatrixXd T = -Y.bottomLeftCorner(n, m);
    const Eigen::MatrixXd I = Eigen::MatrixXd::Identity(n, n);
    return ((1 + 1 / amplifier.gain) / rf * I + Y_BB / amplifier.gain)
        .partialPivLu()
        .solve((Y_BB + I / rf) * Eigen::VectorXd::Constant(n, amplifier.offset) - T * v);
}

TileDeckSettings opamp_settings(double offset, double swing = linear_swing) {
    TileDeckSettings how;
    how.readout = Readout::opamp;
    how.amplifiers.circuit.amplifier.offset = offset;
    how.amplifiers.circuit.amplifier.swing = swing;
    how.amplifiers.circuit.feedback_resistance = 2e3;
    return how;
}

}  // namespace

TEST_CASE("ideal wires and read-out: currents and differences of every mapping and layout") {
    for (const auto mapping : {Mapping::two_column, Mapping::offset, Mapping::differential})
        for (const auto layout : {Layout::split, Layout::interleaved}) {
            const Tile tile(example_block(), example_settings(mapping, layout));
            Values expected;
            for (Index j = 0; j < 2; ++j) {
                const IdealColumn column = ideal_column(tile, j);
                expected["i(vs_" + column_of(tile, j, Polarity::a) + ")"] = column.a;
                if (!tile.has_pairs()) continue;
                expected["i(vs_" + column_of(tile, j, Polarity::b) + ")"] = column.b;
                // (Gmax - Gmin) sum V w, whatever the mapping of the pair.
                double sum = 0;
                for (Index r = 0; r < 3; ++r)
                    sum += example_inputs(r) * std::round(tile.block().weights(r, j) * 127) / 127;
                expected["v(sub_" + std::to_string(j) + ")"] = tile.settings().device.span() * sum;
            }
            check_both(write_tile_deck(tile, example_inputs, {}), expected, 1e-4);
        }
}

TEST_CASE("op-amps without wires follow the single-column and difference formulas") {
    const TileDeckSettings how = opamp_settings(1e-3);
    const OpAmp& amplifier = how.amplifiers.circuit.amplifier;
    for (const auto mapping : {Mapping::two_column, Mapping::offset, Mapping::differential})
        for (const auto layout : {Layout::split, Layout::interleaved}) {
            const Tile tile(example_block(), example_settings(mapping, layout));
            Values expected;
            for (Index j = 0; j < 2; ++j) {
                const IdealColumn column = ideal_column(tile, j);
                const double va = tia(column.a, column.total_a, 2e3, amplifier);
                const double vb = tia(column.b, column.total_b, 2e3, amplifier);
                expected["v(tia_" + column_of(tile, j, Polarity::a) + ")"] = va;
                if (!tile.has_pairs()) continue;
                expected["v(tia_" + column_of(tile, j, Polarity::b) + ")"] = vb;
                expected["v(sub_" + std::to_string(j) + ")"] = difference(va, vb, amplifier);
            }
            check_both(write_tile_deck(tile, example_inputs, how), expected, 1);
        }
}

TEST_CASE("op-amps on resistive wires follow the coupled-column equation") {
    const TileDeckSettings how = opamp_settings(-2e-3);
    const OpAmp& amplifier = how.amplifiers.circuit.amplifier;
    for (const auto mapping : {Mapping::two_column, Mapping::offset, Mapping::differential})
        for (const auto layout : {Layout::split, Layout::interleaved}) {
            TileSettings settings = example_settings(mapping, layout);
            settings.unused = Unused::trim;  // so that every column has its amplifier
            settings.wires = Wires{40.0, 25.0, 100.0, 15.0, true};
            const Tile tile(example_block(), settings);
            std::vector<Eigen::VectorXd> outputs;
            for (const Crossbar& array : tile.arrays())
                outputs.push_back(coupled_tias(array, example_inputs, 2e3, amplifier));
            Values expected;
            for (Index j = 0; j < 2; ++j) {
                const auto output = [&](Polarity side) {
                    const TileColumn at = tile.column(j, side);
                    return outputs[at.array](at.bit_line);
                };
                const double va = output(Polarity::a);
                expected["v(tia_" + column_of(tile, j, Polarity::a) + ")"] = va;
                if (!tile.has_pairs()) continue;
                const double vb = output(Polarity::b);
                expected["v(tia_" + column_of(tile, j, Polarity::b) + ")"] = vb;
                expected["v(sub_" + std::to_string(j) + ")"] = difference(va, vb, amplifier);
            }
            check_both(write_tile_deck(tile, example_inputs, how), expected, 1);
        }
}

namespace {

/// Wires no two of which are alike, for a trimmed example tile.
Wires uneven_wires(Index bit_lines, DriveSide drive, SenseSide side) {
    Wires wires;
    wires.drive = drive;
    wires.sense_at = side;
    CellMatrix word(3, wires.drives_right() ? bit_lines + 1 : bit_lines);
    CellMatrix bit(bit_lines, wires.senses_top() ? 4 : 3);
    for (Index i = 0; i < word.size(); ++i) word.data()[i] = 20 + 3 * static_cast<double>(i);
    for (Index i = 0; i < bit.size(); ++i) bit.data()[i] = 90 - 4 * static_cast<double>(i);
    wires.word_line_segment = LineResistance(word);
    wires.bit_line_segment = LineResistance(bit);
    wires.driver = LineResistance(Eigen::VectorXd(Eigen::Vector3d(100, 0, 55)));
    wires.sense = 15.0;
    return wires;
}

}  // namespace

TEST_CASE("decks driven and read at any ends give the currents of dense elimination") {
    for (const auto layout : {Layout::split, Layout::interleaved})
        for (const auto drive : {DriveSide::left, DriveSide::right, DriveSide::both})
            for (const auto side : {SenseSide::bottom, SenseSide::top, SenseSide::both}) {
                TileSettings settings = example_settings(Mapping::differential, layout);
                settings.unused = Unused::trim;
                settings.wires = uneven_wires(layout == Layout::split ? 2 : 4, drive, side);
                const Tile tile(example_block(), settings);
                Values expected;
                for (const Crossbar& array : tile.arrays()) {
                    const Eigen::VectorXd current =
                        -terminal_admittance(array).bottomLeftCorner(array.shape().bit_lines, 3) *
                        example_inputs;
                    for (Index c = 0; c < current.size(); ++c)
                        expected["i(vs_" +
                                 std::string(1, to_char(polarity_of(array.pattern(), c))) + "_" +
                                 std::to_string(c) + ")"] = current(c);
                }
                CAPTURE(to_string(drive));
                CAPTURE(to_string(side));
                REQUIRE(expected.size() == 4);
                check_both(write_tile_deck(tile, example_inputs, {}), expected, 1e-4);
                check_both(write_flat_deck(tile, example_inputs, {}), expected, 1e-4);
            }
}

TEST_CASE("op-amps hold bit lines read at both ends at one virtual ground") {
    const TileDeckSettings how = opamp_settings(-2e-3);
    TileSettings settings = example_settings(Mapping::offset, Layout::split);
    settings.unused = Unused::trim;
    settings.wires = uneven_wires(2, DriveSide::both, SenseSide::both);
    const Tile tile(example_block(), settings);
    const Eigen::VectorXd output =
        coupled_tias(tile.arrays().front(), example_inputs, 2e3, how.amplifiers.circuit.amplifier);
    check_both(write_tile_deck(tile, example_inputs, how),
               {{"v(tia_a_0)", output(0)}, {"v(tia_a_1)", output(1)}}, 1);
}

TEST_CASE("an overloaded amplifier stands at its swing") {
    TileDeckSettings how = opamp_settings(0, 0.5);
    how.amplifiers.circuit.feedback_resistance = 1e6;
    const Tile tile(example_block(), example_settings(Mapping::offset, Layout::split));
    const auto found =
        run_operating_point(write_tile_deck(tile, example_inputs, how), {"tia_a_0", "tia_a_1"});
    for (const auto& [name, value] : found) {
        CHECK(std::abs(value) < 0.5);
        CHECK(std::abs(value) > 0.49);
    }
}

TEST_CASE("ngspice sees the conductances the tile has, faults included") {
    FaultMap faults;
    const std::string layer = example_block().layer;
    faults.set(layer, CellAddress{64, 5, 0, 1, 0, Polarity::a}, Fault::stuck_off);
    faults.set(layer, CellAddress{65, 5, 0, 0, 0, Polarity::a}, Fault::stuck_on);
    faults.set(layer, CellAddress{65, 6, 2, 0, 0, Polarity::a}, Fault::open);
    const Tile tile(example_block(), example_settings(Mapping::differential, Layout::split),
                    FaultSource(faults));
    std::vector<std::string> wanted;
    std::vector<double> conductance;
    for (const Crossbar& array : tile.arrays())
        for (Index r = 0; r < 4; ++r)
            for (Index c = 0; c < 6; ++c) {
                if (array.faults()(r, c) == Fault::open) continue;
                const CellPosition at{polarity_of(array.pattern(), c), r, c};
                wanted.push_back("@r." + cell_name(at) + ".rcell[resistance]");
                conductance.push_back(array.conductance()(r, c));
            }
    const auto found = run_operating_point(write_tile_deck(tile, example_inputs, {}), wanted);
    // Two ulp of the text, one of ngspice's own decimal conversion, one of 1/g.
    for (std::size_t i = 0; i < wanted.size(); ++i)
        CHECK(found.at(wanted[i]) * conductance[i] ==
              doctest::Approx(1.0).epsilon(4 * std::numeric_limits<double>::epsilon()));
}

TEST_CASE("a faulty cell changes its column's current by what its conductance changes") {
    const TileSettings settings = example_settings(Mapping::two_column, Layout::split);
    FaultMap faults;
    faults.set(example_block().layer, CellAddress{64, 5, 0, 1, 0, Polarity::a}, Fault::stuck_off);
    const Tile healthy(example_block(), settings);
    const Tile broken(example_block(), settings, FaultSource(faults));
    const IdealColumn column = ideal_column(healthy, 0);
    check_both(write_tile_deck(broken, example_inputs, {}),
               {{"i(vs_a_0)", column.a - example_inputs(1) * settings.device.span()},
                {"i(vs_b_0)", column.b}},
               1e-4);
}

TEST_CASE("a deck with cut-off nets runs; what is left is solved") {
    constexpr double open = std::numeric_limits<double>::infinity();
    TileSettings settings = example_settings(Mapping::offset, Layout::split);
    settings.unused = Unused::trim;
    settings.wires.word_line_segment = 1.0;
    settings.wires.driver = LineResistance(Eigen::VectorXd(Eigen::Vector3d(0, 0, open)));
    FaultMap faults;  // word line 2 has neither driver nor cell
    for (const std::int32_t output : {64, 65})
        faults.set(example_block().layer, CellAddress{output, 6, 2, 0, 0, Polarity::a},
                   Fault::open);
    const Tile tile(example_block(), settings, FaultSource(faults));
    const std::string deck = write_tile_deck(tile, example_inputs, {});
    CHECK(deck.find("\n* xc_a_2_0 left out: cut off ; r=2 c=0 | ic=6") != std::string::npos);
    CHECK(deck.find("\n* left out: 1 net without a path") != std::string::npos);
    // Per word line: 1 ohm, cell g0, 1 ohm, cell g1, bit lines at ground.
    double current = 0;
    for (Index r = 0; r < 2; ++r) {
        const double g0 = tile.arrays()[0].conductance()(r, 0);
        const double beyond = 1 / (1 + 1 / tile.arrays()[0].conductance()(r, 1));
        current += example_inputs(r) * g0 / (1 + g0 + beyond);
    }
    check_both(deck, {{"i(vs_a_0)", current}}, 1e-4);
}

TEST_CASE("an HRS of 0 S leaves working cells out and stuck-off ones without a resistor") {
    TileSettings settings = example_settings(Mapping::two_column, Layout::interleaved);
    settings.device = {1e-3, 0};
    FaultMap faults;
    faults.set(example_block().layer, CellAddress{64, 5, 0, 1, 0, Polarity::a}, Fault::stuck_off);
    const Tile tile(example_block(), settings, FaultSource(faults));
    const std::string deck = write_tile_deck(tile, example_inputs, {});
    CHECK(deck.find("\n* xc_b_1_1 left out: conducts nothing ; ") != std::string::npos);
    CHECK(deck.find("\nxc_a_1_0 in_ab_1 out_a_0 cell_stuck_off ") != std::string::npos);
    // -4/127 of 1 mS at 0.2 V is all that output 64 has left.
    check_both(deck, {{"i(vs_a_0)", 0}, {"i(vs_b_1)", 0.2e-3 * 4 / 127}}, 1e-4);
}

TEST_CASE("ngspice sees what cells conduct under the device laws") {
    const TileSettings settings = example_settings(Mapping::two_column, Layout::split);
    const DeviceDraw draw{.laws = {.variation = 0.1, .read_noise = 0.05}, .seed = 3};
    const Tile tile(example_block(), settings, std::nullopt, draw);
    Values expected;
    for (Index j = 0; j < 2; ++j)
        for (const Polarity side : {Polarity::a, Polarity::b}) {
            const TileColumn at = tile.column(j, side);
            expected["i(vs_" + column_of(tile, j, side) + ")"] =
                tile.arrays()[at.array].conductance().col(at.bit_line).head(3).dot(example_inputs);
        }
    check_both(write_tile_deck(tile, example_inputs, {}), expected, 1e-4);
}

TEST_CASE("hostile layer names and comments change no number") {
    const TileSettings settings = example_settings(Mapping::two_column, Layout::split);
    const Tile plain(example_block(), settings);
    const double expected = ideal_column(plain, 0).a;
    for (const char* evil : {"a\n.end\nv9 in_a_0 0 5", "*#quit", "\n+ 7", "\xc3\xbc $ ; // error",
                             ".control\nquit\n.endc", "unknown singular missing Error"}) {
        WeightBlock block = example_block();
        block.layer = evil;
        TileDeckSettings how;
        how.input_comment = evil;
        how.fault_comment = evil;
        check_both(write_tile_deck(Tile(block, settings), example_inputs, how),
                   {{"i(vs_a_0)", expected}}, 1e-4);
    }
}

TEST_CASE("more than a thousand columns are printed, each by its name") {
    if (!has_ngspice_program()) return;
    constexpr Index columns = 1100;
    WeightBlock block;
    block.layer = "fc";
    block.weights = Eigen::RowVectorXd::LinSpaced(columns, -1, 1);
    block.inputs = {{0, 0, 0}};
    TileSettings settings;
    settings.array = {1, columns};
    settings.mapping = Mapping::offset;
    const BatchRun run =
        run_ngspice_batch(write_tile_deck(Tile(block, settings), Eigen::VectorXd::Ones(1), {}));
    CHECK(run.status == 0);
    CHECK(std::count_if(run.printed.begin(), run.printed.end(), [](const auto& line) {
              return line.first.starts_with("i(vs_");
          }) == columns);
    CHECK(run.printed.at("i(vs_a_0)") == doctest::Approx(settings.device.off));
    CHECK(run.printed.at("i(vs_a_1099)") == doctest::Approx(settings.device.on));
}

TEST_CASE("a deck without a solution ends ngspice -b with a failure") {
    if (!has_ngspice_program()) return;
    const Tile tile(example_block(), example_settings(Mapping::offset, Layout::split));
    std::string deck = write_tile_deck(tile, example_inputs, {});
    deck.insert(deck.find("\n.control"), "\nv_rival in_a_0 0 dc 9");
    CHECK(run_ngspice_batch(deck).status != 0);
}
