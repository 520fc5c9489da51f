#include "nn/detail/product_kernels.hpp"

#include "circuit/instruction_set.hpp"

namespace kirchnet::detail {

namespace baseline {
extern const ProductKernels kernels;
}
#ifdef KIRCHNET_X86_KERNELS
namespace avx2 {
extern const ProductKernels kernels;
}
namespace avx512 {
extern const ProductKernels kernels;
}
#endif

namespace {

const ProductKernels& kernels_for(InstructionSet set) {
#ifdef KIRCHNET_X86_KERNELS
    if (set == InstructionSet::avx2) return avx2::kernels;
    if (set == InstructionSet::avx512) return avx512::kernels;
#endif
    (void)set;
    return baseline::kernels;
}

}  // namespace

std::vector<const ProductKernels*> available_kernels() {
    std::vector<const ProductKernels*> found;
    for (const InstructionSet set : available_instruction_sets())
        found.push_back(&kernels_for(set));
    return found;
}

const ProductKernels& product_kernels() {
    static const ProductKernels& best = kernels_for(best_instruction_set());
    return best;
}

}  // namespace kirchnet::detail
