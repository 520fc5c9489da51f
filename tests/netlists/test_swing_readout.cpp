// Amplifiers with their swing, as inference solves them, against two other roads: the general
// circuit of the same tile, solved net by net, and ngspice on its readable deck.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "circuit/amplifier_law.hpp"
#include "circuit/random.hpp"
#include "circuit/tile_circuit.hpp"
#include "netlists/netlist_writer.hpp"
#include "netlists/ngspice_session.hpp"
#include "nn/detail/readout_fold.hpp"
#include "nn/detail/readout_swing.hpp"
#include "solver/circuit_solver.hpp"
#include "solver/transfer_solver.hpp"

using namespace kirchnet;

namespace {

/// A tile with its read-out, drawn by number.
struct SwingCase {
    TileSettings settings;
    WeightBlock block;
    Eigen::VectorXd inputs;  ///< [V]
    LinearReadout readout;
    double feedback = 0;  ///< [ohm]

    [[nodiscard]] Tile tile() const { return Tile(block, settings); }
    [[nodiscard]] TileAmplifiers amplifiers() const {
        return draw_amplifiers(tile(), readout, feedback);
    }
};

/// Uniform in [0, 1).
class Draws {
  public:
    explicit Draws(std::uint64_t number) : number_(number) {}
    double next() { return keyed_uniform(21, 5, {number_, count_++, 0, 0}); }
    double between(double low, double high) { return low + (high - low) * next(); }
    template <typename T>
    T one_of(std::initializer_list<T> values) {
        return *(values.begin() +
                 static_cast<std::ptrdiff_t>(next() * static_cast<double>(values.size())));
    }

  private:
    std::uint64_t number_;
    std::uint64_t count_ = 0;
};

SwingCase random_case(std::uint64_t number, SubtractorKind kind, SwingLimit limit) {
    Draws draw(number);
    SwingCase drawn;
    const auto rows = static_cast<Index>(draw.between(2, 9));
    const auto outputs = static_cast<Index>(draw.between(1, 5));
    drawn.settings.array = {rows + 1, 2 * outputs + 1};
    drawn.settings.mapping =
        draw.one_of({Mapping::two_column, Mapping::differential, Mapping::offset});
    drawn.settings.layout = draw.one_of({Layout::split, Layout::interleaved});
    drawn.settings.unused = draw.one_of({Unused::pad, Unused::trim});
    drawn.settings.device = {1e-4, 1e-6};
    drawn.settings.wires.word_line_segment = draw.between(1, 50);
    drawn.settings.wires.bit_line_segment = draw.between(1, 50);
    drawn.settings.wires.driver = 200;
    if (number % 5 == 4) drawn.settings.subtraction = Subtraction::after;
    drawn.block.layer = "conv1";
    drawn.block.weights = Eigen::MatrixXd::NullaryExpr(
        rows, outputs, [&](Index, Index) { return draw.between(-1, 1); });
    for (Index r = 0; r < rows; ++r)
        drawn.block.inputs.push_back({static_cast<std::int32_t>(r), 0, 0});
    drawn.inputs =
        Eigen::VectorXd::NullaryExpr(rows, [&](Index) { return draw.between(-0.05, 0.2); });
    drawn.readout.circuit.kind = kind;
    drawn.readout.circuit.amplifier.limit = limit;
    drawn.readout.circuit.amplifier.gain = draw.one_of({50.0, 1e3, 1e5});
    drawn.readout.circuit.amplifier.swing = draw.one_of({0.3, 1.2});
    drawn.readout.circuit.amplifier.offset = draw.between(-1e-3, 1e-3);
    drawn.readout.offset_deviation = 2e-3;
    drawn.readout.mismatch = 0.02;
    drawn.readout.feedback_mismatch = 0.02;
    drawn.readout.seed = number;
    // From half of what fills the swing to five times as much.
    const double current = largest_column_current(drawn.tile(), drawn.inputs);
    drawn.feedback =
        draw.between(0.5, 5) * drawn.readout.circuit.amplifier.swing / std::max(current, 1e-7);
    drawn.readout.circuit.feedback_resistance = drawn.feedback;
    return drawn;
}

std::vector<ArrayPorts> ports_of(const Tile& tile) {
    std::vector<ArrayPorts> ports;
    for (const Crossbar& array : tile.arrays()) ports.push_back(TransferSolver().ports(array));
    return ports;
}

/// Net of an output, of side b where the sides are converted apart.
std::string net_of(const Tile& tile, Index j, Polarity side) {
    if (tile.has_subtractors()) return fmt::format("sub_{}", j);
    const TileColumn at = tile.column(j, side);
    const char word = to_char(polarity_of(tile.arrays()[at.array].pattern(), at.bit_line));
    return fmt::format("tia_{}_{}", word, at.bit_line);
}

struct Tally {
    double by_circuit = 0;  ///< largest difference, of the swing
    double by_ngspice = 0;
    Index saturated = 0;
    Index amplifiers = 0;
};

void compare(const SwingCase& drawn, bool ask_ngspice, Tally& tally) {
    const Tile tile = drawn.tile();
    const TileAmplifiers amplifiers = drawn.amplifiers();
    const detail::SwingOutputs found =
        detail::SwingReadout(tile, ports_of(tile), amplifiers).solve(drawn.inputs);
    TileCircuitSettings how;
    how.amplifiers = amplifiers;
    const Circuit circuit = tile_circuit(tile, drawn.inputs, how);
    const CircuitSolution solution = solve_circuit(circuit);
    std::map<std::string, double> wanted;
    for (Index j = 0; j < tile.outputs(); ++j) {
        wanted[net_of(tile, j, Polarity::a)] = found.a(j, 0);
        if (found.b.size() > 0) wanted[net_of(tile, j, Polarity::b)] = found.b(j, 0);
    }
    std::vector<std::string> nets;
    const double swing = drawn.readout.circuit.amplifier.swing;
    for (const auto& [net, voltage] : wanted) {
        nets.push_back(net);
        tally.by_circuit = std::max(tally.by_circuit,
                                    std::abs(voltage_of(circuit, solution, net) - voltage) / swing);
    }
    tally.saturated += found.saturated.count();
    tally.amplifiers += found.saturated.size();
    if (!ask_ngspice) return;
    TileDeckSettings deck;
    deck.readout = Readout::opamp;
    deck.amplifiers = drawn.readout;
    const auto theirs = run_operating_point(write_tile_deck(tile, drawn.inputs, deck), nets);
    for (const auto& [net, voltage] : wanted)
        tally.by_ngspice = std::max(tally.by_ngspice, std::abs(theirs.at(net) - voltage) / swing);
}

}  // namespace

TEST_CASE("amplifiers in and beyond their swing agree with the general circuit and with ngspice") {
    for (const auto kind : {SubtractorKind::difference, SubtractorKind::current_mode})
        for (const auto limit : {SwingLimit::smooth, SwingLimit::hard}) {
            CAPTURE(to_string(kind));
            CAPTURE(to_string(limit));
            Tally tally;
            for (std::uint64_t number = 0; number < 40; ++number) {
                CAPTURE(number);
                compare(random_case(number, kind, limit), number < 15, tally);
            }
            CHECK(tally.by_circuit <= 1e-9);
            CHECK(tally.by_ngspice <= 1e-9);
            // The cases are about saturation: some of each kind.
            CHECK(tally.saturated > tally.amplifiers / 10);
            CHECK(tally.saturated < tally.amplifiers);
            MESSAGE(to_string(kind)
                    << ", " << to_string(limit) << ": " << tally.by_circuit
                    << " of the swing from the circuit, " << tally.by_ngspice << " from ngspice, "
                    << tally.saturated << " of " << tally.amplifiers << " amplifiers saturated");
        }
}

TEST_CASE("amplifiers of endless gain behind wires that couple them find their operating point") {
    // The kinks are as hard as they get, and current-mode pairs share an array.
    for (const auto kind : {SubtractorKind::difference, SubtractorKind::current_mode})
        for (const auto limit : {SwingLimit::smooth, SwingLimit::hard}) {
            CAPTURE(to_string(kind));
            CAPTURE(to_string(limit));
            Tally tally;
            for (std::uint64_t number = 0; number < 12; ++number) {
                CAPTURE(number);
                SwingCase drawn = random_case(number, kind, limit);
                drawn.settings.mapping = Mapping::differential;
                drawn.settings.layout = Layout::interleaved;
                drawn.settings.subtraction = Subtraction::before;
                drawn.settings.wires.word_line_segment = 2e3;
                drawn.settings.wires.bit_line_segment = 500;
                drawn.readout.circuit.amplifier.gain = 1e8;
                drawn.readout.offset_deviation = 1e-2;
                compare(drawn, false, tally);
            }
            CHECK(tally.by_circuit <= 1e-9);
            CHECK(tally.saturated > 0);
        }
}

TEST_CASE("well inside the swing the folded operator and the solved amplifiers are one") {
    for (const auto kind : {SubtractorKind::difference, SubtractorKind::current_mode})
        for (const auto limit : {SwingLimit::smooth, SwingLimit::hard})
            for (std::uint64_t number = 0; number < 10; ++number) {
                SwingCase drawn = random_case(number, kind, limit);
                drawn.settings.subtraction = Subtraction::before;
                // Outputs are below 10 V: tanh(x) = x - x^3 / 3 is within 1e-8 of x.
                const bool is_hard = limit == SwingLimit::hard;
                drawn.readout.circuit.amplifier.swing = is_hard ? 100 : 1e5;
                const Tile tile = drawn.tile();
                const TileAmplifiers amplifiers = drawn.amplifiers();
                const auto ports = ports_of(tile);
                const double read_voltage = 0.2;
                const auto folded = detail::read_by_amplifiers(
                    tile, detail::outputs_of_drawn(tile, ports, amplifiers), amplifiers,
                    read_voltage);
                Eigen::VectorXd linear =
                    folded.transfer * drawn.inputs / (tile.settings().device.span() * read_voltage);
                if (folded.offset.size() > 0) linear += folded.offset;
                const auto solved =
                    detail::SwingReadout(tile, ports, amplifiers).solve(drawn.inputs);
                const Eigen::VectorXd read =
                    detail::reading_per_volt(tile, amplifiers, read_voltage) * solved.a.col(0);
                CHECK(solved.saturated.count() == 0);
                CHECK((read - linear).cwiseAbs().maxCoeff() <=
                      (is_hard ? 1e-11 : 1e-7) * linear.cwiseAbs().maxCoeff());
            }
}

TEST_CASE("an input alone and among others has the same amplifiers, saturated or not") {
    const SwingCase drawn = random_case(3, SubtractorKind::difference, SwingLimit::smooth);
    const Tile tile = drawn.tile();
    const detail::SwingReadout readout(tile, ports_of(tile), drawn.amplifiers());
    Eigen::MatrixXd batch(tile.rows(), 7);
    for (Index i = 0; i < batch.cols(); ++i)
        batch.col(i) = drawn.inputs * (0.3 * static_cast<double>(i) - 0.4);
    const auto together = readout.solve(batch);
    for (Index i = 0; i < batch.cols(); ++i) {
        const auto alone = readout.solve(batch.col(i));
        CHECK((alone.a - together.a.col(i)).cwiseAbs().maxCoeff() <= 1e-12);
        CHECK((alone.saturated == together.saturated.col(i)).all());
    }
}

TEST_CASE("one column beyond a hard swing: its input leaves 0 V as the resistors divide it") {
    // A cell of g behind V, R_f to a clamped output: the input stands at (g V + s / R_f) / (g +
    // 1/R_f) and takes no part in what is read, -swing.
    const double g = 1e-4;
    const double voltage = 0.2;
    const double feedback = 1e5;
    OpAmp amplifier;
    amplifier.limit = SwingLimit::hard;
    amplifier.swing = 0.5;
    ArrayPorts ports{Eigen::MatrixXd::Constant(1, 1, g), Eigen::MatrixXd::Constant(1, 1, g)};
    const detail::AmplifierArray array(ports, 1,
                                       {amplifier,
                                        Eigen::VectorXd::Constant(1, 1 / feedback),
                                        Eigen::VectorXd::Zero(1),
                                        Eigen::VectorXd::Zero(1),
                                        {-1}});
    const auto outputs = array.solve(Eigen::MatrixXd::Constant(1, 1, voltage), {});
    CHECK(outputs.voltage(0, 0) == -0.5);
    CHECK(outputs.slope(0, 0) == 0);
    // At 20 mV v_o = -(1 + 1/A) ... : -g V R_f / (1 + (1 + g R_f) / A0).
    const auto within = array.solve(Eigen::MatrixXd::Constant(1, 1, 0.02), {});
    CHECK(within.voltage(0, 0) ==
          doctest::Approx(-g * 0.02 * feedback / (1 + (1 + g * feedback) / amplifier.gain))
              .epsilon(1e-13));
    CHECK(within.slope(0, 0) == 1);
}

TEST_CASE("an amplifier's law: its limits, its overload clamp, and its inverse") {
    OpAmp amplifier;
    amplifier.swing = 1.2;
    CHECK(amplifier_output(amplifier, 0.6).output == doctest::Approx(1.2 * std::tanh(0.5)));
    // The clamp holds the inner voltage at 3 swings, where tanh is 0.995.
    CHECK(amplifier_output(amplifier, 1e3).output ==
          doctest::Approx(1.2 * std::tanh(3)).epsilon(1e-6));
    CHECK(amplifier_output(amplifier, -1e3).is_saturated());
    CHECK_FALSE(amplifier_output(amplifier, amplifier_drive(amplifier, 0.94 * 1.2)).is_saturated());
    CHECK(amplifier_output(amplifier, amplifier_drive(amplifier, 0.96 * 1.2)).is_saturated());
    CHECK(amplifier_output(amplifier, amplifier_drive(amplifier, 1.1)).output ==
          doctest::Approx(1.1).epsilon(1e-14));
    amplifier.limit = SwingLimit::hard;
    CHECK(amplifier_output(amplifier, 1.19).output == 1.19);
    CHECK(amplifier_output(amplifier, 1.21).output == 1.2);
    CHECK(amplifier_output(amplifier, -7).output == -1.2);
}
