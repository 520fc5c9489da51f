#pragma once

#include "nn/detail/tile_products.hpp"

namespace kirchnet::detail {

/// A layer whose outputs take several samples: input digits one after the other, slices of weights
/// and sides of pairs apart. Codes are added over row tiles as they are, whole numbers in float;
/// each read's sums are then shifted and added in double:
///
///     Σ w f = Σ_reads ±2^shift (Σ_slices weight lsb (codes_a - codes_b) + input_weight Σ digit)
///             / (largest levels)
///
/// Where a code is one level, what cells at HRS add to a sample without a pair is taken out as the
/// codes it has alone: floor(N + h + 1/2) - floor(h + 1/2) = N for whole N and any h.
class ReadSequence {
  public:
    /// @param range  when given, records the samples (the ADC is then bypassed)
    ReadSequence(const LayerDriver& driver, DriverWorkspace::Buffers& buffers,
                 TileProducts& products, AdcCount& count, LayerRange* range);

    /// Leaves Σ w f of the block of columns that `buffers.columns` describes in `buffers.sum`.
    void run();

  private:
    void clear();
    void add_tiles(const InputRead& read);
    void add_tile(std::size_t index, const float* const* inputs);
    void add_side(std::size_t index, const float* const* inputs, std::size_t side);
    void add_common_term(const TileOperator& tile, const float* const* inputs,
                         const InputRead& read);
    void sum_rows(const float* const* inputs, std::size_t rows, double* sum) const;
    [[nodiscard]] double at_hrs(std::size_t slice, double input_sum) const;
    void fold(const InputRead& read);
    void finish();

    [[nodiscard]] std::size_t sides() const { return driver_.operators.reads_sides ? 2 : 1; }
    [[nodiscard]] std::size_t stride() const { return buffers_.columns.stride; }
    [[nodiscard]] std::size_t layer_size() const {
        return driver_.geometry.output.channels * stride();
    }
    [[nodiscard]] bool converts() const {
        return range_ == nullptr && driver_.adc.front().bits > 0;
    }

    const LayerDriver& driver_;
    DriverWorkspace::Buffers& buffers_;
    TileProducts& products_;
    AdcCount& count_;
    LayerRange* range_;
};

}  // namespace kirchnet::detail
