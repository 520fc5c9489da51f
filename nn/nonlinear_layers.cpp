// Per tile and input: Kirchhoff's laws of the whole array (docs/methods/nonlinear-cells.md), then
// y_j = (I_a,j - I_b,j) / (V_r (G_on - G_off)), which is what a linear tile's operator gives.
#include "nn/nonlinear_layers.hpp"

#include <fmt/format.h>
#include <tbb/enumerable_thread_specific.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <mutex>
#include <string_view>
#include <unordered_map>

#include "circuit/error.hpp"
#include "circuit/read_point.hpp"
#include "nn/detail/converter_codes.hpp"
#include "nn/tiling.hpp"

namespace kirchnet {
namespace {

/// Inputs solved together: enough for the engine's lanes and its work per array, few enough that
/// all threads have some.
constexpr Index batch_size = 64;

/// The different inputs of a tile, and which of them each position has.
struct DistinctInputs {
    static constexpr Index none = -1;
    PositionMatrix inputs;     ///< [rows × distinct]
    std::vector<Index> which;  ///< [positions], `none` where all inputs are 0
};

DistinctInputs distinct_inputs(const Eigen::Ref<const PositionMatrix>& fractions) {
    // A column's values lie together, so that it can be told from others as bytes.
    const Eigen::MatrixXf columns = (fractions.array() + 0.0F).matrix();  // -0 becomes 0
    const auto size = static_cast<std::size_t>(columns.rows()) * sizeof(float);
    std::unordered_map<std::string_view, Index> found;
    std::vector<Index> first;
    DistinctInputs result;
    for (Index k = 0; k < columns.cols(); ++k) {
        if ((columns.col(k).array() == 0).all()) {
            result.which.push_back(DistinctInputs::none);
            continue;
        }
        const std::string_view bytes(reinterpret_cast<const char*>(columns.col(k).data()), size);
        const auto [place, is_new] = found.emplace(bytes, static_cast<Index>(first.size()));
        if (is_new) first.push_back(k);
        result.which.push_back(place->second);
    }
    result.inputs.resize(columns.rows(), static_cast<Index>(first.size()));
    for (std::size_t i = 0; i < first.size(); ++i)
        result.inputs.col(static_cast<Index>(i)) = columns.col(first[i]);
    return result;
}

/// Inputs [first, first + count) of one tile.
struct Batch {
    std::size_t tile;
    Index first;
    Index count;
};

std::vector<Batch> list_batches(const std::vector<DistinctInputs>& inputs) {
    std::vector<Batch> batches;
    for (std::size_t tile = 0; tile < inputs.size(); ++tile) {
        const Index all = inputs[tile].inputs.cols();
        for (Index first = 0; first < all; first += batch_size)
            batches.push_back({tile, first, std::min(batch_size, all - first)});
    }
    return batches;
}

/// Every position's output from those of the distinct inputs.
PositionMatrix spread(const DistinctInputs& inputs, const PositionMatrix& outputs) {
    PositionMatrix all =
        PositionMatrix::Zero(outputs.rows(), static_cast<Index>(inputs.which.size()));
    for (Index k = 0; k < all.cols(); ++k)
        if (const Index i = inputs.which[static_cast<std::size_t>(k)]; i != DistinctInputs::none)
            all.col(k) = outputs.col(i);
    return all;
}

TileOperator place_of(const Tile& tile, const LayerGeometry& geometry) {
    TileOperator place;
    place.first_output = static_cast<std::size_t>(tile.block().first_output_channel);
    place.group = place.first_output / geometry.outputs_per_group();
    place.first_row =
        static_cast<std::size_t>(tile.block().tile_row * tile.settings().array.word_lines);
    place.rows = static_cast<std::size_t>(tile.rows());
    place.outputs = static_cast<std::size_t>(tile.outputs());
    return place;
}

/// sum += lsb * code(product), as `ProductKernels::add_converted` does it.
void add_converted(const PositionMatrix& products, const Adc& adc, Eigen::Ref<PositionMatrix> sum,
                   AdcCount& count) {
    if (adc.bits == 0) {
        sum += products;
        return;
    }
    const detail::AdcCodes codes = detail::codes_of(adc);
    for (Index i = 0; i < products.rows(); ++i)
        for (Index k = 0; k < products.cols(); ++k) {
            const float code = products(i, k) * codes.inverse_lsb + 0.5F;
            count.clipped += code < codes.lowest || code >= codes.highest + 1 ? 1 : 0;
            sum(i, k) += std::floor(std::clamp(code, codes.lowest, codes.highest)) * codes.lsb;
        }
    count.samples += static_cast<std::uint64_t>(products.size());
}

/// Conversion and accumulation: [outputs × positions].
PositionMatrix add_tiles(const LayerDriver& driver, const std::vector<PositionMatrix>& products,
                         AdcCount& count) {
    PositionMatrix sum = PositionMatrix::Zero(static_cast<Index>(driver.geometry.output.channels),
                                              products.front().cols());
    for (const std::size_t i : driver.order) {
        const TileOperator& tile = driver.operators.tiles[i];
        add_converted(
            products[i], driver.adc,
            sum.middleRows(static_cast<Index>(tile.first_output), static_cast<Index>(tile.outputs)),
            count);
    }
    return sum;
}

/// Σx of each group, times the driver's factor: [groups × positions], or empty where not needed.
PositionMatrix input_sums(const LayerDriver& driver, const std::vector<PositionMatrix>& fractions) {
    if (driver.operators.input_sum == 0) return {};
    PositionMatrix sums(static_cast<Index>(fractions.size()), fractions.front().cols());
    for (std::size_t group = 0; group < fractions.size(); ++group)
        sums.row(static_cast<Index>(group)) =
            driver.operators.input_sum * fractions[group].colwise().sum();
    return sums;
}

}  // namespace

SolveEffort& SolveEffort::operator+=(const SolveEffort& other) {
    points += other.points;
    solved += other.solved;
    iterations += other.iterations;
    residual = std::max(residual, other.residual);
    seconds += other.seconds;
    return *this;
}

NonlinearLayer::NonlinearLayer(const Graph& graph, std::size_t layer, const TileSettings& settings,
                               const std::optional<FaultSource>& faults,
                               const NonlinearCells& cells)
    : name_(graph.layer_name(layer)),
      read_voltage_(cells.read_voltage),
      span_(settings.device.span()) {
    const LayerTiling tiling = tile_layer(graph, layer, settings);
    for (Index column = 0; column < tiling.column_tiles; ++column)
        for (Index row = 0; row < tiling.row_tiles; ++row) {
            const Tile tile(weight_block(graph, layer, settings, row, column), settings, faults);
            TileArrays& arrays = arrays_.emplace_back();
            for (const Crossbar& array : tile.arrays())
                arrays.arrays.push_back(exact_at(array, cells.law, cells.read_voltage));
            for (Index j = 0; j < tile.outputs(); ++j) {
                arrays.positive.push_back(tile.column(j, Polarity::a));
                if (tile.has_pairs()) arrays.negative.push_back(tile.column(j, Polarity::b));
            }
            places_.push_back(place_of(tile, graph.geometry(layer)));
        }
}

std::size_t NonlinearLayer::arrays() const {
    std::size_t count = 0;
    for (const TileArrays& tile : arrays_) count += tile.arrays.size();
    return count;
}

std::vector<Eigen::MatrixXd> NonlinearLayer::currents_of(std::size_t number,
                                                         const PositionMatrix& inputs,
                                                         OperatingPointSolver& engine,
                                                         SolveEffort& effort) const {
    std::vector<Eigen::MatrixXd> currents;
    for (const Crossbar& array : arrays_[number].arrays) {
        Eigen::MatrixXd voltages = Eigen::MatrixXd::Zero(array.shape().word_lines, inputs.cols());
        voltages.topRows(inputs.rows()) = read_voltage_ * inputs.cast<double>();
        const OperatingPoint point = engine.solve(array, voltages, Voltages::skip);
        if (!point.current.allFinite())
            throw Error(fmt::format(
                "layer {} tile {} of {}: engine {} finds no operating point of an input", name_,
                number + 1, places_.size(), engine.name()));
        currents.push_back(point.current);
        effort.solved += static_cast<std::uint64_t>(inputs.cols());
        effort.residual = std::max(effort.residual, point.residual);
        for (const int iterations : point.iterations)
            effort.iterations += static_cast<std::uint64_t>(iterations);
    }
    return currents;
}

PositionMatrix NonlinearLayer::read_batch(std::size_t number, const PositionMatrix& inputs,
                                          OperatingPointSolver& engine, SolveEffort& effort) const {
    const TileArrays& tile = arrays_[number];
    const auto currents = currents_of(number, inputs, engine, effort);
    PositionMatrix outputs(static_cast<Index>(tile.positive.size()), inputs.cols());
    for (Index j = 0; j < outputs.rows(); ++j) {
        const TileColumn a = tile.positive[static_cast<std::size_t>(j)];
        Eigen::RowVectorXd difference = currents[a.array].row(a.bit_line);
        if (!tile.negative.empty()) {
            const TileColumn b = tile.negative[static_cast<std::size_t>(j)];
            difference -= currents[b.array].row(b.bit_line);
        }
        outputs.row(j) = (difference / (read_voltage_ * span_)).cast<float>();
    }
    return outputs;
}

std::vector<PositionMatrix> NonlinearLayer::read(const std::vector<PositionMatrix>& fractions,
                                                 const SolverFactory& engine, SolveEffort& effort,
                                                 const PointsDone& done) const {
    const auto start = std::chrono::steady_clock::now();
    std::vector<DistinctInputs> inputs;
    std::vector<PositionMatrix> outputs;
    for (const TileOperator& place : places_) {
        inputs.push_back(distinct_inputs(fractions[place.group].middleRows(
            static_cast<Index>(place.first_row), static_cast<Index>(place.rows))));
        outputs.emplace_back(static_cast<Index>(place.outputs), inputs.back().inputs.cols());
    }
    SolveEffort total;
    std::mutex mutex;
    tbb::enumerable_thread_specific<std::unique_ptr<OperatingPointSolver>> engines(engine);
    const std::vector<Batch> batches = list_batches(inputs);
    tbb::parallel_for(std::size_t{0}, batches.size(), [&](std::size_t i) {
        const auto [tile, first, count] = batches[i];
        SolveEffort spent;
        outputs[tile].middleCols(first, count) =
            read_batch(tile, inputs[tile].inputs.middleCols(first, count), *engines.local(), spent);
        const std::scoped_lock lock(mutex);
        total += spent;
        if (done) done(spent.solved);
    });
    total.points = static_cast<std::uint64_t>(fractions.front().cols()) * arrays();
    if (done && total.points > total.solved) done(total.points - total.solved);
    std::vector<PositionMatrix> all;
    for (std::size_t tile = 0; tile < inputs.size(); ++tile)
        all.push_back(spread(inputs[tile], outputs[tile]));
    total.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    effort += total;
    return all;
}

std::vector<PositionMatrix> input_fractions(const LayerDriver& driver, const FeatureMaps& in) {
    FeatureMaps converted = in;
    if (driver.dac.bits == 0)
        for (float& x : converted.values) x *= static_cast<float>(1 / driver.dac.range);
    else
        detail::product_kernels().convert(in.values.data(), in.values.size(),
                                          detail::codes_of(driver.dac), converted.values.data());
    const LayerGeometry& geometry = driver.geometry;
    const std::size_t rows = geometry.rows_per_group();
    const std::size_t columns = in.images * geometry.positions();
    std::vector<PositionMatrix> fractions;
    std::vector<float> patches;
    for (std::size_t group = 0; group < geometry.groups; ++group) {
        gather_patches(geometry, converted, group, 0, rows, patches);
        fractions.emplace_back(Eigen::Map<const PositionMatrix>(
            patches.data(), static_cast<Index>(rows), static_cast<Index>(columns)));
    }
    return fractions;
}

void finish_layer(const LayerDriver& driver, const std::vector<PositionMatrix>& fractions,
                  const std::vector<PositionMatrix>& products, const DigitalTail& tail,
                  FeatureMaps& out, AdcCount& count) {
    const PositionMatrix sum = add_tiles(driver, products, count);
    const PositionMatrix shared = input_sums(driver, fractions);
    out.resize(driver.geometry.output,
               static_cast<std::size_t>(sum.cols()) / driver.geometry.positions());
    for (Index j = 0; j < sum.rows(); ++j) {
        const auto channel = static_cast<std::size_t>(j);
        Eigen::Map<Eigen::ArrayXf> target(out.channel(channel), sum.cols());
        target = driver.operators.gain * sum.row(j).transpose().array();
        if (shared.size() > 0)
            target += shared.row(j / static_cast<Index>(driver.geometry.outputs_per_group()))
                          .transpose()
                          .array();
        target *= driver.column_scale[channel];
        if (!driver.bias.empty()) target += driver.bias[channel];
        if (!tail.norm.empty())
            target = target * tail.norm[channel].scale + tail.norm[channel].shift;
        if (tail.rectify) target = target.max(0.0F);
    }
}

}  // namespace kirchnet
