#include "circuit/instruction_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "circuit/error.hpp"

namespace kirchnet {
namespace {

constexpr const char* variable = "KIRCHNET_INSTRUCTION_SET";

}  // namespace

std::string_view to_string(InstructionSet set) {
    switch (set) {
        case InstructionSet::baseline:
            return "baseline";
        case InstructionSet::avx2:
            return "avx2";
        case InstructionSet::avx512:
            return "avx512";
    }
    return "?";
}

InstructionSet parse_instruction_set(std::string_view text) {
    for (const auto set : {InstructionSet::baseline, InstructionSet::avx2, InstructionSet::avx512})
        if (text == to_string(set)) return set;
    throw InvalidInput(fmt::format("instruction set '{}' is none of baseline, avx2, avx512", text));
}

std::vector<InstructionSet> available_instruction_sets() {
    std::vector<InstructionSet> found{InstructionSet::baseline};
#ifdef KIRCHNET_X86_KERNELS
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        found.push_back(InstructionSet::avx2);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
        found.push_back(InstructionSet::avx512);
#endif
    return found;
}

InstructionSet best_instruction_set() {
    const auto available = available_instruction_sets();
    const char* asked = std::getenv(variable);
    if (asked == nullptr || *asked == '\0') return available.back();
    try {
        const InstructionSet set = parse_instruction_set(asked);
        if (std::find(available.begin(), available.end(), set) != available.end()) return set;
    } catch (const InvalidInput& error) {
        throw InvalidInput(variable, error.what());
    }
    throw InvalidInput(variable, fmt::format("this processor does not run {}; it runs up to {}",
                                             asked, to_string(available.back())));
}

}  // namespace kirchnet
