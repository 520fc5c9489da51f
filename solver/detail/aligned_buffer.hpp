#pragma once

#include <cstddef>
#include <memory>
#include <new>

namespace kirchnet::detail {

/// Uninitialised doubles at a cache line's beginning, as vector instructions want them.
class AlignedBuffer {
  public:
    AlignedBuffer() = default;
    explicit AlignedBuffer(std::size_t size)
        : data_(static_cast<double*>(::operator new(size * sizeof(double), alignment))),
          size_(size) {}

    [[nodiscard]] double* data() const { return data_.get(); }
    [[nodiscard]] std::size_t size() const { return size_; }

  private:
    static constexpr std::align_val_t alignment{64};
    struct Free {
        void operator()(double* data) const { ::operator delete(data, alignment); }
    };
    std::unique_ptr<double, Free> data_;
    std::size_t size_ = 0;
};

}  // namespace kirchnet::detail
