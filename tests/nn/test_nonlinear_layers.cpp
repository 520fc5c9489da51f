#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "circuit/error.hpp"
#include "circuit/ideal_solver.hpp"
#include "nn/nonlinear_layers.hpp"
#include "nn/tiling.hpp"
#include "small_networks.hpp"
#include "small_tiles.hpp"
#include "solver/nodal_solver.hpp"
#include "solver/nonlinear_solver.hpp"

using namespace kirchnet;
using test::small_tiles;

namespace {

const SolverFactory ideal = [] { return std::make_unique<IdealSolver>(); };
const SolverFactory newton = [] { return std::make_unique<NodalSolver>(); };
const SolverFactory line = [] { return std::make_unique<NonlinearSolver>(); };

/// One read of numbers in (-1, 1), every fourth 0.
std::vector<ReadInputs> random_inputs(const LayerGeometry& geometry, Index positions) {
    PositionMatrix x(static_cast<Index>(geometry.groups * geometry.rows_per_group()), positions);
    for (Index i = 0; i < x.size(); ++i) {
        const double u = 2 * keyed_uniform(5, 80, {static_cast<std::uint64_t>(i), 0, 0, 0}) - 1;
        x.data()[i] = i % 4 == 0 ? 0.0F : static_cast<float>(u);
    }
    return {{x, 1}};
}

}  // namespace

TEST_CASE("without wires a nonlinear tile reads the closed sum of its cells' laws") {
    const Graph graph(test::small_network());
    const double a = 6;
    const double full = std::sinh(a * 0.2);
    // I = G V_r sinh(a V) / sinh(a V_r) per cell (G the target), a minus b over V_r (G_on - G_off).
    for (const auto layout : {Layout::split, Layout::interleaved}) {
        const auto settings = small_tiles(Mapping::two_column, 0, layout);
        for (std::size_t layer = 0; layer < 3; ++layer) {
            const NonlinearLayer arrays(graph, layer, {settings}, {CellLaw::sinh(a), 0.2});
            const auto inputs = random_inputs(graph.geometry(layer), 3);
            const PositionMatrix& x = inputs[0].values;
            SolveEffort effort;
            const auto samples = arrays.read(inputs, ideal, effort).at(0);
            const LayerTiling tiling = tile_layer(graph, layer, settings);
            REQUIRE(samples.size() == static_cast<std::size_t>(tiling.tiles()));
            for (std::size_t i = 0; i < samples.size(); ++i) {
                const TileOperator& place = arrays.tiles()[i];
                const auto tile = static_cast<Index>(i);
                const WeightBlock block = weight_block(
                    graph, layer, settings, tile % tiling.row_tiles, tile / tiling.row_tiles);
                const auto first = static_cast<Index>(
                    place.group * graph.geometry(layer).rows_per_group() + place.first_row);
                for (Index j = 0; j < block.weights.cols(); ++j)
                    for (Index k = 0; k < 3; ++k) {
                        double expected = 0;
                        for (Index r = 0; r < block.weights.rows(); ++r) {
                            const StatePair s =
                                to_states(Mapping::two_column, block.weights(r, j), 8);
                            const auto share = static_cast<double>(x(first + r, k));
                            expected += (s.a - s.b) * std::sinh(a * 0.2 * share) / full;
                        }
                        // Outputs of order 1 are floats.
                        CHECK(std::abs(static_cast<double>(samples[i].a(j, k)) - expected) < 5e-7);
                    }
            }
        }
    }
}

TEST_CASE("with wires the batched line method and Newton on KLU read the same") {
    const Graph graph(test::small_network());
    for (const Mapping mapping : {Mapping::two_column, Mapping::offset, Mapping::differential}) {
        const NonlinearLayer arrays(graph, 0, {small_tiles(mapping, 300)}, {CellLaw::sinh(5), 0.2});
        const auto inputs = random_inputs(graph.geometry(0), 11);
        SolveEffort by_line;
        SolveEffort by_newton;
        const auto x = arrays.read(inputs, line, by_line).at(0);
        const auto y = arrays.read(inputs, newton, by_newton).at(0);
        for (std::size_t i = 0; i < x.size(); ++i)
            // Both engines stop at 1e-9 of all cell currents; what is compared are floats.
            CHECK((x[i].a - y[i].a).cwiseAbs().maxCoeff() <= 1e-6F * y[i].a.cwiseAbs().maxCoeff());
        CHECK(by_line.mean_iterations() > 1);
        CHECK(by_line.residual < 1e-8);
        CHECK(by_line.points == 11 * arrays.arrays());
    }
}

TEST_CASE("equal inputs are solved once, and inputs of zeros not at all") {
    const Graph graph(test::small_network());
    const NonlinearLayer arrays(graph, 1, {small_tiles(Mapping::two_column, 10)},
                                {CellLaw::sinh(5), 0.2});
    auto inputs = random_inputs(graph.geometry(1), 5);
    PositionMatrix& x = inputs[0].values;
    x.col(2).setZero();
    x(0, 2) = -0.0F;
    x.col(3) = x.col(0);
    SolveEffort effort;
    std::uint64_t told = 0;
    const auto samples =
        arrays.read(inputs, line, effort, [&](std::uint64_t points) { told += points; });
    CHECK(effort.points == 5 * arrays.arrays());
    CHECK(effort.solved == 3 * arrays.arrays());
    CHECK(told == effort.points);
    for (const TileSamples& y : samples.at(0)) {
        CHECK(y.a.col(2).isZero(0));
        CHECK(y.a.col(3) == y.a.col(0));
        CHECK_FALSE(y.a.col(1) == y.a.col(0));
    }
}

TEST_CASE("without wires, amplifiers of endless gain read clamped sums, counted where they end") {
    // v_a = -R_f I_a and v_b, each held within the swing, and so is their difference v_d; what is
    // read is -v_d / (R_f (G_on - G_off) V_r). A gain of 1e13 leaves 1e-12 of that.
    const Graph graph(test::small_network());
    const double swing = 0.1;
    const double feedback = 1e4;
    const double V_r = 0.2;
    for (const auto mapping : {Mapping::two_column, Mapping::differential}) {
        const auto settings = small_tiles(mapping, 0);
        const double span = settings.device.span();
        LinearReadout readout;
        readout.circuit.feedback_resistance = feedback;
        readout.circuit.amplifier = {.gain = 1e13, .swing = swing, .limit = SwingLimit::hard};
        const auto clamp = [&](double v) { return std::clamp(v, -swing, swing); };
        ChipSettings chip{settings};
        chip.readout = readout;
        const NonlinearLayer arrays(graph, 0, chip, {CellLaw{}, V_r});
        const auto inputs = random_inputs(graph.geometry(0), 9);
        const PositionMatrix& x = inputs[0].values;
        SolveEffort effort;
        const auto samples = arrays.read(inputs, newton, effort).at(0);
        const LayerTiling tiling = tile_layer(graph, 0, settings);
        std::uint64_t beyond = 0;
        for (std::size_t i = 0; i < samples.size(); ++i) {
            const TileOperator& place = arrays.tiles()[i];
            const auto tile = static_cast<Index>(i);
            const WeightBlock block =
                weight_block(graph, 0, settings, tile % tiling.row_tiles, tile / tiling.row_tiles);
            for (Index j = 0; j < block.weights.cols(); ++j)
                for (Index k = 0; k < x.cols(); ++k) {
                    double I_a = 0;
                    double I_b = 0;
                    for (Index r = 0; r < block.weights.rows(); ++r) {
                        const StatePair s = to_states(mapping, block.weights(r, j), 8);
                        const auto row = static_cast<Index>(place.first_row) + r;
                        const double V = V_r * static_cast<double>(x(row, k));
                        I_a += (settings.device.off + s.a * span) * V;
                        I_b += (settings.device.off + s.b * span) * V;
                    }
                    const double v_a = clamp(-feedback * I_a);
                    const double v_b = clamp(-feedback * I_b);
                    const double v_d = clamp(v_a - v_b);
                    for (const double v : {v_a, v_b, v_d}) beyond += std::abs(v) >= swing ? 1 : 0;
                    const double expected = -v_d / (feedback * span * V_r);
                    CHECK(std::abs(static_cast<double>(samples[i].a(j, k)) - expected) < 1e-6);
                }
        }
        CHECK(beyond > 5);
        CHECK(effort.saturation.saturated_readings == beyond);
        CHECK(effort.saturation.readings == 9 * effort.saturation.amplifiers);
        CHECK(effort.saturation.saturated > 0);
        CHECK(effort.saturation.saturated <= beyond);
    }
}

TEST_CASE("amplifiers with offsets read inputs of zeros as well") {
    const Graph graph(test::small_network());
    ChipSettings chip{small_tiles(Mapping::offset, 5)};
    chip.readout.emplace().circuit.amplifier.offset = 2e-3;
    const NonlinearLayer arrays(graph, 1, chip, {CellLaw{}, 0.2});
    auto inputs = random_inputs(graph.geometry(1), 3);
    inputs[0].values.setZero();
    SolveEffort effort;
    const auto samples = arrays.read(inputs, newton, effort).at(0);
    CHECK(effort.solved == arrays.arrays());  // one for all that are alike
    CHECK(effort.points == 3 * arrays.arrays());
    for (const TileSamples& y : samples) {
        CHECK(y.a.cwiseAbs().minCoeff() > 0);
        CHECK(y.a.col(0) == y.a.col(2));
    }
}

TEST_CASE("tile outputs are converted, added up and scaled as the digital half does it") {
    // Two row tiles of one output; range 1 at 3 bits signed: codes -4..3, lsb 1/3.
    LayerDriver driver;
    driver.geometry = {{2, 1, 2}, {1, 1, 2}, 1, 1, 1, 0, 1};
    driver.operators.tiles = {{0, 0, 0, 1, 0, 1, {1}, {}}, {0, 0, 1, 1, 0, 1, {1}, {}}};
    driver.operators.slices = {{1, 2, 0, 0}};  // gain 2
    driver.operators.input_weight = -1;
    driver.order = {0, 1};
    driver.panels.resize(2);
    driver.dac.bits = 0;
    driver.reads = input_reads(driver.dac);
    driver.adc = {{3, 1, true}};
    driver.column_scale = {10};
    driver.bias = {0.5F};
    FeatureMaps in;
    in.resize({2, 1, 2}, 1);
    in.values = {0.25F, 0.5F, 0.25F, 0};
    PositionMatrix first(1, 2);
    first << 0.4F, 2.0F;  // codes 1 and, clipped, 3
    PositionMatrix second(1, 2);
    second << -0.6F, -0.1F;  // codes -2 and 0
    const LayerSamples samples = {{{first, {}}, {second, {}}}};
    FeatureMaps out;
    DriverWorkspace workspace;
    AdcCount count;
    finish_layer(driver, in, samples, out, workspace, count);
    // (2 (1 - 2) / 3 - 0.5) 10 + 0.5 and (2 * 3 / 3 - 0.5) 10 + 0.5
    CHECK(out.values[0] == doctest::Approx((-2.0 / 3 - 0.5) * 10 + 0.5));
    CHECK(out.values[1] == doctest::Approx(15.5));
    CHECK(count.samples == 4);
    CHECK(count.clipped == 1);
    DigitalTail tail;
    tail.norm = {{2, 1}};
    tail.rectify = true;
    finish_layer(driver, in, samples, out, workspace, count, tail);
    CHECK(out.values[0] == 0);
    CHECK(out.values[1] == doctest::Approx(32));
}

TEST_CASE("an input without an operating point names layer and tile") {
    class Lost final : public OperatingPointSolver {
      public:
        [[nodiscard]] std::string_view name() const override { return "lost"; }
        [[nodiscard]] OperatingPoint solve(const Crossbar& crossbar,
                                           const Eigen::Ref<const Eigen::MatrixXd>& inputs,
                                           Voltages) override {
            OperatingPoint point;
            point.current =
                Eigen::MatrixXd::Constant(crossbar.shape().bit_lines, inputs.cols(), NAN);
            return point;
        }
    };
    const Graph graph(test::small_network());
    const NonlinearLayer arrays(graph, 1, {small_tiles(Mapping::two_column, 1)},
                                {CellLaw::sinh(5), 0.2});
    SolveEffort effort;
    CHECK_THROWS_WITH_AS(
        (void)arrays.read(
            random_inputs(graph.geometry(1), 2), [] { return std::make_unique<Lost>(); }, effort),
        doctest::Contains("layer grouped tile"), Error);
}
