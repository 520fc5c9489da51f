#include "tools/sweep/shard.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <optional>

#include "circuit/error.hpp"

namespace kirchnet {
namespace {

/// Slurm's count of what it says under `name`.
std::optional<std::uint32_t> slurm_number(const char* name) {
    const char* text = std::getenv(name);
    if (text == nullptr) return std::nullopt;
    const std::string_view digits(text);
    std::uint32_t value = 0;
    const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (status != std::errc{} || end != digits.data() + digits.size())
        throw InvalidInput(name, fmt::format("'{}' is no number", digits));
    return value;
}

Shard slurm_shard() {
    const auto task = slurm_number("SLURM_ARRAY_TASK_ID");
    const auto count = slurm_number("SLURM_ARRAY_TASK_COUNT");
    if (!task || !count || *count == 0)
        throw InvalidInput("--shard",
                           "'slurm' works inside a Slurm job array alone (sbatch --array), where "
                           "SLURM_ARRAY_TASK_ID and SLURM_ARRAY_TASK_COUNT are set");
    const std::uint32_t first = slurm_number("SLURM_ARRAY_TASK_MIN").value_or(1);
    const std::uint32_t step = slurm_number("SLURM_ARRAY_TASK_STEP").value_or(1);
    if (*task < first || step == 0 || (*task - first) / step >= *count)
        throw InvalidInput("SLURM_ARRAY_TASK_ID",
                           fmt::format("{} is none of the array's {} tasks", *task, *count));
    return {(*task - first) / step + 1, *count};
}

}  // namespace

Shard parse_shard(const std::string& text) {
    if (text == "slurm") return slurm_shard();
    Shard shard;
    const char* end = text.data() + text.size();
    const auto index = std::from_chars(text.data(), end, shard.index);
    if (index.ec == std::errc{} && index.ptr != end && *index.ptr == '/') {
        const auto count = std::from_chars(index.ptr + 1, end, shard.count);
        if (count.ec == std::errc{} && count.ptr == end && shard.index >= 1 &&
            shard.index <= shard.count)
            return shard;
    }
    throw InvalidInput(
        "--shard", fmt::format("'{}' is not I/N with I from 1 to N, such as 2/8, nor slurm", text));
}

std::string to_string(const Shard& shard) {
    return fmt::format("{}/{}", shard.index, shard.count);
}

}  // namespace kirchnet
