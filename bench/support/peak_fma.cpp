#include "bench/support/peak_fma.hpp"

namespace kirchnet::bench {

namespace baseline {
extern const PeakLoop loop;
}
#ifdef KIRCHNET_X86_KERNELS
namespace avx2 {
extern const PeakLoop loop;
}
namespace avx512 {
extern const PeakLoop loop;
}
#endif

const PeakLoop& peak_loop(InstructionSet set) {
#ifdef KIRCHNET_X86_KERNELS
    if (set == InstructionSet::avx2) return avx2::loop;
    if (set == InstructionSet::avx512) return avx512::loop;
#endif
    (void)set;
    return baseline::loop;
}

}  // namespace kirchnet::bench
