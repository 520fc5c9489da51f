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

std::vector<float> pack_weights(const std::vector<float>& weights, std::size_t outputs,
                                std::size_t rows) {
    const std::size_t blocks = (outputs + output_block - 1) / output_block;
    std::vector<float> packed(blocks * rows * output_block, 0.0F);
    for (std::size_t j = 0; j < outputs; ++j)
        for (std::size_t k = 0; k < rows; ++k)
            packed[(j / output_block * rows + k) * output_block + j % output_block] =
                weights[j * rows + k];
    return packed;
}

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
