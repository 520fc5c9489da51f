#include <doctest/doctest.h>

#include <Eigen/QR>
#include <cmath>
#include <set>

#include "circuit/error.hpp"
#include "circuit/ideal_solver.hpp"
#include "nn/comparison.hpp"
#include "nn/correction.hpp"
#include "small_networks.hpp"
#include "small_tiles.hpp"
#include "solver/transfer_solver.hpp"

using namespace kirchnet;

namespace {

const SolverFactory ideal = [] { return std::make_unique<IdealSolver>(); };
const SolverFactory transfer = [] { return std::make_unique<TransferSolver>(); };

constexpr std::array fitted_kinds{CorrectionKind::layer_gain, CorrectionKind::column_gain,
                                  CorrectionKind::column_affine, CorrectionKind::reference_column};

/// One layer of one tile of these entries, row by row an output.
LayerOperators layer_of(const std::vector<std::vector<float>>& outputs,
                        std::vector<float> reference = {}) {
    LayerOperators layer;
    TileOperator tile;
    tile.outputs = outputs.size();
    tile.rows = outputs.front().size();
    for (const auto& entries : outputs)
        tile.weights.insert(tile.weights.end(), entries.begin(), entries.end());
    tile.reference = std::move(reference);
    layer.tiles.push_back(std::move(tile));
    return layer;
}

/// Independent inputs of mean 0 and square 1.
LayerMoments white_moments(std::size_t rows) {
    const auto size = static_cast<Index>(rows + 1);
    return {{0, 0, rows, Eigen::MatrixXd::Identity(size, size)}};
}

LayerCorrection fit_one(CorrectionKind kind, const LayerOperators& wanted,
                        const LayerMoments& moments, const LayerOperators& layer) {
    return fit_correction(kind, {{wanted}, {moments}}, {layer}).front();
}

TileSettings tiles_for(CorrectionKind kind, Mapping mapping, double segment,
                       Layout layout = Layout::split) {
    TileSettings tile = test::small_tiles(mapping, segment, layout);
    tile.reference_column = kind == CorrectionKind::reference_column;
    return tile;
}

/// The network's outputs with these operators, converters away.
std::vector<float> outputs_of(const Graph& graph, const std::vector<LayerOperators>& layers,
                              const LabelledImages& images) {
    Drivers drivers;
    for (std::size_t layer = 0; layer < layers.size(); ++layer)
        drivers.push_back(crossbar_driver(graph, layer, layers[layer]));
    return network_outputs(graph, drivers, images);
}

double distance(const std::vector<float>& x, const std::vector<float>& y) {
    REQUIRE(x.size() == y.size());
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i)
        sum += std::pow(static_cast<double>(x[i]) - static_cast<double>(y[i]), 2);
    return std::sqrt(sum / static_cast<double>(x.size()));
}

/// Inputs that are never negative, as behind most activations, and as many rows as wires matter
/// for: a convolution of 4 x 6 x 6 images with 36 rows, and a classifier of 5.
Network wide_network() {
    Network network;
    network.name = "wide";
    network.input = {4, 6, 6};
    network.mean = {0, 0, 0, 0};
    network.deviation = {1, 1, 1, 1};
    const ConvOp first{test::random_tensor({8, 4, 3, 3}, 1), {}, 1, 0, 1};
    const LinearOp classify{test::random_tensor({5, 8 * 16}, 4), {}};
    network.nodes = {{"image", InputOp{}, {}},
                     {"first", first, {"image"}},
                     {"relu", ReluOp{}, {"first"}},
                     {"classify", classify, {"relu"}}};
    return network;
}

TileSettings wide_tiles(CorrectionKind kind, Mapping mapping, Layout layout = Layout::split) {
    TileSettings tile;
    tile.array = {32, 17};
    tile.mapping = mapping;
    tile.layout = layout;
    tile.wires.word_line_segment = tile.wires.bit_line_segment = 5;
    tile.reference_column = kind == CorrectionKind::reference_column;
    return tile;
}

/// DACs that leave inputs as they are.
/// Operators of a design with wires, and what they are to be.
struct Design {
    CorrectionGoal goal;
    std::vector<LayerOperators> layers;
};

Design design_of(const Graph& graph, const TileSettings& tile, const LabelledImages& images) {
    Design design;
    design.layers = extract_operators(graph, tile, std::nullopt, transfer);
    design.goal.ideal = extract_operators(graph, tile, std::nullopt, ideal);
    design.goal.moments =
        observe_moments(graph, design.layers, test::continuous_dacs(graph), images);
    return design;
}

}  // namespace

TEST_CASE("gains of a tile of two inputs, as worked out by hand") {
    // With M = 1: outputs t = (2, 1) and (0, 4), ideally w = (1, 0) and (0, 2).
    const LayerOperators circuit = layer_of({{2, 1}, {0, 4}});
    const LayerOperators wanted = layer_of({{1, 0}, {0, 2}});
    const LayerMoments white = white_moments(2);
    // t w / t t = 2/5 and 8/16; of all outputs together 10/21.
    const auto column = fit_one(CorrectionKind::column_gain, wanted, white, circuit);
    CHECK(column.tiles[0].gain[0] == doctest::Approx(0.4));
    CHECK(column.tiles[0].gain[1] == doctest::Approx(0.5));
    CHECK(column.tiles[0].input_gain.empty());
    const auto layer = fit_one(CorrectionKind::layer_gain, wanted, white, circuit);
    CHECK(layer.tiles[0].gain[0] == doctest::Approx(10.0 / 21));
    CHECK(layer.tiles[0].gain[1] == doctest::Approx(10.0 / 21));
    // (2, 1) - (1, 1) = (1, 0): g = 1, h = -1. (0, 4)/2 = (0, 2): g = 1/2, h = 0.
    const auto affine = fit_one(CorrectionKind::column_affine, wanted, white, circuit);
    CHECK(affine.tiles[0].gain[0] == doctest::Approx(1));
    CHECK(affine.tiles[0].input_gain[0] == doctest::Approx(-1));
    CHECK(affine.tiles[0].gain[1] == doctest::Approx(0.5));
    CHECK(std::abs(affine.tiles[0].input_gain[1]) < 1e-7);
    // Squares: |(1, 1)|² + |(0, 2)|² = 6 of 1 + 4 before; |(-1/5, 2/5)|² = 1/5 left by a gain.
    CHECK(column.error_before == doctest::Approx(std::sqrt(6.0 / 5)));
    CHECK(column.error_after == doctest::Approx(std::sqrt(0.2 / 5)));
    CHECK(affine.error_after < 1e-7);
}

TEST_CASE("a common mode is taken out exactly, by the input sum or by the reference column") {
    // t = 0.8 w + 0.3 (1, 1, 1), and t = 0.8 w + 0.3 r with the reference r.
    const std::vector<float> r{0.9F, 0.8F, 0.7F};
    const std::vector<std::vector<float>> w{{0.5F, -1, 0.25F}, {-0.75F, 0.125F, 1}};
    std::vector<std::vector<float>> by_ones = w;
    std::vector<std::vector<float>> by_reference = w;
    for (std::size_t j = 0; j < 2; ++j)
        for (std::size_t i = 0; i < 3; ++i) {
            by_ones[j][i] = 0.8F * w[j][i] + 0.3F;
            by_reference[j][i] = 0.8F * w[j][i] + 0.3F * r[i];
        }
    LayerMoments moments = white_moments(3);
    moments[0].second.topLeftCorner(3, 3) << 2, 0.5, 0.25, 0.5, 1, -0.25, 0.25, -0.25, 0.5;
    const auto affine =
        fit_one(CorrectionKind::column_affine, layer_of(w), moments, layer_of(by_ones));
    std::vector<LayerOperators> layers{layer_of(by_reference, r)};
    const auto reference =
        fit_one(CorrectionKind::reference_column, layer_of(w), moments, layers.front());
    for (std::size_t j = 0; j < 2; ++j) {
        CHECK(affine.tiles[0].gain[j] == doctest::Approx(1.25).epsilon(1e-5));
        CHECK(affine.tiles[0].input_gain[j] == doctest::Approx(-0.375).epsilon(1e-5));
        CHECK(reference.tiles[0].gain[j] == doctest::Approx(1.25).epsilon(1e-5));
        CHECK(reference.tiles[0].reference_shares[j] == doctest::Approx(0.3).epsilon(1e-5));
    }
    CHECK(affine.error_after < 1e-6);
    CHECK(reference.error_after < 1e-6);
    apply_correction({reference}, layers);
    for (std::size_t k = 0; k < 6; ++k)  // what the ADC sees: 0.8 w
        CHECK(layers[0].tiles[0].weights[k] ==
              doctest::Approx(0.8 * static_cast<double>(w[k / 3][k % 3])).epsilon(1e-4));
}

TEST_CASE("a mapping that forms the input sum anyway has it beside the reference column") {
    // t = 0.8 w + 0.3 r + 0.2 (1, 1, 1), so w = 1.25 (t - 0.3 r) - 0.25 (1, 1, 1).
    const std::vector<float> r{0.9F, 0.8F, 0.7F};
    const std::vector<float> w{0.5F, -1, 0.25F};
    std::vector<float> t = w;
    for (std::size_t i = 0; i < 3; ++i) t[i] = 0.8F * w[i] + 0.3F * r[i] + 0.2F;
    LayerOperators layer = layer_of({t}, r);
    layer.input_weight = -1;
    const auto fit =
        fit_one(CorrectionKind::reference_column, layer_of({w}), white_moments(3), layer);
    CHECK(fit.tiles[0].gain[0] == doctest::Approx(1.25).epsilon(1e-5));
    CHECK(fit.tiles[0].reference_shares[0] == doctest::Approx(0.3).epsilon(1e-4));
    CHECK(fit.tiles[0].input_gain[0] == doctest::Approx(-0.25).epsilon(1e-4));
}

TEST_CASE("moments give what least squares over the inputs themselves give") {
    // 40 inputs of 5 rows, and Eigen's QR on them.
    constexpr Index count = 40;
    constexpr Index rows = 5;
    const auto random = [](std::size_t size, std::uint64_t seed) {
        return test::random_tensor({size}, seed).values;
    };
    const auto values = random(count * rows, 1);
    const Eigen::MatrixXd V =
        Eigen::Map<const Eigen::MatrixXf>(values.data(), rows, count).cast<double>().cwiseAbs();
    const auto t = random(rows, 2);
    const auto w = random(rows, 3);
    const auto r = random(rows, 4);
    LayerMoments moments = white_moments(rows);
    moments[0].second.topLeftCorner(rows, rows) = V * V.transpose() / count;
    const auto project = [&](const std::vector<float>& row) -> Eigen::VectorXd {
        return V.transpose() * Eigen::Map<const Eigen::VectorXf>(row.data(), rows).cast<double>();
    };
    Eigen::MatrixXd A(count, 2);
    A << project(t), V.colwise().sum().transpose();
    const Eigen::Vector2d affine = A.colPivHouseholderQr().solve(project(w));
    const auto fit = fit_one(CorrectionKind::column_affine, layer_of({w}), moments, layer_of({t}));
    CHECK(fit.tiles[0].gain[0] == doctest::Approx(affine(0)).epsilon(1e-5));
    CHECK(fit.tiles[0].input_gain[0] == doctest::Approx(affine(1)).epsilon(1e-5));
    A.col(1) = project(r);
    const Eigen::Vector2d shared = A.colPivHouseholderQr().solve(project(w));
    const auto reference =
        fit_one(CorrectionKind::reference_column, layer_of({w}), moments, layer_of({t}, r));
    CHECK(reference.tiles[0].gain[0] == doctest::Approx(shared(0)).epsilon(1e-5));
    CHECK(reference.tiles[0].reference_shares[0] ==
          doctest::Approx(-shared(1) / shared(0)).epsilon(1e-5));
}

TEST_CASE("where there is nothing to scale a gain stays 1") {
    const LayerOperators circuit = layer_of({{0.25F, 0.125F}, {0, 0}});
    for (const auto kind :
         {CorrectionKind::column_gain, CorrectionKind::column_affine, CorrectionKind::layer_gain}) {
        CAPTURE(to_string(kind));
        // Pruned outputs, a dead column, and inputs that are never there.
        const auto pruned = fit_one(kind, layer_of({{0, 0}, {0, 0}}), white_moments(2), circuit);
        CHECK(pruned.tiles[0].gain == std::vector<float>{1, 1});
        LayerMoments dark = white_moments(2);
        dark[0].second.setZero();
        const auto unlit = fit_one(kind, layer_of({{1, 0}, {0, 1}}), dark, circuit);
        CHECK(unlit.tiles[0].gain == std::vector<float>{1, 1});
        for (const float h : unlit.tiles[0].input_gain) CHECK(h == 0);
    }
    const auto dead =
        fit_one(CorrectionKind::column_gain, layer_of({{1, 0}, {0, 1}}), white_moments(2), circuit);
    CHECK(dead.tiles[0].gain[1] == 1);
}

TEST_CASE("without wires nothing is corrected") {
    const Graph graph(test::small_network());
    const auto images = test::random_images(graph.network().input, 5);
    for (const auto mapping : {Mapping::two_column, Mapping::offset, Mapping::differential})
        for (const auto kind : fitted_kinds) {
            CAPTURE(to_string(mapping));
            CAPTURE(to_string(kind));
            const Design design = design_of(graph, tiles_for(kind, mapping, 0), images);
            for (const auto& layer : fit_correction(kind, design.goal, design.layers))
                for (const TileCorrection& tile : layer.tiles) {
                    for (const float g : tile.gain) CHECK(g == doctest::Approx(1).epsilon(1e-6));
                    for (const float h : tile.input_gain) CHECK(std::abs(h) < 1e-6F);
                    for (const float k : tile.reference_shares) CHECK(std::abs(k) < 1e-6F);
                }
        }
}

TEST_CASE("with wires a network's outputs come back, and an input sum does what no gain can") {
    const Graph graph(wide_network());
    const auto images = test::random_images(graph.network().input, 12);
    const auto unseen = test::random_images(graph.network().input, 12, 10);
    for (const auto mapping : {Mapping::two_column, Mapping::offset, Mapping::differential})
        for (const auto layout : {Layout::split, Layout::interleaved}) {
            CAPTURE(to_string(mapping));
            CAPTURE(to_string(layout));
            double by_gain = 0;
            for (const auto kind : fitted_kinds) {
                CAPTURE(to_string(kind));
                Design design = design_of(graph, wide_tiles(kind, mapping, layout), images);
                const auto wanted = outputs_of(graph, design.goal.ideal, unseen);
                const double before = distance(outputs_of(graph, design.layers, unseen), wanted);
                const auto fit = fit_correction(kind, design.goal, design.layers);
                for (const LayerCorrection& layer : fit)
                    CHECK(layer.error_after < layer.error_before);
                apply_correction(fit, design.layers);
                const double after = distance(outputs_of(graph, design.layers, unseen), wanted);
                CHECK(after < before);
                if (kind == CorrectionKind::column_gain) by_gain = after;
                // Samples of `offset` hold the common mode themselves, a gain takes it along; in
                // `two_column` there is little.
                if (mapping != Mapping::differential || by_gain == 0) continue;
                if (kind != CorrectionKind::column_gain) CHECK(after < 0.5 * by_gain);
            }
        }
}

TEST_CASE("a correction behind the converter is g times its samples and h times the input sum") {
    // Tiles spoilt as t = 0.5 w + 0.25 Σ, and put right by g = 2, h = -0.5: with converters fine
    // enough the spoilt network is the ideal one, whose classes and outputs it must have.
    const Graph graph(test::small_network());
    const auto images = test::random_images(graph.network().input, 6);
    for (const auto mapping : {Mapping::differential, Mapping::offset})
        for (const auto groups : {Groups::packed, Groups::separate}) {
            TileSettings tile = test::small_tiles(mapping, 0);
            tile.groups = groups;
            auto layers = extract_operators(graph, tile, std::nullopt, ideal);
            const auto wanted = outputs_of(graph, layers, images);
            for (LayerOperators& layer : layers)
                for (TileOperator& of : layer.tiles) {
                    for (float& entry : of.weights) entry = 0.5F * entry + 0.25F;
                    of.gain.assign(of.outputs, 2);
                    of.input_gain.assign(of.outputs, -0.5F);
                }
            const auto found = outputs_of(graph, layers, images);
            CHECK(distance(found, wanted) < 1e-4);
            // Bypassed or not, the next layers see corrected inputs.
            Drivers drivers;
            for (std::size_t layer = 0; layer < layers.size(); ++layer) {
                drivers.push_back(crossbar_driver(graph, layer, layers[layer]));
                drivers.back().adc.front() = Adc{24, 64, true};
            }
            const auto ranges = observe_ranges(graph, drivers, images);
            const auto software = observe_ranges(graph, software_drivers(graph), images);
            const auto converted = network_outputs(graph, drivers, images);
            CHECK(distance(converted, wanted) < 1e-2);
            for (std::size_t layer = 0; layer < 3; ++layer)
                CHECK(ranges[layer].input ==
                      doctest::Approx(software[layer].input).epsilon(0.02));  // 8-bit weights
        }
}

TEST_CASE("a chip's own fit is at least as good on that chip as the design's") {
    const Graph graph(test::small_network());
    const auto images = test::random_images(graph.network().input, 10);
    for (const auto kind : {CorrectionKind::column_affine, CorrectionKind::reference_column}) {
        const TileSettings tile = tiles_for(kind, Mapping::differential, 30);
        const Design design = design_of(graph, tile, images);
        const auto chip =
            extract_operators(graph, tile, FaultSource{FaultDraw{{0.1, 5.2}, 3, 0}}, transfer);
        const auto wanted = outputs_of(graph, design.goal.ideal, images);
        const auto error_of = [&](CorrectionFit fit_on) {
            auto layers = chip;
            correct({{kind, fit_on}, fit_correction(kind, design.goal, design.layers), design.goal},
                    layers);
            return distance(outputs_of(graph, layers, images), wanted);
        };
        CHECK(error_of(CorrectionFit::chip) < error_of(CorrectionFit::designed));
    }
}

TEST_CASE("the design's correction serves chips with faults, those of reference columns included") {
    const Graph graph(wide_network());
    const auto images = test::random_images(graph.network().input, 10);
    const FaultSource faults = FaultDraw{{0.01, 5.2}, 3, 0};
    for (const auto kind : {CorrectionKind::column_affine, CorrectionKind::reference_column})
        for (const auto mapping : {Mapping::offset, Mapping::differential}) {
            CAPTURE(to_string(kind));
            CAPTURE(to_string(mapping));
            const TileSettings tile = wide_tiles(kind, mapping);
            const Design design = design_of(graph, tile, images);
            auto chip = extract_operators(graph, tile, faults, transfer);
            const auto wireless =
                outputs_of(graph, extract_operators(graph, tile, faults, ideal), images);
            const double before = distance(outputs_of(graph, chip, images), wireless);
            apply_correction(fit_correction(kind, design.goal, design.layers), chip);
            CHECK(distance(outputs_of(graph, chip, images), wireless) < 0.5 * before);
        }
}

TEST_CASE("faults hit the reference column, and what it takes out of every sample") {
    const Graph graph(test::small_network());
    const TileSettings tile = tiles_for(CorrectionKind::reference_column, Mapping::offset, 0);
    FaultMap map;
    // The last bit line of the first tile of `first`, its word line 2.
    map.set("first", PaddingCell{0, 0, 2, 5, Polarity::a, 0}, Fault::stuck_off);
    const auto chip = extract_operators(graph, tile, FaultSource{map}, ideal);
    const auto design = extract_operators(graph, tile, std::nullopt, ideal);
    const TileOperator& broken = chip[0].tiles[0];
    // In units of the span: LRS 1e-4, HRS 1e-6 of 99e-6.
    REQUIRE(broken.reference.size() == 8);
    CHECK(broken.reference[2] == doctest::Approx(1.0 / 99));
    CHECK(broken.reference[3] == doctest::Approx(100.0 / 99));
    CHECK(design[0].tiles[0].reference[2] == doctest::Approx(100.0 / 99));
    CHECK(broken.weights == design[0].tiles[0].weights);
}

TEST_CASE("arms without a correction are what they were, and with one only circuits change") {
    const Graph graph(wide_network());
    const auto images = test::random_images(graph.network().input, 100);
    const auto calibration = test::random_images(graph.network().input, 30, 10);
    ComparisonSettings settings;
    settings.tile = wide_tiles(CorrectionKind::none, Mapping::differential);
    settings.mappings = {Mapping::differential};
    settings.faults = FaultDraw{{0.02, 5.2}, 3, 0};
    const auto compare = [&](const CorrectionSettings& correction) {
        settings.correction = correction;
        std::vector<ArmResult> arms;
        std::size_t corrections = 0;
        ComparisonObserver observer;
        observer.finished = [&](const ArmResult& arm) { arms.push_back(arm); };
        observer.corrected = [&](Mapping, const Correction& fit) {
            CHECK(fit.size() == 2);
            ++corrections;
        };
        run_comparison(graph, images, calibration, settings, transfer, observer);
        CHECK(corrections == (correction.kind == CorrectionKind::none ? 0 : 1));
        return arms;
    };
    const auto plain = compare({});
    const auto corrected = compare({CorrectionKind::column_affine});
    const auto own = compare({CorrectionKind::column_affine, CorrectionFit::chip});
    REQUIRE(corrected.size() == 4);
    for (const std::size_t arm : {0, 2})
        CHECK(corrected[arm].inference.predicted == plain[arm].inference.predicted);
    CHECK(agreement(corrected[1].inference, plain[0].inference) >
          agreement(plain[1].inference, plain[0].inference));
    CHECK(own[1].inference.predicted == corrected[1].inference.predicted);
    CHECK(own[3].inference.predicted != corrected[3].inference.predicted);
}

TEST_CASE("what takes several samples per output is refused, with the key and what to set") {
    const CorrectionSettings affine{CorrectionKind::column_affine};
    TileSettings tile;
    ConverterSettings converters;
    check(affine, tile, converters);
    const auto refused = [&](const CorrectionSettings& correction, const char* words) {
        CHECK_THROWS_WITH_AS(check(correction, tile, converters), doctest::Contains(words),
                             InvalidInput);
    };
    tile.bits_per_cell = 2;
    refused(affine, "mapping.bits_per_cell = 0");
    check({}, tile, converters);
    tile.bits_per_cell = 0;
    tile.subtraction = Subtraction::after;
    refused(affine, "converters.subtract = before");
    tile.mapping = Mapping::offset;  // has no sides
    check(affine, tile, converters);
    converters.signed_inputs = SignedInputs::two_pass;
    refused(affine, "converters.signed_inputs = bipolar");
    converters = {};
    converters.input_bits = 8;
    converters.dac_bits = 1;
    refused(affine, "converters.input_bits = 0");
    converters = {};
    refused({CorrectionKind::reference_column}, "correction.kind");
    for (const auto kind : fitted_kinds) CHECK(parse_correction_kind(to_string(kind)) == kind);
    CHECK_THROWS_WITH_AS((void)parse_correction_kind("affine"), doctest::Contains("column_affine"),
                         InvalidInput);
    CHECK_THROWS_WITH_AS((void)parse_correction_fit("all"), doctest::Contains("designed"),
                         InvalidInput);
}
