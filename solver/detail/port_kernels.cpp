#include "solver/detail/port_kernels.hpp"

namespace kirchnet::detail {

namespace baseline {
extern const PortKernels port_kernels;
}
#ifdef KIRCHNET_X86_KERNELS
namespace avx2 {
extern const PortKernels port_kernels;
}
namespace avx512 {
extern const PortKernels port_kernels;
}
#endif

const PortKernels& port_kernels(InstructionSet set) {
#ifdef KIRCHNET_X86_KERNELS
    if (set == InstructionSet::avx2) return avx2::port_kernels;
    if (set == InstructionSet::avx512) return avx512::port_kernels;
#endif
    (void)set;
    return baseline::port_kernels;
}

}  // namespace kirchnet::detail
