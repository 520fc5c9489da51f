#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace kirchnet {

/// A uniform number in [0, 1) that is a pure function of its arguments (Philox4x64-10, Salmon et
/// al., SC 2011): the same on any thread, shard or order of evaluation.
/// @param stream   what the number is for; different streams are independent
/// @param counter  which number of the stream
double keyed_uniform(std::uint64_t seed, std::uint64_t stream,
                     const std::array<std::uint64_t, 4>& counter);

/// Four independent numbers of mean 0 and variance 1, normally distributed: Box and Muller's method
/// (Annals of Mathematical Statistics 29, 1958) on the four words of one counter. They share those
/// words with `keyed_uniform`, so a counter serves one of the two.
std::array<double, 4> keyed_normals(std::uint64_t seed, std::uint64_t stream,
                                    const std::array<std::uint64_t, 4>& counter);

/// A stream number for a name: FNV-1a, 64 bit, the same on every machine.
std::uint64_t stream_of(std::string_view name);

}  // namespace kirchnet
