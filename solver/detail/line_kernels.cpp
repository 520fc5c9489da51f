#include "solver/detail/line_kernels.hpp"

#include "circuit/instruction_set.hpp"

namespace kirchnet::detail {

namespace baseline {
extern const LineKernels line_kernels;
}
#ifdef KIRCHNET_X86_KERNELS
namespace avx2 {
extern const LineKernels line_kernels;
}
namespace avx512 {
extern const LineKernels line_kernels;
}
#endif

namespace {

const LineKernels& line_kernels_for(InstructionSet set) {
#ifdef KIRCHNET_X86_KERNELS
    if (set == InstructionSet::avx2) return avx2::line_kernels;
    if (set == InstructionSet::avx512) return avx512::line_kernels;
#endif
    (void)set;
    return baseline::line_kernels;
}

}  // namespace

const LineKernels& line_kernels() {
    static const LineKernels& best = line_kernels_for(best_instruction_set());
    return best;
}

std::vector<const LineKernels*> available_line_kernels() {
    std::vector<const LineKernels*> found;
    for (const InstructionSet set : available_instruction_sets())
        found.push_back(&line_kernels_for(set));
    return found;
}

}  // namespace kirchnet::detail
