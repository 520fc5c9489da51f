#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "nn/detail/product_kernels.hpp"
#include "nn/feature_maps.hpp"
#include "nn/graph.hpp"

namespace kirchnet::detail {

/// Output positions that run through a layer together.
struct ColumnBlock {
    std::vector<ColumnRun> runs;
    std::vector<std::int32_t> valid;  ///< [column_block] -1 for columns that are positions
    std::size_t columns = 0;          ///< up to the last position
    std::size_t positions = 0;        ///< how many columns are
};

/// A layer's input with its padding, cut into blocks of columns of the patch matrix. Under a kernel
/// position (ky, kx) output (y, x) sees input (y stride + ky, x stride + kx); with inputs of equal
/// remainder modulo the stride in a plane of their own, a row of the patch matrix is that plane,
/// shifted. Where rows are long such rows are read in place, planes' margins included as columns
/// that do not count; elsewhere they are copied together.
class InputPlanes {
  public:
    /// Takes a layer's input, through a DAC with these codes, or times `scale` where there is none.
    void fill(const LayerGeometry& geometry, const FeatureMaps& in,
              const std::optional<DacCodes>& dac, float scale);

    [[nodiscard]] std::size_t blocks() const;
    void describe(std::size_t block, ColumnBlock& out) const;

    /// Where the rows [first_row, first_row + rows) of a group's patch matrix have the columns of a
    /// block, and behind them a row of ones; valid until the next call.
    const float* const* rows(std::size_t group, std::size_t first_row, std::size_t rows,
                             const ColumnBlock& block);

  private:
    void fill_channel(const float* from, float* to);
    void fill_row(const float* from, std::size_t width, float* to) const;
    void find_offsets();

    LayerGeometry geometry_;
    std::optional<DacCodes> dac_;
    float scale_ = 1;
    std::size_t images_ = 0;
    std::size_t height_ = 0;  ///< of a plane
    std::size_t width_ = 0;
    std::size_t plane_ = 0;  ///< images × height × width
    bool reads_in_place_ = false;
    std::vector<float> planes_;         ///< [channels × stride² × plane], and a block of slack
    std::vector<std::size_t> offsets_;  ///< [rows of all groups] of a patch row's plane, shifted
    std::vector<float> row_;            ///< one input row before it is spread over planes
    std::vector<float> copies_;         ///< [rows × column_block], and a block of slack
    std::vector<float> ones_;           ///< [column_block]
    std::vector<const float*> pointers_;
};

}  // namespace kirchnet::detail
