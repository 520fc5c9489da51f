#include "nn/detail/map_kernels.hpp"

#include "circuit/instruction_set.hpp"

namespace kirchnet::detail {

namespace baseline {
extern const MapKernels map_kernels;
}
#ifdef KIRCHNET_X86_KERNELS
namespace avx2 {
extern const MapKernels map_kernels;
}
namespace avx512 {
extern const MapKernels map_kernels;
}
#endif

namespace {

const MapKernels& kernels_for(InstructionSet set) {
#ifdef KIRCHNET_X86_KERNELS
    if (set == InstructionSet::avx2) return avx2::map_kernels;
    if (set == InstructionSet::avx512) return avx512::map_kernels;
#endif
    (void)set;
    return baseline::map_kernels;
}

}  // namespace

const MapKernels& map_kernels() {
    static const MapKernels& best = kernels_for(best_instruction_set());
    return best;
}

std::vector<const MapKernels*> available_map_kernels() {
    std::vector<const MapKernels*> found;
    for (const InstructionSet set : available_instruction_sets())
        found.push_back(&kernels_for(set));
    return found;
}

}  // namespace kirchnet::detail
