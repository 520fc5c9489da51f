#include "circuit/random.hpp"

#include <Random123/philox.h>

namespace kirchnet {

double keyed_uniform(std::uint64_t seed, std::uint64_t stream,
                     const std::array<std::uint64_t, 4>& counter) {
    const r123::Philox4x64::ctr_type where{{counter[0], counter[1], counter[2], counter[3]}};
    const r123::Philox4x64::key_type key{{seed, stream}};
    // The upper 53 bits, so that every value is exactly a double.
    return static_cast<double>(r123::Philox4x64{}(where, key)[0] >> 11) * 0x1p-53;
}

std::uint64_t stream_of(std::string_view name) {
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    for (const char letter : name)
        hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3ULL;
    return hash;
}

}  // namespace kirchnet
