#include "nn/detail/input_digits.hpp"

#include <cstdint>

namespace kirchnet::detail {
namespace {

/// A loop without calls or branches, so that every compiler makes vectors of it.
template <typename Seen>
void take(const InputRead& read, const float* codes, std::size_t size, float* out, Seen seen) {
    const std::int32_t shift = read.shift;
    const std::int32_t mask = read.levels;
    for (std::size_t i = 0; i < size; ++i)
        out[i] = static_cast<float>((seen(static_cast<std::int32_t>(codes[i])) >> shift) & mask);
}

}  // namespace

void take_digits(const InputRead& read, const float* codes, std::size_t size, float* out) {
    switch (read.part) {
        case InputRead::Part::positive:
            return take(read, codes, size, out, [](std::int32_t x) { return x > 0 ? x : 0; });
        case InputRead::Part::negative:
            return take(read, codes, size, out, [](std::int32_t x) { return x < 0 ? -x : 0; });
        case InputRead::Part::both_signs:
            break;
    }
    take(read, codes, size, out, [](std::int32_t x) { return x < 0 ? -x : x; });
    for (std::size_t i = 0; i < size; ++i) out[i] = codes[i] < 0 ? -out[i] : out[i];
}

}  // namespace kirchnet::detail
