#include "nn/detail/read_sequence.hpp"

#include <algorithm>
#include <cmath>

#include "nn/detail/converted_product.hpp"
#include "nn/detail/observed_product.hpp"

namespace kirchnet::detail {

ReadSequence::ReadSequence(const LayerDriver& driver, DriverWorkspace::Buffers& buffers,
                           TileProducts& products, AdcCount& count, LayerRange* range)
    : driver_(driver), buffers_(buffers), products_(products), count_(count), range_(range) {}

void ReadSequence::run() {
    clear();
    for (std::size_t i = 0; i < driver_.reads.size(); ++i) {
        products_.select(i);
        std::fill(buffers_.codes.begin(), buffers_.codes.end(), 0.0F);
        add_tiles(driver_.reads[i]);
        fold(driver_.reads[i]);
    }
    finish();
}

void ReadSequence::clear() {
    const LayerOperators& layer = driver_.operators;
    buffers_.codes.resize(layer.slices.size() * sides() * layer_size());
    buffers_.total.assign(layer_size(), 0.0);
    buffers_.common.assign(driver_.geometry.groups * stride(), 0.0);
}

/// Tiles that share rows lie together, so a row tile's inputs are found once per read.
void ReadSequence::add_tiles(const InputRead& read) {
    const TileOperator* found = nullptr;
    const float* const* inputs = nullptr;
    for (const std::size_t i : driver_.order) {
        const TileOperator& tile = driver_.operators.tiles[i];
        if (found == nullptr || found->group != tile.group || found->first_row != tile.first_row) {
            inputs = buffers_.planes.rows(tile.group, tile.first_row, tile.rows, buffers_.columns,
                                          static_cast<float>(read.full_levels));
            if (driver_.operators.input_weight != 0) add_common_term(tile, inputs, read);
            found = &tile;
        }
        add_tile(i, inputs);
    }
}

void ReadSequence::add_tile(std::size_t index, const float* const* inputs) {
    for (std::size_t side = 0; side < sides(); ++side) add_side(index, inputs, side);
}

void ReadSequence::add_side(std::size_t index, const float* const* inputs, std::size_t side) {
    const TileOperator& tile = driver_.operators.tiles[index];
    float* const sum = buffers_.codes.data() + (tile.slice * sides() + side) * layer_size() +
                       tile.first_output * stride();
    const TileProduct product = products_.of(index, side, inputs, sum);
    if (range_ != nullptr) {
        add_observed(product, range_->samples[tile.slice], buffers_.samples);
    } else if (converts()) {
        count_.clipped +=
            add_converted(driver_, buffers_, product, {index, side, products_.read(), 1.0});
        count_.samples += tile.outputs * buffers_.columns.positions;
    } else {
        product_kernels().add(product);
    }
}

/// What a row tile's samples hold of the common term, in units of the sum, goes to its columns: the
/// middle of a weight's levels for the rows of an output's own group, and cells at HRS for all
/// rows.
void ReadSequence::add_common_term(const TileOperator& tile, const float* const* inputs,
                                   const InputRead& read) {
    const LayerOperators& layer = driver_.operators;
    const std::size_t columns = buffers_.columns.columns;
    buffers_.row_sums.assign(2 * stride(), 0.0);
    double* const all = buffers_.row_sums.data();
    double* const own = all + stride();
    sum_rows(inputs, tile.rows, all);
    for (std::size_t i = 0; i < columns; ++i) {
        double of_tile = 0;
        for (std::size_t k = 0; k < layer.slices.size(); ++k)
            of_tile += layer.slices[k].weight * at_hrs(k, all[i]);
        all[i] = of_tile;
    }
    const std::size_t rows = tile.rows / tile.groups;
    for (std::size_t g = 0; g < tile.groups; ++g) {
        std::fill_n(own, columns, 0.0);
        sum_rows(inputs + g * rows, rows, own);
        double* const common = buffers_.common.data() + (tile.group + g) * stride();
        for (std::size_t i = 0; i < columns; ++i)
            common[i] += read.weight * (layer.largest * own[i] + all[i]);
    }
}

/// sum += Σ of rows
void ReadSequence::sum_rows(const float* const* inputs, std::size_t rows, double* sum) const {
    for (std::size_t row = 0; row < rows; ++row)
        for (std::size_t i = 0; i < buffers_.columns.columns; ++i)
            sum[i] += static_cast<double>(inputs[row][i]);
}

/// What cells at HRS alone would add to a sample: as it is, or as it is converted.
double ReadSequence::at_hrs(std::size_t slice, double input_sum) const {
    constexpr double rounding = 1e-9;  // of an LSB that is meant to be a level
    const OperatorSlice& of = driver_.operators.slices[slice];
    const double sample = of.at_hrs * input_sum;
    if (!converts() || std::abs(driver_.adc[slice].lsb() - of.step) > rounding * of.step)
        return sample;
    return std::floor(sample / of.step + 0.5) * of.step;
}

void ReadSequence::fold(const InputRead& read) {
    for (std::size_t k = 0; k < driver_.operators.slices.size(); ++k)
        for (std::size_t side = 0; side < sides(); ++side) {
            const double lsb = converts() ? driver_.adc[k].lsb() : 1.0;
            const double weight =
                read.weight * driver_.operators.slices[k].weight * (side == 0 ? lsb : -lsb);
            const float* const codes = buffers_.codes.data() + (k * sides() + side) * layer_size();
            for (std::size_t i = 0; i < layer_size(); ++i)
                buffers_.total[i] += weight * static_cast<double>(codes[i]);
        }
}

void ReadSequence::finish() {
    const double whole =
        driver_.operators.largest * (driver_.dac.bits == 0 ? 1.0 : driver_.dac.levels());
    const std::size_t outputs_per_group = driver_.geometry.outputs_per_group();
    for (std::size_t j = 0; j < driver_.geometry.output.channels; ++j) {
        const double* const common = buffers_.common.data() + j / outputs_per_group * stride();
        for (std::size_t i = 0; i < buffers_.columns.columns; ++i) {
            const std::size_t at = j * stride() + i;
            buffers_.sum[at] = static_cast<float>((buffers_.total[at] - common[i]) / whole);
        }
    }
}

}  // namespace kirchnet::detail
