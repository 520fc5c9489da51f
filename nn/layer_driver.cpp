#include "nn/layer_driver.hpp"

#include <algorithm>
#include <cmath>

#include "nn/detail/product_kernels.hpp"

namespace kirchnet {
namespace {

/// DAC fractions of every input; plain scaling when the DAC is continuous.
const FeatureMaps& convert_inputs(const LayerDriver& driver, const FeatureMaps& in,
                                  DriverWorkspace& workspace) {
    const Dac& dac = driver.dac;
    if (dac.bits == 0 && dac.range == 1) return in;
    FeatureMaps& out = workspace.converted;
    out.resize(in.shape, in.images);
    if (dac.bits == 0) {
        const auto scale = static_cast<float>(1 / dac.range);
        std::transform(in.values.begin(), in.values.end(), out.values.begin(),
                       [=](float x) { return x * scale; });
        return out;
    }
    const double levels = dac.levels();
    const detail::DacCodes codes{
        static_cast<float>(levels / dac.range), static_cast<float>(1 / levels),
        static_cast<float>(dac.is_signed ? -levels : 0), static_cast<float>(levels)};
    detail::product_kernels().convert(in.values.data(), in.values.size(), codes, out.values.data());
    return out;
}

detail::AdcCodes codes_of(const Adc& adc) {
    return {static_cast<float>(1 / adc.lsb()), static_cast<float>(adc.lsb()),
            static_cast<float>(adc.lowest_code()), static_cast<float>(adc.highest_code())};
}

void observe_inputs(const FeatureMaps& in, LayerRange& range) {
    for (const float x : in.values) {
        range.input = std::max(range.input, std::abs(x));
        range.signed_input = range.signed_input || x < 0;
    }
}

/// Adds one tile's converted product to the layer's sum.
void add_tile(const LayerDriver& driver, const TileOperator& tile, std::size_t columns,
              DriverWorkspace& workspace, AdcCount& count, LayerRange* range) {
    const auto& kernels = detail::product_kernels();
    const std::size_t scratch = tile.outputs * detail::scratch_columns;
    if (workspace.scratch.size() < scratch) workspace.scratch.resize(scratch);
    const detail::TileProduct product{tile.weights.data(),
                                      tile.outputs,
                                      tile.rows,
                                      workspace.patches.data(),
                                      columns,
                                      columns,
                                      workspace.sum.data() + tile.first_output * columns,
                                      workspace.scratch.data()};
    if (range != nullptr) {
        range->product = std::max(range->product, kernels.add_observed(product));
    } else if (driver.adc.bits == 0) {
        kernels.add(product);
    } else {
        count.clipped += kernels.add_converted(product, codes_of(driver.adc));
        count.samples += tile.outputs * columns;
    }
}

void add_input_sum(const LayerDriver& driver, const TileOperator& tile, std::size_t columns,
                   DriverWorkspace& workspace) {
    float* sum = workspace.input_sum.data() + tile.group * columns;
    for (std::size_t row = 0; row < tile.rows; ++row) {
        const float* x = workspace.patches.data() + row * columns;
        for (std::size_t i = 0; i < columns; ++i) sum[i] += driver.operators.input_sum * x[i];
    }
}

/// Runs all tiles; those that share rows lie together, so patches are gathered once per row tile.
void run_tiles(const LayerDriver& driver, const FeatureMaps& in, std::size_t columns,
               DriverWorkspace& workspace, AdcCount& count, LayerRange* range) {
    const TileOperator* gathered = nullptr;
    for (const std::size_t i : driver.order) {
        const TileOperator& tile = driver.operators.tiles[i];
        const bool same_rows = gathered != nullptr && gathered->group == tile.group &&
                               gathered->first_row == tile.first_row;
        if (!same_rows) {
            gather_patches(driver.geometry, in, tile.group, tile.first_row, tile.rows,
                           workspace.patches);
            if (driver.operators.input_sum != 0) add_input_sum(driver, tile, columns, workspace);
            gathered = &tile;
        }
        add_tile(driver, tile, columns, workspace, count, range);
    }
}

/// The digital end: gain, input sum, column scale, bias.
void finish_outputs(const LayerDriver& driver, std::size_t columns,
                    const DriverWorkspace& workspace, FeatureMaps& out) {
    const std::size_t outputs_per_group = driver.geometry.outputs_per_group();
    const bool has_input_sum = driver.operators.input_sum != 0;
    for (std::size_t j = 0; j < out.shape.channels; ++j) {
        const float* sum = workspace.sum.data() + j * columns;
        const float* shared =
            has_input_sum ? workspace.input_sum.data() + j / outputs_per_group * columns : nullptr;
        const float scale = driver.column_scale[j];
        const float gain = driver.operators.gain;
        const float bias = driver.bias.empty() ? 0.0F : driver.bias[j];
        float* target = out.channel(j);
        for (std::size_t i = 0; i < columns; ++i) {
            const float total = has_input_sum ? gain * sum[i] + shared[i] : gain * sum[i];
            target[i] = total * scale + bias;
        }
    }
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
               DriverWorkspace& workspace, AdcCount& count, LayerRange* range) {
    if (range != nullptr) observe_inputs(in, *range);
    const FeatureMaps& converted = convert_inputs(driver, in, workspace);
    const std::size_t columns = in.images * driver.geometry.positions();
    out.resize(driver.geometry.output, in.images);
    workspace.sum.assign(driver.geometry.output.channels * columns, 0.0F);
    workspace.input_sum.assign(
        driver.operators.input_sum != 0 ? driver.geometry.groups * columns : 0, 0.0F);
    run_tiles(driver, converted, columns, workspace, count, range);
    finish_outputs(driver, columns, workspace, out);
}

}  // namespace kirchnet
