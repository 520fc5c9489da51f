#include "nn/layer_adcs.hpp"

#include <algorithm>
#include <cmath>

#include "nn/operators.hpp"

namespace kirchnet {
namespace {

ConverterPlace place_at(const TileOperator& tile, std::size_t side) {
    return {tile.tile_row, tile.tile_column, static_cast<std::int32_t>(tile.slice),
            side == 0 ? Polarity::a : Polarity::b};
}

}  // namespace

LayerAdcs::LayerAdcs(const AdcErrors& errors, std::string_view layer,
                     const LayerOperators& operators, const LayerConverters& converters)
    : errors_(errors), draws_(errors, layer), is_noisy_(errors.noise > 0) {
    check(errors);
    if (!errors.inl.empty())
        entries_per_code_ = static_cast<double>(errors.inl.size() - 1) /
                            (std::ldexp(1.0, converters.adc.front().bits) - 1);
    const std::size_t sides = operators.reads_sides ? 2 : 1;
    for (const TileOperator& tile : operators.tiles) {
        OfTile& drawn = tiles_.emplace_back();
        drawn.place = place_at(tile, 0);
        drawn.hold_noise = operators.slices[tile.slice].noise * converters.full_scale /
                           converters.adc[tile.slice].lsb();
        is_noisy_ = is_noisy_ || drawn.hold_noise > 0;
        for (std::size_t side = 0; side < sides; ++side)
            for (std::size_t j = 0; j < tile.outputs; ++j)
                drawn.adcs[side].push_back(
                    draws_.adc(errors, place_at(tile, side),
                               j / static_cast<std::size_t>(converters.columns_per_adc)));
    }
}

double LayerAdcs::inl(double place) const {
    const std::vector<double>& table = errors_.inl;
    if (table.empty()) return 0;
    const double last = static_cast<double>(table.size() - 1);
    const double entry = std::clamp(place * entries_per_code_, 0.0, last);
    const auto left = std::min(static_cast<std::size_t>(entry), table.size() - 2);
    const double share = entry - static_cast<double>(left);
    return table[left] * (1 - share) + table[left + 1] * share;
}

std::array<double, outputs_per_noise> LayerAdcs::noise(std::size_t tile, std::size_t side,
                                                       const Reading& reading,
                                                       std::size_t k) const {
    const OfTile& of = tiles_[tile];
    ConverterPlace place = of.place;
    if (side == 1) place.side = Polarity::b;
    std::array<double, outputs_per_noise> noise{};
    if (errors_.noise > 0) {
        noise = draws_.adc_noise(place, reading, k);
        for (double& number : noise) number *= errors_.noise;
    }
    if (of.hold_noise == 0) return noise;
    const auto held = draws_.hold_noise(place, reading, k);
    const std::vector<DrawnAdc>& adcs = of.adcs[side];
    const std::size_t first = k * outputs_per_noise;
    for (std::size_t j = first; j < std::min(first + outputs_per_noise, adcs.size()); ++j)
        noise[j - first] += adcs[j].gain * of.hold_noise * held[j - first];
    return noise;
}

}  // namespace kirchnet
