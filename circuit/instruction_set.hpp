#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace kirchnet {

/// For what processor a kernel is compiled. `avx2` includes FMA; `avx512` its F, DQ, VL and BW.
enum class InstructionSet : std::uint8_t { baseline, avx2, avx512 };

std::string_view to_string(InstructionSet set);
/// @throws InvalidInput  naming the accepted words
InstructionSet parse_instruction_set(std::string_view text);

/// What this processor runs, `baseline` first.
std::vector<InstructionSet> available_instruction_sets();

/// What kernels are chosen by: the widest available, or the one that the environment variable
/// KIRCHNET_INSTRUCTION_SET names.
/// @throws InvalidInput  where the variable holds another word, or a set this processor lacks
InstructionSet best_instruction_set();

}  // namespace kirchnet
