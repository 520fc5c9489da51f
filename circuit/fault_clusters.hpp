#pragma once

#include <cstdint>
#include <string_view>

#include "circuit/fault.hpp"
#include "circuit/line_faults.hpp"

namespace kirchnet {

/// Which cells of an array a cluster may hit.
enum class ClusterShape : std::uint8_t {
    word_line,  ///< `size` neighbouring cells of a word line, around the centre
    bit_line,   ///< `size` neighbouring cells of a bit line, around the centre
    block,      ///< `size` × `size` cells around the centre
    ring        ///< cells whose distance from the centre is within half a cell of `size`
};

std::string_view to_string(ClusterShape shape);
/// @throws InvalidInput  naming the accepted words
ClusterShape parse_cluster_shape(std::string_view text);

/// Faults that come together. The number of clusters of an array is Poisson-distributed, each has
/// its centre at a cell of the array, all alike likely, and every cell of its shape inside the
/// array is stuck with probability `density`, on or off as single cells are.
struct ClusterLaw {
    double per_array = 0;  ///< clusters expected in an array, 0 to 100
    ClusterShape shape = ClusterShape::block;
    int size = 4;          ///< [cells], at least 1; 0 with lines: the whole line
    double density = 1.0;  ///< 0 to 1

    [[nodiscard]] bool is_on() const { return per_array > 0 && density > 0; }
    friend bool operator==(const ClusterLaw&, const ClusterLaw&) = default;
};

/// @throws InvalidInput  naming the number that is out of range
void check(const ClusterLaw& law);

/// Which cells of one array clusters make stuck, and at what: a pure function of its arguments.
/// Nested: a larger `per_array` adds clusters to those there are, a larger `density` cells.
/// @param stuck_on_per_off  stuck-on : stuck-off
FaultMatrix draw_clusters(const ClusterLaw& law, double stuck_on_per_off, std::uint64_t seed,
                          std::uint32_t trial, std::string_view layer, const ArrayPlace& place,
                          const ArrayShape& shape);

}  // namespace kirchnet
