#include "nn/detail/tile_products.hpp"

#include <algorithm>

namespace kirchnet::detail {
namespace {

/// The operator whose outputs are its inputs, packed.
std::vector<float> packed_identity(std::size_t size) {
    std::vector<float> identity(size * size, 0.0F);
    for (std::size_t i = 0; i < size; ++i) identity[i * size + i] = 1;
    return pack_weights(identity, size, size);
}

}  // namespace

void TileProducts::select(std::size_t read) {
    read_ = read;
    buffers_.planes.select(read);
}

TileProduct TileProducts::of(std::size_t tile, std::size_t side, const float* const* inputs,
                             float* sum) {
    const TileOperator& of = driver_.operators.tiles[tile];
    const TilePanels& panels = driver_.panels[tile];
    const ColumnBlock& columns = buffers_.columns;
    TileProduct product{side == 0 ? panels.a.data() : panels.b.data(),
                        of.outputs,
                        of.kernel_rows(),
                        inputs,
                        columns.valid.data(),
                        columns.columns,
                        sum,
                        columns.stride};
    if (samples_ != nullptr) {
        const TileSamples& samples = (*samples_)[read_][tile];
        take_samples(side == 0 ? samples.a : samples.b, product);
    }
    return product;
}

void TileProducts::take_samples(const PositionMatrix& samples, TileProduct& product) {
    SampleRows& rows = buffers_.sample_rows;
    rows.values.assign(product.outputs * product.stride, 0.0F);
    rows.pointers.resize(product.outputs);
    for (std::size_t j = 0; j < product.outputs; ++j) {
        float* const row = rows.values.data() + j * product.stride;
        const float* const from = samples.row(static_cast<Index>(j)).data();
        for (const OutputSpan& span : buffers_.columns.outputs)
            std::copy_n(from + span.position, span.length, row + span.column);
        rows.pointers[j] = row;
    }
    if (rows.identity_size != product.outputs) {
        rows.identity = packed_identity(product.outputs);
        rows.identity_size = product.outputs;
    }
    product.weights = rows.identity.data();
    product.rows = product.outputs;
    product.inputs = rows.pointers.data();
}

}  // namespace kirchnet::detail
