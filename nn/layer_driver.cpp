#include "nn/layer_driver.hpp"

#include <algorithm>
#include <cmath>

#include "nn/detail/converter_codes.hpp"
#include "nn/detail/input_planes.hpp"
#include "nn/detail/product_kernels.hpp"

namespace kirchnet {

struct DriverWorkspace::Buffers {
    detail::InputPlanes planes;
    detail::ColumnBlock columns;
    std::vector<float> sum;        ///< [outputs × column_block]
    std::vector<float> input_sum;  ///< [groups × column_block]
};

DriverWorkspace::DriverWorkspace() : buffers_(std::make_unique<Buffers>()) {}
DriverWorkspace::DriverWorkspace(DriverWorkspace&&) noexcept = default;
DriverWorkspace& DriverWorkspace::operator=(DriverWorkspace&&) noexcept = default;
DriverWorkspace::~DriverWorkspace() = default;

namespace {

using Buffers = DriverWorkspace::Buffers;

/// Takes the input as DAC fractions; plain scaling when the DAC is continuous.
void take_inputs(const LayerDriver& driver, const FeatureMaps& in, detail::InputPlanes& planes) {
    const Dac& dac = driver.dac;
    if (dac.bits == 0) {
        planes.fill(driver.geometry, in, std::nullopt, static_cast<float>(1 / dac.range));
        return;
    }
    planes.fill(driver.geometry, in, detail::codes_of(dac), 1.0F);
}

void observe_inputs(const FeatureMaps& in, LayerRange& range) {
    for (const float x : in.values) {
        range.input = std::max(range.input, std::abs(x));
        range.signed_input = range.signed_input || x < 0;
    }
}

/// Runs one block of columns through all tiles of a layer.
class BlockRun {
  public:
    BlockRun(const LayerDriver& driver, const DigitalTail& tail, Buffers& workspace,
             AdcCount& count, LayerRange* range)
        : driver_(driver), tail_(tail), workspace_(workspace), count_(count), range_(range) {}

    void run(std::size_t block, FeatureMaps& out) {
        workspace_.planes.describe(block, workspace_.columns);
        if (workspace_.columns.positions == 0) return;
        const std::size_t block_size = detail::column_block;
        workspace_.sum.assign(driver_.geometry.output.channels * block_size, 0.0F);
        workspace_.input_sum.assign(
            driver_.operators.input_sum != 0 ? driver_.geometry.groups * block_size : 0, 0.0F);
        add_tiles();
        finish_outputs(out);
    }

  private:
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
                if (driver_.operators.input_sum != 0) add_input_sum(tile, inputs);
                found = &tile;
            }
            add_tile(tile, driver_.panels[i].data(), inputs);
        }
    }

    void add_tile(const TileOperator& tile, const float* panels, const float* const* inputs) {
        const auto& kernels = detail::product_kernels();
        const detail::TileProduct product{
            panels,
            tile.outputs,
            tile.rows,
            inputs,
            workspace_.columns.valid.data(),
            workspace_.columns.columns,
            workspace_.sum.data() + tile.first_output * detail::column_block};
        if (range_ != nullptr) {
            range_->product = std::max(range_->product, kernels.add_observed(product));
        } else if (driver_.adc.bits == 0) {
            kernels.add(product);
        } else {
            count_.clipped += kernels.add_converted(product, detail::codes_of(driver_.adc));
            count_.samples += tile.outputs * workspace_.columns.positions;
        }
    }

    void add_input_sum(const TileOperator& tile, const float* const* inputs) {
        float* const sum = workspace_.input_sum.data() + tile.group * detail::column_block;
        for (std::size_t row = 0; row < tile.rows; ++row)
            for (std::size_t i = 0; i < workspace_.columns.columns; ++i)
                sum[i] += driver_.operators.input_sum * inputs[row][i];
    }

    /// The digital end: gain, input sum, column scale, bias, and what follows the layer.
    void finish_outputs(FeatureMaps& out) const {
        const std::size_t outputs_per_group = driver_.geometry.outputs_per_group();
        const bool has_input_sum = driver_.operators.input_sum != 0;
        for (std::size_t j = 0; j < out.shape.channels; ++j) {
            const float* const sum = workspace_.sum.data() + j * detail::column_block;
            const float* const shared =
                has_input_sum
                    ? workspace_.input_sum.data() + j / outputs_per_group * detail::column_block
                    : nullptr;
            const float scale = driver_.column_scale[j];
            const float gain = driver_.operators.gain;
            const float bias = driver_.bias.empty() ? 0.0F : driver_.bias[j];
            for (const detail::ColumnRun& run : workspace_.columns.runs) {
                float* const target = out.channel(j) + run.position;
                for (std::size_t i = 0; i < run.length; ++i) {
                    const std::size_t column = run.column + i;
                    const float total =
                        has_input_sum ? gain * sum[column] + shared[column] : gain * sum[column];
                    target[i] = total * scale + bias;
                }
                finish_run(j, target, run.length);
            }
        }
    }

    void finish_run(std::size_t channel, float* values, std::size_t length) const {
        if (!tail_.norm.empty()) {
            const ChannelNorm of = tail_.norm[channel];
            for (std::size_t i = 0; i < length; ++i) values[i] = values[i] * of.scale + of.shift;
        }
        if (tail_.rectify)
            for (std::size_t i = 0; i < length; ++i) values[i] = values[i] > 0 ? values[i] : 0;
    }

    const LayerDriver& driver_;
    const DigitalTail& tail_;
    Buffers& workspace_;
    AdcCount& count_;
    LayerRange* range_;
};

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

void LayerRange::merge(const LayerRange& other) {
    input = std::max(input, other.input);
    signed_input = signed_input || other.signed_input;
    product = std::max(product, other.product);
}

LayerDriver crossbar_driver(const Graph& graph, std::size_t layer, LayerOperators operators) {
    LayerDriver driver;
    driver.geometry = graph.geometry(layer);
    driver.operators = std::move(operators);
    driver.order = order_by_rows(driver.operators);
    for (const TileOperator& tile : driver.operators.tiles)
        driver.panels.push_back(detail::pack_weights(tile.weights, tile.outputs, tile.rows));
    driver.dac.bits = 0;
    driver.adc.bits = 0;
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
        TileOperator tile{group, 0, rows, group * outputs, outputs, {}, 0};
        const auto first = weights.begin() + static_cast<std::ptrdiff_t>(group * outputs * rows);
        tile.weights.assign(first, first + static_cast<std::ptrdiff_t>(outputs * rows));
        operators.tiles.push_back(std::move(tile));
    }
    return crossbar_driver(graph, layer, std::move(operators));
}

void set_dac(LayerDriver& driver, const Dac& dac) {
    check(dac);
    driver.dac = dac;
    std::fill(driver.column_scale.begin(), driver.column_scale.end(),
              static_cast<float>(driver.operators.scale * dac.range));
}

void run_layer(const LayerDriver& driver, const FeatureMaps& in, FeatureMaps& out,
               DriverWorkspace& workspace, AdcCount& count, LayerRange* range,
               const DigitalTail& tail) {
    if (range != nullptr) observe_inputs(in, *range);
    Buffers& buffers = workspace.buffers();
    out.resize(driver.geometry.output, in.images);
    take_inputs(driver, in, buffers.planes);
    BlockRun run(driver, tail, buffers, count, range);
    for (std::size_t block = 0; block < buffers.planes.blocks(); ++block) run.run(block, out);
}

}  // namespace kirchnet
