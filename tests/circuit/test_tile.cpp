#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <set>

#include "circuit/error.hpp"
#include "circuit/ideal_solver.hpp"
#include "circuit/tile.hpp"

using namespace kirchnet;

namespace {

constexpr DeviceRange device{1e-4, 1e-6};

/// Rows are (input channel, kernel position) of a 2 x 2 kernel, whatever their number.
std::vector<KernelPosition> kernel_positions(Index first, Index rows) {
    std::vector<KernelPosition> positions;
    for (Index i = first; i < first + rows; ++i) {
        const auto row = static_cast<std::int32_t>(i);
        positions.push_back({row / 4, row % 4 / 2, row % 2});
    }
    return positions;
}

/// A layer's normalised weights, [rows × outputs], with both ends of the range.
Eigen::MatrixXd layer_weights(Index rows, Index outputs) {
    std::mt19937 random(99);
    Eigen::MatrixXd weights(rows, outputs);
    for (auto& weight : weights.reshaped())
        weight = static_cast<double>(random() % 2001) / 1000.0 - 1.0;
    weights(0, 0) = 1;
    weights(rows - 1, outputs - 1) = -1;
    return weights;
}

WeightBlock block_of(const Eigen::MatrixXd& weights, Index row, Index rows, Index output,
                     Index outputs, Index tile_row = 0, Index tile_column = 0) {
    return {"conv1",
            tile_row,
            tile_column,
            weights.block(row, output, rows, outputs),
            kernel_positions(row, rows),
            output};
}

WeightBlock small_block() {
    const Eigen::MatrixXd weights =
        (Eigen::MatrixXd(3, 2) << 0.5, -1, 0, 0.25, -0.75, 1).finished();
    return block_of(weights, 0, 3, 0, 2);
}

TileSettings settings_of(Mapping mapping, Layout layout = Layout::split,
                         Unused unused = Unused::trim, int weight_bits = 0) {
    return {.array = {8, 6},
            .mapping = mapping,
            .layout = layout,
            .unused = unused,
            .weight_bits = weight_bits,
            .device = device,
            .access = {},
            .wires = {}};
}

using FaultByCell = std::map<CellIdentity, Fault>;

/// Faults of every cell of a layer cut into tiles of this size, by what the cells mean.
FaultByCell faults_of_layer(const Eigen::MatrixXd& weights, TileSettings settings,
                            const FaultSource& source) {
    FaultByCell found;
    const Index outputs = outputs_per_tile(settings);
    for (Index r = 0, tr = 0; r < weights.rows(); r += settings.array.word_lines, ++tr)
        for (Index c = 0, tc = 0; c < weights.cols(); c += outputs, ++tc) {
            const Tile tile(
                block_of(weights, r, std::min(settings.array.word_lines, weights.rows() - r), c,
                         std::min(outputs, weights.cols() - c), tr, tc),
                settings, source);
            for (const Crossbar& array : tile.arrays())
                for (Index i = 0; i < array.shape().word_lines; ++i)
                    for (Index j = 0; j < array.shape().bit_lines; ++j) {
                        const auto cell = tile.meaning({polarity_of(array.pattern(), j), i, j});
                        REQUIRE(found.emplace(cell.identity, cell.fault).second);
                    }
        }
    return found;
}

FaultByCell weight_cells(const FaultByCell& all) {
    FaultByCell weights;
    for (const auto& [identity, fault] : all)
        if (std::holds_alternative<CellAddress>(identity)) weights.emplace(identity, fault);
    return weights;
}

/// Currents of one side, [outputs].
Eigen::VectorXd side_current(const Tile& tile, Polarity side, const Eigen::VectorXd& inputs) {
    Eigen::VectorXd current(tile.outputs());
    for (Index output = 0; output < tile.outputs(); ++output) {
        const TileColumn column = tile.column(output, side);
        const Crossbar& array = tile.arrays()[column.array];
        Eigen::VectorXd driven = Eigen::VectorXd::Zero(array.shape().word_lines);
        driven.head(inputs.size()) = inputs;
        current(output) =
            IdealSolver().solve(array, driven, Voltages::skip).current(column.bit_line, 0);
    }
    return current;
}

std::string message_of(const auto& action) {
    try {
        action();
    } catch (const InvalidInput& error) {
        return error.what();
    }
    return "nothing was thrown";
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("two-column conductances by hand") {
    const Tile tile(small_block(), settings_of(Mapping::two_column));
    REQUIRE(tile.arrays().size() == 2);
    // G = 1 uS + w 99 uS where the sign is the side's, else 1 uS.
    const CellMatrix a = 1e-6 * (CellMatrix(3, 2) << 50.5, 1, 1, 25.75, 1, 100).finished();
    const CellMatrix b = 1e-6 * (CellMatrix(3, 2) << 1, 100, 1, 1, 75.25, 1).finished();
    CHECK(tile.arrays()[0].conductance().isApprox(a, 1e-14));
    CHECK(tile.arrays()[1].conductance().isApprox(b, 1e-14));
    CHECK(tile.arrays()[0].pattern() == ColumnPattern::all_a);
    CHECK(tile.arrays()[1].pattern() == ColumnPattern::all_b);
}

TEST_CASE("differential conductances by hand, interleaved") {
    const Tile tile(small_block(), settings_of(Mapping::differential, Layout::interleaved));
    REQUIRE(tile.arrays().size() == 1);
    // Bit lines a0 b0 a1 b1; a = 1 - max(-w, 0), b = 1 - max(w, 0).
    const CellMatrix expected =
        1e-6 * (CellMatrix(3, 4) << 100, 50.5, 1, 100, 100, 100, 100, 75.25, 25.75, 100, 100, 1)
                   .finished();
    CHECK(tile.arrays()[0].conductance().isApprox(expected, 1e-14));
}

TEST_CASE("offset conductances by hand, whatever the layout") {
    for (const Layout layout : {Layout::split, Layout::interleaved}) {
        const Tile tile(small_block(), settings_of(Mapping::offset, layout));
        REQUIRE(tile.arrays().size() == 1);
        // state (w + 1) / 2
        const CellMatrix expected =
            1e-6 * (CellMatrix(3, 2) << 75.25, 1, 50.5, 62.875, 13.375, 100).finished();
        CHECK(tile.arrays()[0].conductance().isApprox(expected, 1e-14));
        CHECK_FALSE(tile.has_pairs());
    }
}

TEST_CASE("a padded array is full size and rests at HRS") {
    const Tile tile(small_block(), settings_of(Mapping::differential, Layout::split, Unused::pad));
    for (const Crossbar& array : tile.arrays()) {
        CHECK(array.shape() == ArrayShape{8, 6});
        CHECK((array.conductance().bottomRows(5).array() == device.off).all());
        CHECK((array.conductance().rightCols(4).array() == device.off).all());
    }
    CHECK(tile.arrays()[0].conductance()(1, 0) == device.on);
}

TEST_CASE("ideal column pairs read the weighted sum") {
    // I_a - I_b = (Gmax - Gmin) sum V w: Gmin cancels, in padding too.
    const Eigen::MatrixXd weights = layer_weights(8, 3);
    const Eigen::VectorXd inputs = Eigen::VectorXd::LinSpaced(8, -0.2, 0.17);
    for (const Mapping mapping : {Mapping::two_column, Mapping::differential})
        for (const Layout layout : {Layout::split, Layout::interleaved})
            for (const Unused unused : {Unused::pad, Unused::trim})
                for (const int bits : {0, 8}) {
                    const Tile tile(block_of(weights, 0, 8, 0, 3),
                                    settings_of(mapping, layout, unused, bits));
                    Eigen::MatrixXd held = weights;
                    if (bits == 8) held = (weights * 127).array().round() / 127;
                    const Eigen::VectorXd expected = (1e-4 - 1e-6) * held.transpose() * inputs;
                    const Eigen::VectorXd found = side_current(tile, Polarity::a, inputs) -
                                                  side_current(tile, Polarity::b, inputs);
                    // 8 terms of at most 2e-5 A each, rounded to 2^-53 of their sum
                    CHECK((found - expected).cwiseAbs().maxCoeff() < 1e-19);
                }
}

TEST_CASE("an ideal offset column reads the weighted sum once the common term is removed") {
    // y = 2 (I - Gmin sum V) / (Gmax - Gmin) - sum V
    const Eigen::MatrixXd weights = layer_weights(8, 6);
    const Eigen::VectorXd inputs = Eigen::VectorXd::LinSpaced(8, -0.1, 0.2);
    const Tile tile(block_of(weights, 0, 8, 0, 6), settings_of(Mapping::offset));
    const Eigen::VectorXd current = side_current(tile, Polarity::a, inputs);
    const Eigen::VectorXd y =
        (2 * (current.array() - 1e-6 * inputs.sum()) / (1e-4 - 1e-6) - inputs.sum()).matrix();
    CHECK((y - weights.transpose() * inputs).cwiseAbs().maxCoeff() < 1e-14);
}

TEST_CASE("a fault replaces what the cell conducts, never what was intended") {
    FaultMap map;
    const auto at = [](int output, int row, Polarity polarity) {
        return CellAddress{output, row / 4, row % 4 / 2, row % 2, 0, polarity};
    };
    map.set("conv1", at(0, 0, Polarity::a), Fault::stuck_on);
    map.set("conv1", at(1, 0, Polarity::b), Fault::stuck_off);
    map.set("conv1", at(0, 2, Polarity::b), Fault::open);
    map.set("conv1", PaddingCell{0, 0, 7, 5, Polarity::a}, Fault::stuck_on);
    map.set("conv2", at(0, 1, Polarity::a), Fault::stuck_on);  // of another layer
    const Tile tile(small_block(), settings_of(Mapping::two_column, Layout::split, Unused::pad),
                    map);
    const Crossbar& a = tile.arrays()[0];
    const Crossbar& b = tile.arrays()[1];
    CHECK(a.conductance()(0, 0) == device.on);
    CHECK(a.intended_conductance()(0, 0) == doctest::Approx(50.5e-6));
    CHECK(a.faults()(0, 0) == Fault::stuck_on);
    CHECK(b.conductance()(0, 1) == device.off);
    CHECK(b.intended_conductance()(0, 1) == device.on);
    CHECK(b.conductance()(2, 0) == 0);
    CHECK(b.faults()(2, 0) == Fault::open);
    CHECK(a.conductance()(7, 5) == device.on);
    CHECK(a.conductance()(1, 0) == device.off);
    int faulty = 0;
    for (const Crossbar& array : tile.arrays())
        faulty += static_cast<int>((array.faults().array() != Fault::none).count());
    CHECK(faulty == 4);
}

TEST_CASE("cells stuck where they should be conduct as intended, to the last bit") {
    const Eigen::MatrixXd weights = Eigen::MatrixXd::Zero(4, 2);
    const FaultDraw all_on{.law = {.rate = 1, .stuck_on_per_off = 1e12}};
    const Tile tile(block_of(weights, 0, 4, 0, 2), settings_of(Mapping::differential), all_on);
    for (const Crossbar& array : tile.arrays())
        CHECK(array.conductance() == array.intended_conductance());
}

TEST_CASE("the meaning of a cell names its weight") {
    const Eigen::MatrixXd weights = layer_weights(12, 9);
    const Tile tile(block_of(weights, 8, 4, 6, 3, 1, 2),
                    settings_of(Mapping::two_column, Layout::interleaved, Unused::pad, 8));
    const CellMeaning cell = tile.meaning({Polarity::b, 3, 5});
    CHECK(cell.identity == CellIdentity(CellAddress{8, 2, 1, 1, 0, Polarity::b}));
    CHECK(cell.weight == -1.0);  // the layer's last weight
    CHECK(cell.level == -127);
    CHECK(cell.state == 1);
    CHECK(cell.intended_conductance == device.on);
    CHECK(cell.conductance == device.on);
    CHECK(cell.fault == Fault::none);

    const CellMeaning padding = tile.meaning({Polarity::a, 4, 0});
    CHECK(padding.identity == CellIdentity(PaddingCell{1, 2, 4, 0, Polarity::a}));
    CHECK_FALSE(padding.weight.has_value());
    CHECK_FALSE(padding.level.has_value());
    CHECK(padding.conductance == device.off);

    const Tile continuous(small_block(), settings_of(Mapping::two_column));
    CHECK(continuous.meaning({Polarity::a, 0, 0}).weight == 0.5);
    CHECK_FALSE(continuous.meaning({Polarity::a, 0, 0}).level.has_value());
}

TEST_CASE("positions without a cell are refused") {
    const Tile split(small_block(), settings_of(Mapping::two_column));
    const Tile interleaved(small_block(), settings_of(Mapping::two_column, Layout::interleaved));
    const Tile offset(small_block(), settings_of(Mapping::offset));
    CHECK(contains(message_of([&] { (void)split.meaning({Polarity::a, 3, 0}); }), "xc_a_3_0"));
    CHECK_THROWS_AS((void)split.meaning({Polarity::b, 0, 2}), InvalidInput);
    CHECK_THROWS_AS((void)split.meaning({Polarity::a, -1, 0}), InvalidInput);
    CHECK_THROWS_AS((void)interleaved.meaning({Polarity::a, 0, 1}), InvalidInput);
    CHECK_THROWS_AS((void)offset.meaning({Polarity::b, 0, 0}), InvalidInput);
    CHECK_THROWS_AS((void)offset.column(0, Polarity::b), InvalidInput);
    CHECK_THROWS_AS((void)split.column(2, Polarity::a), InvalidInput);
    CHECK_THROWS_AS((void)split.column(-1, Polarity::a), InvalidInput);
}

TEST_CASE("weight cells keep their faults across array sizes, layouts and padding") {
    const Eigen::MatrixXd weights = layer_weights(20, 11);
    const FaultDraw draw{.law = {.rate = 0.3}, .seed = 17, .trial = 4};
    TileSettings settings = settings_of(Mapping::two_column, Layout::split, Unused::trim, 8);
    settings.array = {64, 64};
    const FaultByCell reference = weight_cells(faults_of_layer(weights, settings, draw));
    CHECK(reference.size() == 2 * 20 * 11);
    for (const Mapping mapping : {Mapping::two_column, Mapping::differential})
        for (const Layout layout : {Layout::split, Layout::interleaved})
            for (const Unused unused : {Unused::pad, Unused::trim})
                for (const ArrayShape array :
                     {ArrayShape{8, 6}, ArrayShape{5, 7}, ArrayShape{3, 2}}) {
                    settings.mapping = mapping;
                    settings.layout = layout;
                    settings.unused = unused;
                    settings.array = array;
                    CHECK(weight_cells(faults_of_layer(weights, settings, draw)) == reference);
                }
    // `offset` has the a cells alone, and they fail alike.
    settings.mapping = Mapping::offset;
    for (const auto& [identity, fault] : weight_cells(faults_of_layer(weights, settings, draw)))
        CHECK(reference.at(identity) == fault);
}

TEST_CASE("padding cells keep their faults by position, whatever the weights are") {
    const FaultDraw draw{.law = {.rate = 0.3}, .seed = 17};
    const auto padding_of = [&](const Eigen::MatrixXd& weights, Mapping mapping) {
        FaultByCell padding;
        for (const auto& [identity, fault] :
             faults_of_layer(weights, settings_of(mapping, Layout::split, Unused::pad), draw))
            if (std::holds_alternative<PaddingCell>(identity)) padding.emplace(identity, fault);
        return padding;
    };
    const auto small = padding_of(layer_weights(3, 2), Mapping::two_column);
    const auto smaller = padding_of(layer_weights(2, 2), Mapping::differential);
    CHECK(small.size() == 2 * (8 * 6 - 3 * 2));
    for (const auto& [identity, fault] : small) CHECK(smaller.at(identity) == fault);
    std::set<Fault> kinds;
    for (const auto& [identity, fault] : small) kinds.insert(fault);
    CHECK(kinds == std::set<Fault>{Fault::none, Fault::stuck_off, Fault::stuck_on});
}

TEST_CASE("an interleaved array holds half the outputs") {
    TileSettings settings = settings_of(Mapping::two_column, Layout::interleaved);
    settings.array = {8, 7};
    CHECK(outputs_per_tile(settings) == 3);
    settings.layout = Layout::split;
    CHECK(outputs_per_tile(settings) == 7);
    settings.mapping = Mapping::offset;
    settings.layout = Layout::interleaved;
    CHECK(outputs_per_tile(settings) == 7);
    settings.mapping = Mapping::differential;
    settings.array = {8, 1};
    CHECK_THROWS_AS(outputs_per_tile(settings), InvalidInput);
}

TEST_CASE("blocks that make no tile are refused by layer and tile") {
    const auto build = [](const WeightBlock& block, const TileSettings& settings) {
        return message_of([&] { Tile(block, settings); });
    };
    const TileSettings settings = settings_of(Mapping::two_column);
    WeightBlock block = small_block();
    SUBCASE("empty") {
        block.weights.resize(0, 0);
    }
    SUBCASE("too many rows") {
        block = block_of(layer_weights(9, 2), 0, 9, 0, 2);
        CHECK(contains(build(block, settings), "do not fit a 8x6 array"));
    }
    SUBCASE("too many outputs") {
        block = block_of(layer_weights(3, 7), 0, 3, 0, 7);
    }
    SUBCASE("kernel positions of another number") {
        block.inputs.pop_back();
    }
    SUBCASE("a weight beyond 1") {
        block.weights(0, 0) = 1.0000001;
    }
    SUBCASE("a weight that is no number") {
        block.weights(0, 0) = std::numeric_limits<double>::quiet_NaN();
    }
    CHECK(contains(build(block, settings), "layer conv1 tile 0,0"));
}

TEST_CASE("settings that make no tile are refused") {
    TileSettings settings = settings_of(Mapping::two_column);
    SUBCASE("no window") {
        settings.device = {1e-6, 1e-4};
    }
    SUBCASE("one bit") {
        settings.weight_bits = 1;
    }
    SUBCASE("negative bits") {
        settings.weight_bits = -8;
    }
    SUBCASE("negative wire") {
        settings.wires.word_line_segment = -1.0;
    }
    CHECK_THROWS_AS(Tile(small_block(), settings), InvalidInput);
}

TEST_CASE("a fault law that is none is refused by the tile") {
    const FaultDraw draw{.law = {.rate = std::numeric_limits<double>::quiet_NaN()}};
    CHECK(contains(message_of([&] { Tile(small_block(), settings_of(Mapping::two_column), draw); }),
                   "fault rate"));
}

TEST_CASE("words for unused cells read back, others are refused") {
    for (const Unused unused : {Unused::pad, Unused::trim})
        CHECK(parse_unused(to_string(unused)) == unused);
    CHECK_THROWS_AS(parse_unused("cut"), InvalidInput);
}

TEST_CASE(
    "the bit lines that are read are the first: one per output, two where pairs share an array") {
    const Index outputs = small_block().weights.cols();
    CHECK(Tile(small_block(), settings_of(Mapping::two_column)).read_bit_lines() == outputs);
    CHECK(Tile(small_block(), settings_of(Mapping::two_column, Layout::interleaved))
              .read_bit_lines() == 2 * outputs);
    CHECK(Tile(small_block(), settings_of(Mapping::offset, Layout::interleaved)).read_bit_lines() ==
          outputs);
}

TEST_CASE("given arrays stand for what faults, laws and settings would make of a tile") {
    TileSettings settings;
    settings.array = {3, 4};
    settings.device = device;
    WeightBlock block = block_of(layer_weights(3, 2), 0, 3, 0, 2);
    block.tile_row = 5;
    const Tile built(block, settings, FaultDraw{{0.5, 1.0}, 1, 0});
    Wires wires;
    wires.word_line_segment = 7;
    std::vector<Crossbar> arrays;
    for (const Crossbar& array : built.arrays())
        arrays.emplace_back(CellMatrix::Constant(3, 4, 3e-5), wires, array.pattern());
    GivenArrays given;
    given.set({block.layer, 5, block.tile_column, 0}, arrays);

    const Tile tile(block, settings, FaultDraw{{0.5, 1.0}, 1, 0}, std::nullopt, &given);
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK(tile.arrays()[i].conductance() == CellMatrix::Constant(3, 4, 3e-5));
        CHECK(tile.arrays()[i].intended_conductance() == built.arrays()[i].intended_conductance());
        CHECK(tile.arrays()[i].wires() == wires);
        CHECK((tile.arrays()[i].faults().array() == Fault::none).all());
    }
    block.tile_row = 4;  // another tile of the layer
    CHECK(Tile(block, settings, std::nullopt, std::nullopt, &given).arrays()[0].wires() == Wires{});

    block.tile_row = 5;
    settings.array = {3, 5};
    CHECK_THROWS_AS((void)Tile(block, settings, std::nullopt, std::nullopt, &given), InvalidInput);
    settings.array = {3, 4};
    settings.layout = Layout::interleaved;
    CHECK_THROWS_AS((void)Tile(block, settings, std::nullopt, std::nullopt, &given), InvalidInput);
}

TEST_CASE("a memory element keeps its access device, whatever befalls it") {
    WeightBlock block;
    block.layer = "fc";
    block.weights = Eigen::MatrixXd::Constant(1, 1, 1.0);
    block.inputs = {{0, 0, 0}};
    TileSettings settings;
    settings.array = {1, 1};
    settings.unused = Unused::trim;
    settings.access = {1e3, true};
    // Compensated: a working cell shows 1e-4 S exactly, and so does one that is stuck on.
    CHECK(Tile(block, settings).arrays()[0].conductance()(0, 0) == 1e-4);
    const FaultDraw all_on{{1.0, 1e12}, 1, 0};
    CHECK(Tile(block, settings, FaultSource(all_on)).arrays()[0].conductance()(0, 0) == 1e-4);
    // Not: 1e-4 / (1 + 0.1), intended still 1e-4 S.
    settings.access.precompensate = false;
    const Tile bare(block, settings);
    CHECK(bare.arrays()[0].conductance()(0, 0) == doctest::Approx(1e-4 / 1.1).epsilon(1e-15));
    CHECK(bare.arrays()[0].intended_conductance()(0, 0) == 1e-4);
    CHECK(Tile(block, settings, FaultSource(all_on)).arrays()[0].conductance()(0, 0) ==
          doctest::Approx(1e-4 / 1.1).epsilon(1e-15));
    // Drift by 10^-0.1 of the element, 1e-4 / 0.9 S, which the resistor in series softens.
    settings.access.precompensate = true;
    DeviceDraw draw;
    draw.laws.drift_nu = 0.1;
    draw.laws.time_ratio = 10;
    const double element = 1e-4 / 0.9 * std::pow(10, -0.1);
    CHECK(Tile(block, settings, std::nullopt, draw).arrays()[0].conductance()(0, 0) ==
          doctest::Approx(element / (1 + element * 1e3)).epsilon(1e-13));
    settings.access.resistance = 15e3;
    CHECK_THROWS_WITH_AS((void)Tile(block, settings), doctest::Contains("target of 100 uS"),
                         InvalidInput);
}
