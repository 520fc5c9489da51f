#include "nn/detail/converted_product.hpp"

#include <algorithm>
#include <cmath>

namespace kirchnet::detail {
namespace {

/// Converts the samples of one tile, a product with a block of columns.
class RealConversion {
  public:
    RealConversion(const LayerDriver& driver, DriverWorkspace::Buffers& buffers,
                   const TileProduct& product, const Conversion& conversion)
        : adcs_(*driver.adcs),
          positions_(driver.geometry.positions()),
          buffers_(buffers),
          product_(product),
          conversion_(conversion) {
        const Adc& adc = driver.adc[driver.operators.tiles[conversion.tile].slice];
        per_lsb_ = 1 / adc.lsb();
        lowest_ = adc.lowest_code();
        highest_ = adc.highest_code();
    }

    std::uint64_t run() {
        buffers_.samples.assign(product_.outputs * product_.stride, 0.0F);
        TileProduct alone = product_;
        alone.sum = buffers_.samples.data();
        product_kernels().add(alone);
        for (std::size_t first = 0; first < product_.outputs; first += outputs_per_noise)
            for (const OutputSpan& span : buffers_.columns.outputs)
                for (std::size_t i = 0; i < span.length; ++i)
                    convert(first, span.column + i, span.position + i);
        return clipped_;
    }

  private:
    /// Outputs from `first` on, in one column.
    void convert(std::size_t first, std::size_t column, std::size_t position) {
        std::array<double, outputs_per_noise> noise{};
        if (adcs_.is_noisy())
            noise =
                adcs_.noise(conversion_.tile, conversion_.side,
                            {buffers_.first_image + position / positions_, position % positions_,
                             static_cast<std::uint32_t>(conversion_.read)},
                            first / outputs_per_noise);
        const std::size_t end = std::min(first + outputs_per_noise, product_.outputs);
        for (std::size_t j = first; j < end; ++j) {
            const std::size_t at = j * product_.stride + column;
            const double code =
                code_of(j, static_cast<double>(buffers_.samples[at]), noise[j - first]);
            product_.sum[at] += static_cast<float>(conversion_.lsb) * static_cast<float>(code);
        }
    }

    double code_of(std::size_t output, double sample, double noise) {
        const DrawnAdc& drawn = adcs_.of(conversion_.tile, conversion_.side, output);
        const double place = drawn.gain * sample * per_lsb_ + drawn.offset + noise;
        const double code = std::floor(place + adcs_.inl(place - lowest_) + 0.5);
        const double kept = std::clamp(code, lowest_, highest_);
        clipped_ += kept == code ? 0 : 1;
        return kept;
    }

    const LayerAdcs& adcs_;
    double per_lsb_ = 1;
    double lowest_ = 0;
    double highest_ = 0;
    std::size_t positions_;
    DriverWorkspace::Buffers& buffers_;
    const TileProduct& product_;
    const Conversion& conversion_;
    std::uint64_t clipped_ = 0;
};

}  // namespace

AdcCodes adc_codes(const Adc& adc, double lsb) {
    return {static_cast<float>(1 / adc.lsb()), static_cast<float>(lsb),
            static_cast<float>(adc.lowest_code()), static_cast<float>(adc.highest_code())};
}

std::uint64_t add_converted(const LayerDriver& driver, DriverWorkspace::Buffers& buffers,
                            const TileProduct& product, const Conversion& conversion) {
    if (driver.adcs) return RealConversion(driver, buffers, product, conversion).run();
    const Adc& adc = driver.adc[driver.operators.tiles[conversion.tile].slice];
    return product_kernels().add_converted(product, adc_codes(adc, conversion.lsb));
}

}  // namespace kirchnet::detail
