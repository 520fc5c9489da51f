#include "nn/detail/product_kernels.hpp"

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

std::vector<const ProductKernels*> available_kernels() {
    std::vector<const ProductKernels*> found{&baseline::kernels};
#ifdef KIRCHNET_X86_KERNELS
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        found.push_back(&avx2::kernels);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
        found.push_back(&avx512::kernels);
#endif
    return found;
}

const ProductKernels& product_kernels() {
    static const ProductKernels& best = *available_kernels().back();
    return best;
}

}  // namespace kirchnet::detail
