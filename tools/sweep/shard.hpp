#pragma once

#include <cstdint>
#include <string>

namespace kirchnet {

/// Which units a process runs.
struct Shard {
    std::uint32_t index = 1;  ///< from 1
    std::uint32_t count = 1;
};

/// `2/8`, or `slurm`: the place of this task in its Slurm job array, from the environment.
/// @throws InvalidInput  when it is neither, or there is no such environment
Shard parse_shard(const std::string& text);
std::string to_string(const Shard& shard);

}  // namespace kirchnet
