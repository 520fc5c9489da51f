// The number of clusters is the quantile of one uniform number u, which only grows with the mean;
// centre k is the k-th pair of numbers of the array, whatever the mean. One number per cell decides
// for all clusters that reach it, so overlapping clusters hit no cell twice.
#include "circuit/fault_clusters.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "circuit/cell_counter.hpp"
#include "circuit/detail/checks.hpp"
#include "circuit/error.hpp"
#include "circuit/random.hpp"

namespace kirchnet {
namespace {

constexpr std::array all_shapes{ClusterShape::word_line, ClusterShape::bit_line,
                                ClusterShape::block, ClusterShape::ring};
constexpr double most_per_array = 100;

/// Smallest k with P(K <= k) > u for K of this mean.
int poisson_quantile(double mean, double u) {
    double term = std::exp(-mean);
    double sum = term;
    int k = 0;
    // The sum ends just below 1, where rounding may hold it under u; no term is left by then.
    while (sum <= u && term > 0) {
        ++k;
        term *= mean / k;
        sum += term;
    }
    return k;
}

struct Centre {
    Index word_line;
    Index bit_line;
};

/// Whether offset `d` lies within `size` cells around 0; of an even number, the further one is
/// after the centre. All of a line where `size` is 0.
bool is_within(Index d, int size) {
    return size == 0 || (d >= -(size - 1) / 2 && d <= size / 2);
}

bool reaches(const ClusterLaw& law, const Centre& centre, Index r, Index c) {
    const Index down = r - centre.word_line;
    const Index right = c - centre.bit_line;
    switch (law.shape) {
        case ClusterShape::word_line:
            return down == 0 && is_within(right, law.size);
        case ClusterShape::bit_line:
            return right == 0 && is_within(down, law.size);
        case ClusterShape::block:
            return is_within(down, law.size) && is_within(right, law.size);
        case ClusterShape::ring:
            break;
    }
    const double distance = std::hypot(static_cast<double>(down), static_cast<double>(right));
    return std::abs(distance - law.size) <= 0.5;
}

}  // namespace

std::string_view to_string(ClusterShape shape) {
    constexpr std::array<std::string_view, 4> words{"word_line", "bit_line", "block", "ring"};
    return words[static_cast<std::size_t>(shape)];
}

ClusterShape parse_cluster_shape(std::string_view text) {
    for (const ClusterShape shape : all_shapes)
        if (text == to_string(shape)) return shape;
    throw InvalidInput(
        fmt::format("cluster shape '{}' is none of word_line, bit_line, block, ring", text));
}

void check(const ClusterLaw& law) {
    if (!(law.per_array >= 0 && law.per_array <= most_per_array))
        throw InvalidInput("clusters per array",
                           fmt::format("{} is not within 0 and {}", law.per_array, most_per_array));
    detail::check_probability(law.density, "density of clusters");
    const bool is_line =
        law.shape == ClusterShape::word_line || law.shape == ClusterShape::bit_line;
    if (law.size < (is_line ? 0 : 1))
        throw InvalidInput("size of clusters",
                           fmt::format("{} cells is not at least {}", law.size,
                                       is_line ? "0, which is the whole line" : "1"));
}

FaultMatrix draw_clusters(const ClusterLaw& law, double stuck_on_per_off, std::uint64_t seed,
                          std::uint32_t trial, std::string_view layer, const ArrayPlace& place,
                          const ArrayShape& shape) {
    const Index m = shape.word_lines;
    const Index n = shape.bit_lines;
    FaultMatrix faults = FaultMatrix::Constant(m, n, Fault::none);
    const std::uint64_t stream = stream_of(layer);
    const auto uniform = [&](ArrayPurpose purpose, Index x, Index y) {
        return keyed_uniform(seed, stream, array_counter(trial, purpose, place, x, y));
    };
    const int clusters =
        poisson_quantile(law.per_array, uniform(ArrayPurpose::cluster_count, 0, 0));
    const double off_share = 1 / (1 + stuck_on_per_off);
    for (int k = 0; k < clusters; ++k) {
        const auto place_in = [&](Index coordinate, Index lines) {
            const double u = uniform(ArrayPurpose::cluster_centre, k, coordinate);
            return static_cast<Index>(u * static_cast<double>(lines));
        };
        const Centre centre{place_in(0, m), place_in(1, n)};
        for (Index r = 0; r < m; ++r)
            for (Index c = 0; c < n; ++c) {
                if (!reaches(law, centre, r, c)) continue;
                const double u = uniform(ArrayPurpose::cluster_cell, r, c);
                if (u >= law.density) continue;
                const bool is_off = uniform(ArrayPurpose::cluster_state, r, c) < off_share;
                faults(r, c) = is_off ? Fault::stuck_off : Fault::stuck_on;
            }
    }
    return faults;
}

}  // namespace kirchnet
