#pragma once

#include "nn/detail/driver_buffers.hpp"

namespace kirchnet::detail {

/// Makes the products of a layer's tiles with a block of columns. Where a tile's samples were found
/// elsewhere, its product is theirs with the identity: each is then converted and added, to the
/// bit, as if a product had given it.
class TileProducts {
  public:
    /// @param samples  per read and tile, or null: the tiles' operators give them
    TileProducts(const LayerDriver& driver, DriverWorkspace::Buffers& buffers,
                 const LayerSamples* samples)
        : driver_(driver), buffers_(buffers), samples_(samples) {}

    /// Which read the next products belong to.
    void select(std::size_t read);
    [[nodiscard]] std::size_t read() const { return read_; }
    /// @param side    0: the tile's own operator, or that of side a; 1: of side b
    /// @param inputs  of the tile's rows
    /// @param sum     of the tile's first output; valid until the next call
    [[nodiscard]] TileProduct of(std::size_t tile, std::size_t side, const float* const* inputs,
                                 float* sum);

  private:
    void take_samples(const PositionMatrix& samples, TileProduct& product);

    const LayerDriver& driver_;
    DriverWorkspace::Buffers& buffers_;
    const LayerSamples* samples_;
    std::size_t read_ = 0;
};

}  // namespace kirchnet::detail
