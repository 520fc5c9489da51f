#pragma once

#include <hdf5.h>

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "data/detail/shape.hpp"

namespace kirchnet::hdf5 {

using kirchnet::element_count;
using kirchnet::Shape;
using kirchnet::to_string;

/// Owner of one HDF5 identifier.
class Handle {
  public:
    using Close = herr_t (*)(hid_t);

    Handle() = default;
    Handle(hid_t id, Close close) : id_(id), close_(close) {}
    Handle(Handle&& other) noexcept
        : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
    Handle& operator=(Handle&& other) noexcept {
        std::swap(id_, other.id_);
        std::swap(close_, other.close_);
        return *this;
    }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    ~Handle() {
        if (is_valid()) close_(id_);
    }

    [[nodiscard]] bool is_valid() const { return id_ >= 0; }
    [[nodiscard]] hid_t id() const { return id_; }

  private:
    hid_t id_ = H5I_INVALID_HID;
    Close close_ = nullptr;
};

/// Stops the library from printing its errors; we turn them into exceptions.
void silence();

/// The most specific line of the library's last error.
std::string last_error();

/// The in-memory type of a number: H5T_NATIVE_DOUBLE for double, and so on.
template <class Number>
hid_t native_type();
template <>
hid_t native_type<double>();
template <>
hid_t native_type<float>();
template <>
hid_t native_type<std::int32_t>();
template <>
hid_t native_type<std::int64_t>();
template <>
hid_t native_type<std::uint8_t>();
template <>
hid_t native_type<std::uint32_t>();
template <>
hid_t native_type<std::uint64_t>();

/// Variable-length UTF-8 text.
Handle text_type();

}  // namespace kirchnet::hdf5
