// Decks hold the network's own converters: the codes that ngspice finds in the decks of a layer's
// tiles, put together by the layer's sum, are the outputs that inference computes.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>

#include "circuit/error.hpp"
#include "netlists/netlist_writer.hpp"
#include "netlists/ngspice_session.hpp"
#include "nn/arm.hpp"
#include "nn/tiling.hpp"
#include "solver/transfer_solver.hpp"
#include "tests/nn/small_networks.hpp"
#include "tools/input/deck_converters.hpp"

using namespace kirchnet;
using namespace kirchnet::test;

namespace {

constexpr std::size_t inputs = 12;
constexpr std::size_t outputs = 5;

Network one_layer() {
    Network network;
    network.name = "one layer";
    network.input = {inputs, 1, 1};
    network.mean.assign(inputs, 0.0F);
    network.deviation.assign(inputs, 1.0F);
    network.nodes = {{"image", InputOp{}, {}},
                     {"fc", LinearOp{random_tensor({outputs, inputs}, 4), {}}, {"image"}}};
    return network;
}

Experiment experiment_with(const std::vector<std::pair<std::string, std::string>>& settings) {
    Experiment e;
    for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{
             {"array.size", "8x8"},
             {"array.segment", "20"},
             {"readout.kind", "opamp"},
             {"readout.converters", "true"},
             {"readout.feedback", "1500"},
             {"readout.gain", "2000"},
             {"readout.offset_deviation", "1e-3"},
             {"converters.adc_bits", "6"},
             {"converters.adc_offset", "0.3"},
             {"converters.adc_gain", "1.1"},
             {"converters.adc_inl", "0,1.5,-1,0.25"},
             {"converters.adc_noise", "1.25"},
             {"converters.adc_offset_deviation", "0.7"},
             {"converters.adc_gain_deviation", "0.05"},
             {"converters.columns_per_adc", "2"},
             {"readout.hold_capacitance", "5f"},
             {"readout.pedestal", "2m"},
             {"readout.hold_time", "1n"},
             {"readout.droop_time", "20n"},
             {"faults.seed", "11"}})
        set_key(e, key, value);
    for (const auto& [key, value] : settings) set_key(e, key, value);
    return e;
}

ArmSettings arm_of(const Experiment& e, Mapping mapping) {
    ArmSettings arm{{e.tile_settings(mapping)}, Operators::circuit, e.converter_settings()};
    arm.chip.readout = e.linear_readout();
    return arm;
}

Drivers drivers_of(const Graph& graph, const ArmSettings& arm, const LabelledImages& images) {
    const SolverFactory engine = [] { return std::make_unique<TransferSolver>(); };
    const BeginStep silent;
    ArmRunner runner(graph, images, images, engine, silent);
    ExtractedOperators operators = runner.extract(arm, "");
    const Calibration ranges = runner.fit(arm, operators.layers, "");
    return make_drivers(graph, std::move(operators.layers), ranges, arm.converters);
}

/// Codes of one tile from its deck, [outputs], of both sides where they are converted apart.
Eigen::MatrixXd deck_codes(const Tile& tile, const Eigen::VectorXd& voltages,
                           const LinearReadout& readout, double lowest) {
    TileDeckSettings deck;
    deck.readout = Readout::opamp;
    deck.amplifiers = readout;
    const bool is_apart = tile.has_pairs() && !tile.has_subtractors();
    std::vector<std::string> wanted;
    for (Index j = 0; j < tile.outputs(); ++j)
        if (is_apart)
            for (const char side : {'a', 'b'}) wanted.push_back(fmt::format("code_{}_{}", side, j));
        else
            wanted.push_back(fmt::format("code_{}", j));
    const auto found = run_operating_point(write_tile_deck(tile, voltages, deck), wanted);
    Eigen::MatrixXd codes = Eigen::MatrixXd::Zero(tile.outputs(), 2);
    for (Index j = 0; j < tile.outputs(); ++j)
        for (Index side = 0; side < (is_apart ? 2 : 1); ++side)
            codes(j, side) =
                found.at(wanted[static_cast<std::size_t>(is_apart ? 2 * j + side : j)]) + lowest;
    return codes;
}

/// The layer's outputs for one image: inference against the decks of all its tiles.
void check_layer(const Experiment& e, Mapping mapping, std::size_t image) {
    const Graph graph(one_layer());
    const LabelledImages images = random_images(graph.network().input, 6);
    const ArmSettings arm = arm_of(e, mapping);
    const LayerDriver driver = drivers_of(graph, arm, images).front();
    FeatureMaps in;
    load_images(graph.network(), images, 0, images.size(), in);
    FeatureMaps out;
    DriverWorkspace workspace;
    AdcCount count;
    run_layer(driver, in, out, workspace, count);

    const ExperimentImages both{images, images, {}};
    LinearReadout readout = *e.linear_readout();
    readout.circuit.adc = network_converters(graph, e, arm.chip.tile, &both).front();
    const LayerOperators& layer = driver.operators;
    Eigen::VectorXd sum = Eigen::VectorXd::Zero(outputs);
    double of_inputs = 0;
    for (const TilePlace& place : tile_places(tile_layer(graph, 0, arm.chip.tile))) {
        const Tile tile(weight_block(graph, 0, arm.chip.tile, place.row, place.column, place.slice),
                        arm.chip.tile);
        const auto first = static_cast<std::size_t>(place.row) * 8;
        for (std::size_t read = 0; read < driver.reads.size(); ++read) {
            Eigen::VectorXd fractions(tile.rows());
            for (Index r = 0; r < tile.rows(); ++r)
                fractions(r) = dac_fraction(
                    driver.dac, driver.reads[read],
                    static_cast<double>(in.channel(first + static_cast<std::size_t>(r))[image]));
            readout.reading = {image, 0, static_cast<std::uint32_t>(read)};
            const auto slice = static_cast<std::size_t>(place.slice);
            const Adc& adc = driver.adc[slice];
            const Eigen::MatrixXd codes =
                deck_codes(tile, e.read_voltage * fractions, readout, adc.lowest_code());
            const double weight = driver.reads[read].weight * layer.slices[slice].weight;
            sum.segment(tile.block().first_output_channel, tile.outputs()) +=
                weight * adc.lsb() * (codes.col(0) - codes.col(1));
            if (slice == 0 && place.column == 0)
                of_inputs += driver.reads[read].weight * driver.full_scale() * fractions.sum();
        }
    }
    const double whole = layer.largest * (driver.samples_once() ? 1.0 : driver.dac.levels());
    for (std::size_t j = 0; j < outputs; ++j) {
        const double expected = layer.scale * driver.dac.range / whole *
                                (sum(static_cast<Index>(j)) + layer.input_weight * of_inputs);
        // Sums of a few codes in float32; one code more or less is 0.1 % and above.
        CHECK(static_cast<double>(out.channel(j)[image]) ==
              doctest::Approx(expected).epsilon(2e-5));
    }
}

}  // namespace

TEST_CASE("the converters of a layer's decks give the codes that inference sums") {
    check_layer(experiment_with({}), Mapping::two_column, 0);
    check_layer(experiment_with({}), Mapping::differential, 3);
    check_layer(experiment_with({}), Mapping::offset, 2);
    check_layer(experiment_with({{"readout.subtractor", "current_mode"}}), Mapping::two_column, 1);
    check_layer(experiment_with({{"converters.subtract", "after"}}), Mapping::two_column, 4);
}

TEST_CASE("so do those of sliced weights and of inputs read digit by digit") {
    check_layer(experiment_with({{"mapping.bits_per_cell", "4"},
                                 {"converters.input_bits", "6"},
                                 {"converters.dac_bits", "3"},
                                 {"converters.adc_range", "full"}}),
                Mapping::two_column, 1);
}

TEST_CASE("each of the errors tells in the deck, and without them converters are ideal") {
    const Graph graph(one_layer());
    const LabelledImages images = random_images(graph.network().input, 6);
    const ExperimentImages both{images, images, {}};
    const Experiment e = experiment_with({});
    const TileSettings settings = e.tile_settings(Mapping::two_column);
    const OutputAdc adc = network_converters(graph, e, settings, &both).front();
    const Tile tile(weight_block(graph, 0, settings, 0, 0), settings);
    const Eigen::VectorXd voltages = Eigen::VectorXd::Constant(tile.rows(), 0.1);
    LinearReadout readout = *e.linear_readout();
    readout.circuit.adc = adc;
    const auto codes = [&](auto change) {
        LinearReadout changed = readout;
        change(changed);
        return deck_codes(tile, voltages, changed, 0);
    };
    const auto all = codes([](LinearReadout&) {});
    CHECK(all != codes([](LinearReadout& r) { r.circuit.adc.errors.offset += 2; }));
    CHECK(all != codes([](LinearReadout& r) { r.circuit.adc.errors.gain = 2; }));
    CHECK(all != codes([](LinearReadout& r) { r.circuit.adc.errors.inl = {5, 5}; }));
    CHECK(all != codes([](LinearReadout& r) { r.circuit.adc.errors.noise = 5; }));
    CHECK(all != codes([](LinearReadout& r) { r.reading.image = 1; }));
    CHECK(all != codes([](LinearReadout& r) { r.circuit.adc.errors.offset_deviation = 5; }));
    CHECK(all != codes([](LinearReadout& r) { r.trial = 3; }));
    CHECK(all != codes([](LinearReadout& r) { r.circuit.hold.pedestal = 0.1; }));
}

TEST_CASE("decks without images need a range that takes none") {
    const Graph graph(one_layer());
    Experiment e = experiment_with({});
    const TileSettings settings = e.tile_settings(Mapping::two_column);
    CHECK_THROWS_WITH_AS((void)network_converters(graph, e, settings, nullptr),
                         doctest::Contains("--data"), InvalidInput);
    // manual: share of word lines, all at LRS and the full read voltage: 0.5 · 8 · 100 uS · 0.2 V
    set_key(e, "converters.adc_range", "manual");
    set_key(e, "converters.adc_full_scale", "0.5");
    const OutputAdc adc = network_converters(graph, e, settings, nullptr).front();
    CHECK(adc.adc.front().range == doctest::Approx(80e-6));
    CHECK(adc.adc.front().bits == 6);
    CHECK(adc.adc.front().is_signed);
}
