#pragma once

#include <cstddef>
#include <memory>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace kirchnet::detail {

/// Uninitialised doubles at a page's beginning. Large buffers ask for large pages: networks are
/// read in strides, which otherwise costs a page walk each.
class AlignedBuffer {
  public:
    AlignedBuffer() = default;
    explicit AlignedBuffer(std::size_t size)
        : data_(static_cast<double*>(::operator new(size * sizeof(double), alignment))),
          size_(size) {
#ifdef __linux__
        // Advice: where it is not taken, everything is only slower.
        (void)madvise(data_.get(), size * sizeof(double), MADV_HUGEPAGE);
#endif
    }

    [[nodiscard]] double* data() const {
        return data_.get();
    }
    [[nodiscard]] std::size_t size() const {
        return size_;
    }

  private:
    static constexpr std::align_val_t alignment{4096};
    struct Free {
        void operator()(double* data) const { ::operator delete(data, alignment); }
    };
    std::unique_ptr<double, Free> data_;
    std::size_t size_ = 0;
};

}  // namespace kirchnet::detail
