#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "nn/converters.hpp"
#include "nn/detail/buffer.hpp"
#include "nn/detail/map_kernels.hpp"
#include "nn/detail/product_kernels.hpp"
#include "nn/feature_maps.hpp"
#include "nn/graph.hpp"

namespace kirchnet::detail {

/// Output positions that run through a layer together.
struct ColumnBlock {
    std::vector<ColumnRun> runs;      ///< where inputs of columns lie, one per row of an image
    std::vector<OutputSpan> outputs;  ///< where outputs of columns go, as few as there can be
    std::vector<std::int32_t> valid;  ///< [stride] -1 for columns that are positions
    std::size_t stride = 0;           ///< columns there is room for
    std::size_t columns = 0;          ///< up to the last position
    std::size_t positions = 0;        ///< how many columns are
};

/// Images of a block, [first, first + count).
struct ImageRange {
    std::size_t first = 0;
    std::size_t count = 0;
};

/// How many of a block's images to take at once, so that their planes stay in cache.
std::size_t images_per_pass(const LayerGeometry& geometry, std::size_t images);

/// A layer's input with its padding, cut into blocks of columns of the patch matrix. Under a kernel
/// position (ky, kx) output (y, x) sees input (y stride + ky, x stride + kx); with inputs of equal
/// remainder modulo the stride in a plane of their own, a row of the patch matrix is that plane,
/// shifted. Where rows are long such rows are read in place, planes' margins included as columns
/// that do not count; elsewhere they are copied together.
class InputPlanes {
  public:
    /// Takes some images of a layer's input, through a DAC with these codes, or times `scale` where
    /// there is none.
    void fill(const LayerGeometry& geometry, const FeatureMaps& in, ImageRange images,
              const std::optional<DacCodes>& dac, float scale);

    /// Prepares the digits of every read; the input must have been filled as whole codes.
    void split(const std::vector<InputRead>& reads);
    /// Which read `rows` takes its inputs from; without `split` there is one, the input itself.
    void select(std::size_t read) { current_ = is_split_ ? digits_[read].data() : planes_.data(); }

    [[nodiscard]] std::size_t blocks() const { return blocks_; }
    void describe(std::size_t block, ColumnBlock& out) const;

    /// Where the rows [first_row, first_row + rows) of a group's patch matrix have the columns of a
    /// block, and behind them a row that holds `full_drive`, the input of a word line at the full
    /// read voltage; valid until the next call.
    const float* const* rows(std::size_t group, std::size_t first_row, std::size_t rows,
                             const ColumnBlock& block, float full_drive = 1.0F);

  private:
    void choose_blocks();
    void fill_channel(const float* from, float* to);
    void convert(const float* from, std::size_t size, float* to) const;
    void find_offsets();
    void split_planes(const InputRead& read, float* digits) const;

    LayerGeometry geometry_;
    std::optional<DacCodes> dac_;
    float scale_ = 1;
    std::size_t images_ = 0;
    std::size_t first_position_ = 0;  ///< of the first image
    std::size_t height_ = 0;          ///< of a plane
    std::size_t width_ = 0;
    std::size_t plane_ = 0;  ///< images × height × width
    bool reads_in_place_ = false;
    std::size_t block_ = 0;  ///< columns of a block
    std::size_t blocks_ = 0;
    std::size_t blocks_per_image_ = 0;  ///< where rows are read in place
    Buffer planes_;                     ///< [channels × stride² × plane], and a block of slack
    bool is_split_ = false;
    std::vector<Buffer> digits_;        ///< likewise, per read, after `split`
    const float* current_ = nullptr;    ///< planes that rows are taken from
    std::vector<std::size_t> offsets_;  ///< [rows of all groups] of a patch row's plane, shifted
    Buffer copies_;                     ///< [rows × (block + column_step)]
    Buffer full_drive_;                 ///< [block + column_step], one value throughout
    std::vector<const float*> pointers_;
};

}  // namespace kirchnet::detail
