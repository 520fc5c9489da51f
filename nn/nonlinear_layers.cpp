// Per tile, read and input: Kirchhoff's laws of the whole array (docs/methods/nonlinear-cells.md),
// then y_j = (I_a,j - I_b,j) / (V_r (G_on - G_off)) in the units of a linear tile's operator. Of
// amplifiers with their swing (docs/methods/read-out.md) y_j is v_j over R_f (G_on - G_off) V_r.
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
#include "nn/detail/readout_fold.hpp"
#include "nn/detail/readout_swing.hpp"
#include "nn/tiling.hpp"

namespace kirchnet {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Inputs solved together: enough for the engine's lanes and its work per array, few enough that
/// all threads have some.
constexpr Index batch_size = 64;

/// The different inputs of a tile, and which of them each position has.
struct DistinctInputs {
    static constexpr Index none = -1;
    PositionMatrix inputs;     ///< [rows × distinct]
    std::vector<Index> which;  ///< [positions], `none` where all inputs are 0
};

/// @param keep_zeros  inputs of zeros are inputs like others
DistinctInputs distinct_inputs(const Eigen::Ref<const PositionMatrix>& fractions, bool keep_zeros) {
    // A column's values lie together, so that it can be told from others as bytes.
    const Eigen::MatrixXf columns = (fractions.array() + 0.0F).matrix();  // -0 becomes 0
    const auto size = static_cast<std::size_t>(columns.rows()) * sizeof(float);
    std::unordered_map<std::string_view, Index> found;
    std::vector<Index> first;
    DistinctInputs result;
    for (Index k = 0; k < columns.cols(); ++k) {
        if (!keep_zeros && (columns.col(k).array() == 0).all()) {
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
                                            std::size_t rows_per_group, bool keep_zeros) {
    std::vector<DistinctInputs> inputs;
    for (const ReadInputs& read : reads)
        for (const TileOperator& place : places)
            inputs.push_back(distinct_inputs(
                read.values.middleRows(
                    static_cast<Index>(place.group * rows_per_group + place.first_row),
                    static_cast<Index>(place.rows)),
                keep_zeros));
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

using SaturatedInputs = Eigen::Array<bool, Eigen::Dynamic, Eigen::Dynamic>;

/// Of one tile over all its reads.
/// @param saturated  per read and tile, [amplifiers × distinct inputs]
Saturation saturation_of(std::size_t tile, std::size_t tiles,
                         const std::vector<DistinctInputs>& inputs,
                         const std::vector<SaturatedInputs>& saturated) {
    Saturation result;
    const Index amplifiers = saturated[tile].rows();
    result.amplifiers = static_cast<std::uint64_t>(amplifiers);
    std::vector<bool> ever(result.amplifiers, false);
    for (std::size_t i = tile; i < inputs.size(); i += tiles) {
        for (Index k = 0; k < amplifiers; ++k)
            if (saturated[i].row(k).any()) ever[static_cast<std::size_t>(k)] = true;
        result.readings += result.amplifiers * inputs[i].which.size();
        for (const Index input : inputs[i].which)
            result.saturated_readings +=
                static_cast<std::uint64_t>(saturated[i].col(input).count());
    }
    result.saturated = static_cast<std::uint64_t>(std::count(ever.begin(), ever.end(), true));
    return result;
}

}  // namespace

void require_one_nonlinearity(const ChipSettings& chip, const NonlinearCells& cells) {
    if (chip.readout && !cells.law.is_linear())
        throw InvalidInput("readout.kind",
                           "amplifiers with their swing are solved with linear cells alone; leave "
                           "cells.law linear, or take the ideal read-out");
}

Saturation& Saturation::operator+=(const Saturation& other) {
    amplifiers += other.amplifiers;
    saturated += other.saturated;
    readings += other.readings;
    saturated_readings += other.saturated_readings;
    return *this;
}

SolveEffort& SolveEffort::operator+=(const SolveEffort& other) {
    points += other.points;
    solved += other.solved;
    iterations += other.iterations;
    residual = std::max(residual, other.residual);
    seconds += other.seconds;
    seconds_once += other.seconds_once;
    saturation += other.saturation;
    return *this;
}

NonlinearLayer::NonlinearLayer(const Graph& graph, std::size_t layer, const ChipSettings& chip,
                               const NonlinearCells& cells)
    : name_(graph.layer_name(layer)),
      has_amplifiers_(chip.readout.has_value()),
      read_voltage_(cells.read_voltage),
      span_(chip.tile.device.span()),
      reads_sides_(has_column_pair(chip.tile.mapping) &&
                   chip.tile.subtraction == Subtraction::after),
      rows_per_group_(graph.geometry(layer).rows_per_group()) {
    require_one_nonlinearity(chip, cells);
    const double feedback =
        chip.readout ? detail::layer_feedback(graph, layer, chip.tile, *chip.readout) : 0;
    for (const TilePlace& place : tile_places(tile_layer(graph, layer, chip.tile))) {
        Tile tile(weight_block(graph, layer, chip.tile, place.row, place.column, place.slice),
                  chip.tile, chip.faults, chip.devices, chip.given.get());
        places_.push_back(place_of(graph.geometry(layer), tile));
        add_tile(std::move(tile), chip, cells, feedback);
    }
}

void NonlinearLayer::add_tile(Tile tile, const ChipSettings& chip, const NonlinearCells& cells,
                              double feedback) {
    TileArrays& added = arrays_.emplace_back();
    for (const Crossbar& array : tile.arrays())
        added.arrays.push_back(has_amplifiers_ ? array
                                               : exact_at(array, cells.law, cells.read_voltage));
    for (Index j = 0; j < tile.outputs(); ++j) {
        added.positive.push_back(tile.column(j, Polarity::a));
        if (tile.has_pairs()) added.negative.push_back(tile.column(j, Polarity::b));
    }
    added.unit = entry_unit(tile);
    if (!has_amplifiers_) return;
    added.amplifiers = draw_amplifiers(tile, *chip.readout, feedback);
    added.tile = std::move(tile);
}

std::string NonlinearLayer::name_of(std::size_t tile) const {
    return fmt::format("layer {} tile {} of {}", name_, tile + 1, places_.size());
}

std::vector<detail::SwingReadout> NonlinearLayer::swing_readouts(
    const SolverFactory& engine) const {
    if (!has_amplifiers_) return {};
    std::vector<std::optional<detail::SwingReadout>> found(arrays_.size());
    tbb::enumerable_thread_specific<std::unique_ptr<OperatingPointSolver>> engines(engine);
    tbb::parallel_for(std::size_t{0}, arrays_.size(), [&](std::size_t i) {
        const TileArrays& tile = arrays_[i];
        std::vector<ArrayPorts> ports;
        for (const Crossbar& array : tile.arrays) ports.push_back(engines.local()->ports(array));
        found[i].emplace(*tile.tile, ports, tile.amplifiers);
    });
    std::vector<detail::SwingReadout> readouts;
    for (auto& readout : found) readouts.push_back(std::move(*readout));
    return readouts;
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
            throw Error(fmt::format("{}: engine {} finds no operating point of an input",
                                    name_of(number), engine.name()));
        currents.push_back(point.current);
        effort.solved += static_cast<std::uint64_t>(voltages.cols());
        effort.residual = std::max(effort.residual, point.residual);
        for (const int iterations : point.iterations)
            effort.iterations += static_cast<std::uint64_t>(iterations);
    }
    return currents;
}

NonlinearLayer::TileReading NonlinearLayer::read_batch(std::size_t number, const ReadInputs& inputs,
                                                       OperatingPointSolver& engine,
                                                       SolveEffort& effort) const {
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
    return {std::move(samples), {}};
}

NonlinearLayer::TileReading NonlinearLayer::read_amplified(std::size_t number,
                                                           const ReadInputs& inputs,
                                                           const detail::SwingReadout& readout,
                                                           SolveEffort& effort) const try {
    const TileArrays& tile = arrays_[number];
    const Eigen::MatrixXd voltages =
        read_voltage_ / inputs.full_scale * inputs.values.cast<double>();
    detail::SwingOutputs found = readout.solve(voltages);
    const SampleHold& hold = tile.amplifiers.circuit.hold;
    if (hold.is_there())
        for (Eigen::MatrixXd* side : {&found.a, &found.b})
            *side = (hold.gain() * side->array() + hold.pedestal).matrix();
    const double per_volt = detail::reading_per_volt(*tile.tile, tile.amplifiers, read_voltage_) *
                            tile.unit * inputs.full_scale;
    PositionMatrix samples(samples_of(number), voltages.cols());
    samples.topRows(found.a.rows()) = (per_volt * found.a).cast<float>();
    if (reads_sides_) samples.bottomRows(found.b.rows()) = (per_volt * found.b).cast<float>();
    const std::uint64_t arrays = tile.arrays.size();
    effort.solved += arrays * static_cast<std::uint64_t>(voltages.cols());
    effort.residual = std::max(effort.residual, found.residual);
    for (const int iterations : found.iterations)
        effort.iterations += arrays * static_cast<std::uint64_t>(iterations);
    return {std::move(samples), found.saturated};
} catch (const NotConverged& error) {
    throw Error(fmt::format("{}: {}", name_of(number), error.what()));
}

LayerSamples NonlinearLayer::read(const std::vector<ReadInputs>& inputs,
                                  const SolverFactory& engine, SolveEffort& effort,
                                  const PointsDone& done) const {
    const auto start = Clock::now();
    const std::size_t tiles = places_.size();
    const auto distinct = distinct_inputs(inputs, places_, rows_per_group_, has_amplifiers_);
    const std::vector<detail::SwingReadout> readouts = swing_readouts(engine);
    std::vector<PositionMatrix> samples;
    std::vector<SaturatedInputs> saturated;
    for (std::size_t i = 0; i < distinct.size(); ++i) {
        const Index count = distinct[i].inputs.cols();
        samples.emplace_back(samples_of(i % tiles), count);
        saturated.emplace_back(has_amplifiers_ ? readouts[i % tiles].amplifiers() : 0, count);
    }
    SolveEffort total;
    total.seconds_once = seconds_since(start);
    std::mutex mutex;
    tbb::enumerable_thread_specific<std::unique_ptr<OperatingPointSolver>> engines(engine);
    const std::vector<Batch> batches = list_batches(distinct);
    tbb::parallel_for(std::size_t{0}, batches.size(), [&](std::size_t i) {
        const auto [of, first, count] = batches[i];
        const ReadInputs batch{distinct[of].inputs.middleCols(first, count),
                               inputs[of / tiles].full_scale};
        SolveEffort spent;
        const TileReading found =
            has_amplifiers_ ? read_amplified(of % tiles, batch, readouts[of % tiles], spent)
                            : read_batch(of % tiles, batch, *engines.local(), spent);
        samples[of].middleCols(first, count) = found.samples;
        if (has_amplifiers_) saturated[of].middleCols(first, count) = found.saturated;
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
    for (std::size_t tile = 0; tile < tiles && has_amplifiers_; ++tile)
        total.saturation += saturation_of(tile, tiles, distinct, saturated);
    total.seconds = seconds_since(start);
    effort += total;
    return all;
}

}  // namespace kirchnet
