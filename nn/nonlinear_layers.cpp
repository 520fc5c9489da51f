// Per tile, read and input: Kirchhoff's laws of the whole array (docs/methods/nonlinear-cells.md),
// then y_j = (I_a,j - I_b,j) / (V_r (G_on - G_off)) in the units of a linear tile's operator.
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

/// Per read and tile.
std::vector<DistinctInputs> distinct_inputs(const std::vector<ReadInputs>& reads,
                                            const std::vector<TileOperator>& places,
                                            std::size_t rows_per_group) {
    std::vector<DistinctInputs> inputs;
    for (const ReadInputs& read : reads)
        for (const TileOperator& place : places)
            inputs.push_back(distinct_inputs(read.values.middleRows(
                static_cast<Index>(place.group * rows_per_group + place.first_row),
                static_cast<Index>(place.rows))));
    return inputs;
}

/// Inputs [first, first + count) of one tile in one read.
struct Batch {
    std::size_t of;
    Index first;
    Index count;
};

std::vector<Batch> list_batches(const std::vector<DistinctInputs>& inputs) {
    std::vector<Batch> batches;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const Index all = inputs[i].inputs.cols();
        for (Index first = 0; first < all; first += batch_size)
            batches.push_back({i, first, std::min(batch_size, all - first)});
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

}  // namespace

SolveEffort& SolveEffort::operator+=(const SolveEffort& other) {
    points += other.points;
    solved += other.solved;
    iterations += other.iterations;
    residual = std::max(residual, other.residual);
    seconds += other.seconds;
    return *this;
}

NonlinearLayer::NonlinearLayer(const Graph& graph, std::size_t layer, const ChipSettings& chip,
                               const NonlinearCells& cells)
    : name_(graph.layer_name(layer)),
      read_voltage_(cells.read_voltage),
      span_(chip.tile.device.span()),
      reads_sides_(has_column_pair(chip.tile.mapping) &&
                   chip.tile.subtraction == Subtraction::after),
      rows_per_group_(graph.geometry(layer).rows_per_group()) {
    for (const TilePlace& place : tile_places(tile_layer(graph, layer, chip.tile))) {
        const Tile tile(weight_block(graph, layer, chip.tile, place.row, place.column, place.slice),
                        chip.tile, chip.faults, chip.devices, chip.given.get());
        TileArrays& arrays = arrays_.emplace_back();
        for (const Crossbar& array : tile.arrays())
            arrays.arrays.push_back(exact_at(array, cells.law, cells.read_voltage));
        for (Index j = 0; j < tile.outputs(); ++j) {
            arrays.positive.push_back(tile.column(j, Polarity::a));
            if (tile.has_pairs()) arrays.negative.push_back(tile.column(j, Polarity::b));
        }
        arrays.unit = entry_unit(tile);
        places_.push_back(place_of(graph.geometry(layer), tile));
    }
}

std::size_t NonlinearLayer::arrays() const {
    std::size_t count = 0;
    for (const TileArrays& tile : arrays_) count += tile.arrays.size();
    return count;
}

Index NonlinearLayer::samples_of(std::size_t number) const {
    return static_cast<Index>(places_[number].outputs) * (reads_sides_ ? 2 : 1);
}

TileSamples NonlinearLayer::split_sides(PositionMatrix samples) const {
    if (!reads_sides_) return {std::move(samples), {}};
    const Index outputs = samples.rows() / 2;
    return {samples.topRows(outputs), samples.bottomRows(outputs)};
}

std::vector<Eigen::MatrixXd> NonlinearLayer::currents_of(std::size_t number,
                                                         const Eigen::MatrixXd& voltages,
                                                         OperatingPointSolver& engine,
                                                         SolveEffort& effort) const {
    std::vector<Eigen::MatrixXd> currents;
    for (const Crossbar& array : arrays_[number].arrays) {
        Eigen::MatrixXd driven = Eigen::MatrixXd::Zero(array.shape().word_lines, voltages.cols());
        driven.topRows(voltages.rows()) = voltages;
        const OperatingPoint point = engine.solve(array, driven, Voltages::skip);
        if (!point.current.allFinite())
            throw Error(fmt::format(
                "layer {} tile {} of {}: engine {} finds no operating point of an input", name_,
                number + 1, places_.size(), engine.name()));
        currents.push_back(point.current);
        effort.solved += static_cast<std::uint64_t>(voltages.cols());
        effort.residual = std::max(effort.residual, point.residual);
        for (const int iterations : point.iterations)
            effort.iterations += static_cast<std::uint64_t>(iterations);
    }
    return currents;
}

PositionMatrix NonlinearLayer::read_batch(std::size_t number, const ReadInputs& inputs,
                                          OperatingPointSolver& engine, SolveEffort& effort) const {
    const TileArrays& tile = arrays_[number];
    const Eigen::MatrixXd voltages =
        read_voltage_ / inputs.full_scale * inputs.values.cast<double>();
    const auto currents = currents_of(number, voltages, engine, effort);
    const double per_ampere = tile.unit * inputs.full_scale / (read_voltage_ * span_);
    const auto outputs = static_cast<Index>(tile.positive.size());
    PositionMatrix samples(samples_of(number), inputs.values.cols());
    for (Index j = 0; j < outputs; ++j) {
        const TileColumn a = tile.positive[static_cast<std::size_t>(j)];
        Eigen::RowVectorXd current = currents[a.array].row(a.bit_line);
        if (!tile.negative.empty()) {
            const TileColumn b = tile.negative[static_cast<std::size_t>(j)];
            const auto other = currents[b.array].row(b.bit_line);
            if (reads_sides_)
                samples.row(outputs + j) = (per_ampere * other).cast<float>();
            else
                current -= other;
        }
        samples.row(j) = (per_ampere * current).cast<float>();
    }
    return samples;
}

LayerSamples NonlinearLayer::read(const std::vector<ReadInputs>& inputs,
                                  const SolverFactory& engine, SolveEffort& effort,
                                  const PointsDone& done) const {
    const auto start = std::chrono::steady_clock::now();
    const std::size_t tiles = places_.size();
    const auto distinct = distinct_inputs(inputs, places_, rows_per_group_);
    std::vector<PositionMatrix> samples;
    for (std::size_t i = 0; i < distinct.size(); ++i)
        samples.emplace_back(samples_of(i % tiles), distinct[i].inputs.cols());
    SolveEffort total;
    std::mutex mutex;
    tbb::enumerable_thread_specific<std::unique_ptr<OperatingPointSolver>> engines(engine);
    const std::vector<Batch> batches = list_batches(distinct);
    tbb::parallel_for(std::size_t{0}, batches.size(), [&](std::size_t i) {
        const auto [of, first, count] = batches[i];
        const ReadInputs batch{distinct[of].inputs.middleCols(first, count),
                               inputs[of / tiles].full_scale};
        SolveEffort spent;
        samples[of].middleCols(first, count) =
            read_batch(of % tiles, batch, *engines.local(), spent);
        const std::scoped_lock lock(mutex);
        total += spent;
        if (done) done(spent.solved);
    });
    total.points =
        static_cast<std::uint64_t>(inputs.front().values.cols()) * inputs.size() * arrays();
    if (done && total.points > total.solved) done(total.points - total.solved);
    LayerSamples all(inputs.size());
    for (std::size_t i = 0; i < samples.size(); ++i)
        all[i / tiles].push_back(split_sides(spread(distinct[i], samples[i])));
    total.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    effort += total;
    return all;
}

}  // namespace kirchnet
