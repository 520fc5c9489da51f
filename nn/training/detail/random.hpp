#pragma once

#include <Random123/philox.h>

#include <cstdint>

namespace kirchnet::detail {

enum class TrainingPurpose : std::uint64_t {
    initial_weight = 1,
    batch_order = 2,
    augmentation = 3
};

/// Uniform in [0, 1): Philox4x64-10 with key (seed, "training") and counter (purpose, group,
/// number). Independent of libtorch's own generator and of the order of calls.
inline double training_unit(std::uint64_t seed, TrainingPurpose purpose, std::uint64_t group,
                            std::uint64_t number) {
    constexpr std::uint64_t domain = 0x747261696e696e67;  // "training"
    const r123::Philox4x64::ctr_type counter{
        {static_cast<std::uint64_t>(purpose), group, number, 0}};
    const auto words = r123::Philox4x64{}(counter, {{seed, domain}});
    return static_cast<double>(words[0] >> 11) * 0x1p-53;
}

}  // namespace kirchnet::detail
