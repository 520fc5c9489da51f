#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "data/detail/shape.hpp"
#include "data/network.hpp"

namespace kirchnet {

/// As many as are read; PyTorch's networks use five at most.
inline constexpr std::size_t most_dimensions = 16;

/// How a file stores a tensor's numbers, little-endian.
enum class NumberType { f16, bf16, f32, f64, i8, u8, i16, i32, i64, boolean };

/// Bytes of one number.
std::size_t size_of(NumberType type);

/// Memory that the tensors of one file may take. Views may name the same bytes again and again, so
/// a small file could ask for any amount.
class MemoryBudget {
  public:
    /// @param file_size  [bytes]
    /// @param expansion  of file bytes into float32 bytes; the default leaves room for half
    /// precision
    ///                   and views, and small files get some megabytes whatever their size
    explicit MemoryBudget(std::size_t file_size, std::size_t expansion = 16);

    /// @throws InvalidInput  about `where` when all tensors together exceed what the file may need
    void take(std::size_t values, const std::string& where);

  private:
    std::size_t left_;
};

/// A tensor's place within stored numbers: index i of the tensor is number
/// offset + sum_k i_k strides_k.
struct TensorLayout {
    Shape shape;
    Shape strides;           ///< in numbers; as many as extents
    std::size_t offset = 0;  ///< in numbers
};

/// Strides of a tensor whose last index is fastest without gaps.
Shape dense_strides(const Shape& shape);

/// The tensor as float32, integers and doubles rounded.
/// @param stored  all numbers of the storage
/// @throws InvalidInput  about `where` when the layout reaches past the stored numbers
Tensor decode_tensor(std::string_view stored, NumberType type, const TensorLayout& layout,
                     MemoryBudget& budget, const std::string& where);

}  // namespace kirchnet
