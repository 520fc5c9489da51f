#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace kirchnet::detail {

/// Memory that begins with a cache line, so that vectors in it do not straddle two. What `resize`
/// adds is not set to zero.
template <typename T>
struct LineAllocator {
    using value_type = T;
    static constexpr std::align_val_t line{64};

    LineAllocator() = default;
    template <typename U>
    explicit LineAllocator(const LineAllocator<U>& /*other*/) {}

    [[nodiscard]] T* allocate(std::size_t size) {
        return static_cast<T*>(::operator new(size * sizeof(T), line));
    }
    void deallocate(T* data, std::size_t /*size*/) { ::operator delete(data, line); }
    template <typename U>
    void construct(U* place) {
        ::new (static_cast<void*>(place)) U;
    }
    template <typename U, typename... Arguments>
    void construct(U* place, Arguments&&... arguments) {
        ::new (static_cast<void*>(place)) U(static_cast<Arguments&&>(arguments)...);
    }
    friend bool operator==(const LineAllocator&, const LineAllocator&) = default;
};

using Buffer = std::vector<float, LineAllocator<float>>;

/// Grows a buffer to `size`, and never shrinks it; what it held is lost.
inline void grow(Buffer& buffer, std::size_t size) {
    if (buffer.size() >= size) return;
    buffer.clear();
    buffer.resize(size);
}

}  // namespace kirchnet::detail
