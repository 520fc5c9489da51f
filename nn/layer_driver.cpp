#include "nn/layer_driver.hpp"

#include <algorithm>
#include <cmath>

#include "nn/detail/converted_product.hpp"
#include "nn/detail/driver_buffers.hpp"
#include "nn/detail/observed_product.hpp"
#include "nn/detail/read_sequence.hpp"
#include "nn/detail/tile_products.hpp"

namespace kirchnet {

DriverWorkspace::DriverWorkspace() : buffers_(std::make_unique<Buffers>()) {}
DriverWorkspace::DriverWorkspace(DriverWorkspace&&) noexcept = default;
DriverWorkspace& DriverWorkspace::operator=(DriverWorkspace&&) noexcept = default;
DriverWorkspace::~DriverWorkspace() = default;

void DriverWorkspace::set_first_image(std::size_t image) {
    buffers_->first_image = image;
}

namespace {

using Buffers = DriverWorkspace::Buffers;

/// Takes some images of the input as DAC fractions, or as digits of codes where outputs take
/// several samples; plain scaling when the DAC is continuous.
void take_inputs(const LayerDriver& driver, const FeatureMaps& in, detail::ImageRange images,
                 detail::InputPlanes& planes) {
    const Dac& dac = driver.dac;
    if (dac.bits == 0) {
        planes.fill(driver.geometry, in, images, std::nullopt, static_cast<float>(1 / dac.range));
        return;
    }
    const double levels = dac.levels();
    const double step = driver.samples_once() ? 1 / levels : 1.0;
    const detail::DacCodes codes{static_cast<float>(levels / dac.range), static_cast<float>(step),
                                 static_cast<float>(dac.is_signed ? -levels : 0),
                                 static_cast<float>(levels)};
    planes.fill(driver.geometry, in, images, codes, 1.0F);
    if (driver.reads.size() > 1) planes.split(driver.reads);
}

void observe_inputs(const FeatureMaps& in, LayerRange& range) {
    for (const float x : in.values) {
        range.input = std::max(range.input, std::abs(x));
        range.signed_input = range.signed_input || x < 0;
    }
}

void prepare_samples(const LayerDriver& driver, LayerRange& range) {
    range.samples.resize(driver.operators.slices.size());
    if (!range.keeps_histograms) return;
    for (SampleRange& samples : range.samples)
        if (!samples.histogram) samples.histogram.emplace();
}

/// Runs one block of columns through all tiles of a layer.
class BlockRun {
  public:
    BlockRun(const LayerDriver& driver, const DigitalTail& tail, Buffers& workspace,
             AdcCount& count, LayerRange* range, const LayerSamples* samples)
        : driver_(driver),
          tail_(tail),
          workspace_(workspace),
          products_(driver, workspace, samples),
          count_(count),
          range_(range) {}

    void run(std::size_t block, FeatureMaps& out) {
        workspace_.planes.describe(block, workspace_.columns);
        if (workspace_.columns.positions == 0) return;
        const std::size_t stride = workspace_.columns.stride;
        workspace_.sum.assign(driver_.geometry.output.channels * stride, 0.0F);
        if (!driver_.samples_once()) {
            detail::ReadSequence(driver_, workspace_, products_, count_, range_).run();
            finish_outputs(out, 1.0F, false);
            return;
        }
        workspace_.input_sum.assign(has_input_sum() ? driver_.geometry.groups * stride : 0, 0.0F);
        add_tiles();
        finish_outputs(out, driver_.operators.gain(), has_input_sum());
    }

  private:
    [[nodiscard]] bool has_input_sum() const { return driver_.operators.input_weight != 0; }

    /// Tiles that share rows lie together, so a row tile's inputs are found once.
    void add_tiles() {
        const TileOperator* found = nullptr;
        const float* const* inputs = nullptr;
        for (const std::size_t i : driver_.order) {
            const TileOperator& tile = driver_.operators.tiles[i];
            const bool same_rows = found != nullptr && found->group == tile.group &&
                                   found->first_row == tile.first_row;
            if (!same_rows) {
                inputs = workspace_.planes.rows(tile.group, tile.first_row, tile.rows,
                                                workspace_.columns);
                if (has_input_sum()) add_input_sum(tile, inputs);
                if (!tile.input_gain.empty()) sum_tile_inputs(tile, inputs);
                found = &tile;
            }
            float* const sum =
                workspace_.sum.data() + tile.first_output * workspace_.columns.stride;
            if (tile.gain.empty())
                add_tile(i, inputs, sum);
            else
                add_corrected_tile(i, inputs, sum);
        }
    }

    void sum_tile_inputs(const TileOperator& tile, const float* const* inputs) {
        workspace_.tile_input_sum.assign(workspace_.columns.stride, 0.0F);
        add_rows(inputs, tile.rows, 1.0F, workspace_.tile_input_sum.data());
    }

    /// sum += gain × samples + input gain × Σ of the tile's inputs, output by output.
    void add_corrected_tile(std::size_t index, const float* const* inputs, float* sum) {
        const TileOperator& tile = driver_.operators.tiles[index];
        const std::size_t stride = workspace_.columns.stride;
        const std::size_t columns = workspace_.columns.columns;
        workspace_.tile_sum.assign(tile.outputs * stride, 0.0F);
        add_tile(index, inputs, workspace_.tile_sum.data());
        for (std::size_t j = 0; j < tile.outputs; ++j) {
            const float* const samples = workspace_.tile_sum.data() + j * stride;
            float* const of_output = sum + j * stride;
            for (std::size_t i = 0; i < columns; ++i) of_output[i] += tile.gain[j] * samples[i];
            if (tile.input_gain.empty()) continue;
            const float* const input_sum = workspace_.tile_input_sum.data();
            for (std::size_t i = 0; i < columns; ++i)
                of_output[i] += tile.input_gain[j] * input_sum[i];
        }
    }

    void add_tile(std::size_t index, const float* const* inputs, float* sum) {
        const auto& kernels = detail::product_kernels();
        const TileOperator& tile = driver_.operators.tiles[index];
        const detail::TileProduct product = products_.of(index, 0, inputs, sum);
        if (range_ != nullptr) {
            detail::add_observed(product, range_->samples.front(), workspace_.samples);
        } else if (driver_.adc.front().bits == 0) {
            kernels.add(product);
        } else {
            count_.clipped += detail::add_converted(driver_, workspace_, product,
                                                    {index, 0, 0, driver_.adc.front().lsb()});
            count_.samples += tile.outputs * workspace_.columns.positions;
        }
    }

    void add_input_sum(const TileOperator& tile, const float* const* inputs) {
        const float own = driver_.operators.input_sum();
        const float foreign = driver_.operators.foreign_sum();
        const std::size_t stride = workspace_.columns.stride;
        float* sum = workspace_.input_sum.data() + tile.group * stride;
        if (tile.groups == 1) {
            add_rows(inputs, tile.rows, own, sum);
            return;
        }
        workspace_.foreign_sum.assign(stride, 0.0F);
        add_rows(inputs, tile.rows, foreign, workspace_.foreign_sum.data());
        const std::size_t rows = tile.rows / tile.groups;
        for (std::size_t g = 0; g < tile.groups; ++g, sum += stride) {
            add_rows(inputs + g * rows, rows, own - foreign, sum);
            for (std::size_t i = 0; i < workspace_.columns.columns; ++i)
                sum[i] += workspace_.foreign_sum[i];
        }
    }

    /// sum += factor Σ of rows
    void add_rows(const float* const* inputs, std::size_t rows, float factor, float* sum) const {
        for (std::size_t row = 0; row < rows; ++row)
            for (std::size_t i = 0; i < workspace_.columns.columns; ++i)
                sum[i] += factor * inputs[row][i];
    }

    /// The digital end: gain, input sum, column scale, bias, and what follows the layer.
    void finish_outputs(FeatureMaps& out, float gain, bool has_input_sum) const {
        const detail::ColumnBlock& columns = workspace_.columns;
        const std::size_t outputs_per_group = driver_.geometry.outputs_per_group();
        for (std::size_t j = 0; j < out.shape.channels; ++j) {
            const float scale = driver_.column_scale[j];
            const float bias = driver_.bias.empty() ? 0.0F : driver_.bias[j];
            const ChannelNorm norm = tail_.norm.empty() ? ChannelNorm{} : tail_.norm[j];
            const float* const shared =
                has_input_sum ? workspace_.input_sum.data() + j / outputs_per_group * columns.stride
                              : nullptr;
            detail::map_kernels().finish(
                {workspace_.sum.data() + j * columns.stride, shared,
                 tail_.addend != nullptr ? tail_.addend->channel(j) : nullptr, out.channel(j),
                 columns.outputs.data(), columns.outputs.size(), gain * scale * norm.scale,
                 scale * norm.scale, bias * norm.scale + norm.shift, tail_.rectify});
            if (tail_.activation) activate_outputs(out.channel(j));
        }
    }

    void activate_outputs(float* channel) const {
        for (const detail::OutputSpan& run : workspace_.columns.outputs)
            activate(*tail_.activation, channel + run.position, run.length, channel + run.position);
    }

    const LayerDriver& driver_;
    const DigitalTail& tail_;
    Buffers& workspace_;
    detail::TileProducts products_;
    AdcCount& count_;
    LayerRange* range_;
};

/// Takes a layer's images as many at a time as stay in cache; `run(block)` for every block of them.
template <typename Run>
void for_each_block(const LayerDriver& driver, const FeatureMaps& in, Buffers& buffers, Run run) {
    const std::size_t at_once = detail::images_per_pass(driver.geometry, in.images);
    for (std::size_t first = 0; first < in.images; first += at_once) {
        take_inputs(driver, in, {first, std::min(at_once, in.images - first)}, buffers.planes);
        for (std::size_t block = 0; block < buffers.planes.blocks(); ++block) run(block);
    }
}

/// One block's columns of a read's inputs.
void copy_columns(Buffers& buffers, PositionMatrix& values) {
    const auto rows = static_cast<std::size_t>(values.rows());
    const float* const* from = buffers.planes.rows(0, 0, rows, buffers.columns);
    for (std::size_t row = 0; row < rows; ++row)
        for (const detail::OutputSpan& span : buffers.columns.outputs)
            std::copy_n(from[row] + span.column, span.length,
                        values.row(static_cast<Index>(row)).data() + span.position);
}

void run_blocks(const LayerDriver& driver, const FeatureMaps& in, FeatureMaps& out,
                DriverWorkspace& workspace, AdcCount& count, LayerRange* range,
                const DigitalTail& tail, const LayerSamples* samples) {
    out.resize(driver.geometry.output, in.images);
    Buffers& buffers = workspace.buffers();
    BlockRun run(driver, tail, buffers, count, range, samples);
    for_each_block(driver, in, buffers, [&](std::size_t block) { run.run(block, out); });
}

/// One side of a tile as the kernels read it; its offset is a further row, whose input is that of a
/// word line at the full read voltage.
std::vector<float> panel_of(const TileOperator& tile, const std::vector<float>& weights,
                            const std::vector<float>& offset) {
    if (offset.empty()) return detail::pack_weights(weights, tile.outputs, tile.rows);
    std::vector<float> rows;
    for (std::size_t j = 0; j < tile.outputs; ++j) {
        const auto row = weights.begin() + static_cast<std::ptrdiff_t>(j * tile.rows);
        rows.insert(rows.end(), row, row + static_cast<std::ptrdiff_t>(tile.rows));
        rows.push_back(offset[j]);
    }
    return detail::pack_weights(rows, tile.outputs, tile.kernel_rows());
}

std::vector<std::size_t> order_by_rows(const LayerOperators& operators) {
    std::vector<std::size_t> order(operators.tiles.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t x, std::size_t y) {
        const TileOperator& a = operators.tiles[x];
        const TileOperator& b = operators.tiles[y];
        return std::pair(a.group, a.first_row) < std::pair(b.group, b.first_row);
    });
    return order;
}

}  // namespace

double LayerDriver::largest_input() const {
    if (samples_once() || dac.bits == 0) return 1;
    int largest = 0;
    for (const InputRead& read : reads) largest = std::max(largest, read.levels);
    return largest;
}

double LayerDriver::full_scale() const {
    return samples_once() ? 1 : reads.front().full_levels;
}

void SampleRange::merge(const SampleRange& other) {
    largest = std::max(largest, other.largest);
    if (!other.histogram) return;
    if (!histogram) histogram.emplace();
    histogram->merge(*other.histogram);
}

void LayerRange::merge(const LayerRange& other) {
    input = std::max(input, other.input);
    signed_input = signed_input || other.signed_input;
    samples.resize(std::max(samples.size(), other.samples.size()));
    for (std::size_t k = 0; k < other.samples.size(); ++k) samples[k].merge(other.samples[k]);
}

LayerDriver crossbar_driver(const Graph& graph, std::size_t layer, LayerOperators operators) {
    LayerDriver driver;
    driver.geometry = graph.geometry(layer);
    driver.operators = std::move(operators);
    driver.order = order_by_rows(driver.operators);
    for (const TileOperator& tile : driver.operators.tiles)
        driver.panels.push_back({panel_of(tile, tile.weights, tile.offset),
                                 tile.weights_b.empty()
                                     ? std::vector<float>()
                                     : panel_of(tile, tile.weights_b, tile.offset_b)});
    driver.dac.bits = 0;
    driver.reads = input_reads(driver.dac);
    driver.adc.assign(driver.operators.slices.size(), Adc{0, 1, true});
    driver.bias = graph.bias(layer).values;
    driver.column_scale.assign(driver.geometry.output.channels,
                               static_cast<float>(driver.operators.scale));
    return driver;
}

LayerDriver software_driver(const Graph& graph, std::size_t layer) {
    const LayerGeometry geometry = graph.geometry(layer);
    const std::vector<float>& weights = graph.weights(layer).values;
    LayerOperators operators;
    const std::size_t rows = geometry.rows_per_group();
    const std::size_t outputs = geometry.outputs_per_group();
    for (std::size_t group = 0; group < geometry.groups; ++group) {
        TileOperator tile{0, group, 0, rows, group * outputs, outputs, {}, {}, {}, {}, 0};
        const auto first = weights.begin() + static_cast<std::ptrdiff_t>(group * outputs * rows);
        tile.weights.assign(first, first + static_cast<std::ptrdiff_t>(outputs * rows));
        operators.tiles.push_back(std::move(tile));
    }
    return crossbar_driver(graph, layer, std::move(operators));
}

void set_dac(LayerDriver& driver, const Dac& dac) {
    check(dac);
    driver.dac = dac;
    driver.reads = input_reads(dac);
    std::fill(driver.column_scale.begin(), driver.column_scale.end(),
              static_cast<float>(driver.operators.scale * dac.range));
}

void run_layer(const LayerDriver& driver, const FeatureMaps& in, FeatureMaps& out,
               DriverWorkspace& workspace, AdcCount& count, LayerRange* range,
               const DigitalTail& tail) {
    if (range != nullptr) {
        observe_inputs(in, *range);
        prepare_samples(driver, *range);
    }
    run_blocks(driver, in, out, workspace, count, range, tail, nullptr);
}

std::vector<ReadInputs> read_inputs(const LayerDriver& driver, const FeatureMaps& in,
                                    DriverWorkspace& workspace) {
    const LayerGeometry& geometry = driver.geometry;
    Buffers& buffers = workspace.buffers();
    std::vector<ReadInputs> inputs;
    for (std::size_t i = 0; i < driver.reads.size(); ++i) {
        ReadInputs& added = inputs.emplace_back();
        added.values.resize(static_cast<Index>(geometry.groups * geometry.rows_per_group()),
                            static_cast<Index>(in.images * geometry.positions()));
        added.full_scale = driver.full_scale();
    }
    for_each_block(driver, in, buffers, [&](std::size_t block) {
        buffers.planes.describe(block, buffers.columns);
        if (buffers.columns.positions == 0) return;
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            buffers.planes.select(i);
            copy_columns(buffers, inputs[i].values);
        }
    });
    return inputs;
}

void finish_layer(const LayerDriver& driver, const FeatureMaps& in, const LayerSamples& samples,
                  FeatureMaps& out, DriverWorkspace& workspace, AdcCount& count,
                  const DigitalTail& tail) {
    run_blocks(driver, in, out, workspace, count, nullptr, tail, &samples);
}

}  // namespace kirchnet
