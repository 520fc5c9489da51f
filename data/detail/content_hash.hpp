#pragma once

#include <xxhash.h>

#include <memory>
#include <string>
#include <string_view>

#include "circuit/geometry.hpp"

namespace kirchnet {

/// 128 bits that stand for a content (XXH3): they tell contents apart and keep no secrets. Every
/// part enters with its size, so that neighbouring parts cannot run into each other.
class ContentHash {
  public:
    ContentHash();

    void add(std::string_view text);
    /// Shape, then the bits of every value.
    void add(const CellMatrix& matrix);
    /// 32 hexadecimal digits.
    [[nodiscard]] std::string digits() const;

  private:
    void add_bytes(const void* bytes, std::size_t size);
    void add_size(std::uint64_t size);

    std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state_;
};

/// XXH3's 128 bits of plain bytes, as 32 hexadecimal digits: what `xxh128sum` prints.
std::string xxh128_digits(std::string_view bytes);

}  // namespace kirchnet
