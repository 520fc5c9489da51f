#include "circuit/random.hpp"

#include <Random123/philox.h>

#include <Random123/boxmuller.hpp>

namespace kirchnet {
namespace {

using Philox = r123::Philox4x64;

Philox::ctr_type words_of(std::uint64_t seed, std::uint64_t stream,
                          const std::array<std::uint64_t, 4>& counter) {
    const Philox::ctr_type where{{counter[0], counter[1], counter[2], counter[3]}};
    const Philox::key_type key{{seed, stream}};
    return Philox{}(where, key);
}

}  // namespace

double keyed_uniform(std::uint64_t seed, std::uint64_t stream,
                     const std::array<std::uint64_t, 4>& counter) {
    // The upper 53 bits, so that every value is exactly a double.
    return static_cast<double>(words_of(seed, stream, counter)[0] >> 11) * 0x1p-53;
}

std::array<double, 4> keyed_normals(std::uint64_t seed, std::uint64_t stream,
                                    const std::array<std::uint64_t, 4>& counter) {
    const Philox::ctr_type words = words_of(seed, stream, counter);
    const r123::double2 first = r123::boxmuller(words[0], words[1]);
    const r123::double2 second = r123::boxmuller(words[2], words[3]);
    return {first.x, first.y, second.x, second.y};
}

std::uint64_t stream_of(std::string_view name) {
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    for (const char letter : name)
        hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3ULL;
    return hash;
}

}  // namespace kirchnet
