// Compiled once per instruction set; KIRCHNET_ISA names the set.
//
// Leaves are reduced side by side, one to a lane: cells to 2 x 2, 2 x 4, 4 x 4, 4 x 8, 8 x 8, by
// the same eliminations as in port_kernels_isa.cpp. Their networks are [ports x ports] of vectors,
// ports in the order left, top, bottom, right.
#include <utility>

#include "solver/detail/leaf_kernels.hpp"
#include "solver/detail/port_lanes.hpp"

namespace kirchnet::detail::KIRCHNET_ISA {
namespace {

/// How two equal tiles become one: which ports meet, and where the others come from. Remaining
/// ports are described in pairs, which always come from one side of one tile.
struct Join {
    static constexpr std::size_t most_pairs = leaf_ports / 2;
    std::size_t child_ports = 0;
    std::size_t interface[2][leaf_side] = {};
    std::size_t owner[most_pairs] = {};
    std::size_t place[most_pairs] = {};
    /// Source of the conductances between two pairs: first tile, second tile, or nothing.
    std::int16_t source[most_pairs][most_pairs] = {};
    std::int16_t offset[most_pairs][most_pairs] = {};

    constexpr void add(std::size_t& pair, std::size_t which, std::size_t first, std::size_t count) {
        for (std::size_t k = 0; k < count; k += 2, ++pair) {
            owner[pair] = which;
            place[pair] = first + k;
        }
    }

    constexpr void find_sources(std::size_t pairs) {
        for (std::size_t i = 0; i < pairs; ++i)
            for (std::size_t j = 0; j < pairs; ++j) {
                const bool is_apart = owner[i] != owner[j];
                source[i][j] = static_cast<std::int16_t>(is_apart ? 2 : owner[i]);
                offset[i][j] =
                    static_cast<std::int16_t>(is_apart ? 0 : place[i] * child_ports + place[j]);
            }
    }
};

constexpr Join join_side_by_side(std::size_t rows, std::size_t columns) {
    const std::size_t top = rows, bottom = rows + columns, right = rows + 2 * columns;
    Join join;
    join.child_ports = 2 * (rows + columns);
    for (std::size_t k = 0; k < rows; ++k) {
        join.interface[0][k] = right + k;
        join.interface[1][k] = k;
    }
    std::size_t pairs = 0;
    join.add(pairs, 0, 0, rows);
    for (const std::size_t side : {top, bottom}) {
        join.add(pairs, 0, side, columns);
        join.add(pairs, 1, side, columns);
    }
    join.add(pairs, 1, right, rows);
    join.find_sources(pairs);
    return join;
}

constexpr Join join_stacked(std::size_t rows, std::size_t columns) {
    const std::size_t top = rows, bottom = rows + columns, right = rows + 2 * columns;
    Join join;
    join.child_ports = 2 * (rows + columns);
    for (std::size_t k = 0; k < columns; ++k) {
        join.interface[0][k] = bottom + k;
        join.interface[1][k] = top + k;
    }
    std::size_t pairs = 0;
    join.add(pairs, 0, 0, rows);
    join.add(pairs, 1, 0, rows);
    join.add(pairs, 0, top, columns);
    join.add(pairs, 1, bottom, columns);
    join.add(pairs, 0, right, rows);
    join.add(pairs, 1, right, rows);
    join.find_sources(pairs);
    return join;
}

inline Lanes where_conducting(Lanes d, Lanes value) {
    return d > nothing_conducts ? value : Lanes{};
}

inline Lanes reciprocal(Lanes d) {
    return where_conducting(d, 1 / d);
}

inline Lanes reciprocal_root(Lanes d) {
    Lanes root;
    for (std::size_t i = 0; i < lanes; ++i) root[i] = __builtin_sqrt(d[i]);
    return where_conducting(d, 1 / root);
}

template <std::size_t N, std::size_t P>
inline void fetch_row(const Join& join, const Lanes* const (&tile)[3], std::size_t k, Lanes* row) {
    const Lanes* const from[2] = {tile[0] + join.interface[0][k] * join.child_ports,
                                  tile[1] + join.interface[1][k] * join.child_ports};
    for (std::size_t j = k + 1; j < N; ++j)
        row[j] = from[0][join.interface[0][j]] + from[1][join.interface[1][j]];
    for (std::size_t pair = 0; pair < P / 2; ++pair) {
        const Lanes* const source = from[join.owner[pair]] + join.place[pair];
        row[N + 2 * pair] = source[0];
        row[N + 2 * pair + 1] = source[1];
    }
}

/// Applies the pivots before k to row k and scales it; entry k becomes 1 / sqrt(d).
template <std::size_t N, std::size_t P>
inline void eliminate_row(Lanes* x, std::size_t k) {
    constexpr std::size_t width = N + P;
    constexpr std::size_t chunk = width % 4 == 0 ? 4 : 2;
    Lanes* const row = x + k * width;
    Lanes sums[chunk] = {};
    for (std::size_t j = (k + 1) / chunk * chunk; j < width; j += chunk) {
        Lanes y[chunk];
#pragma GCC unroll 4
        for (std::size_t c = 0; c < chunk; ++c) y[c] = row[j + c];
        for (std::size_t m = 0; m < k; ++m) {
            const Lanes left = x[m * width + k];
#pragma GCC unroll 4
            for (std::size_t c = 0; c < chunk; ++c) y[c] += left * x[m * width + j + c];
        }
#pragma GCC unroll 4
        for (std::size_t c = 0; c < chunk; ++c) {
            row[j + c] = y[c];
            if (j + c > k) sums[c] += y[c];
        }
    }
    Lanes total = sums[0];
    for (std::size_t c = 1; c < chunk; ++c) total += sums[c];
    const Lanes scale = reciprocal_root(total);
    for (std::size_t j = k + 1; j < width; ++j) row[j] *= scale;
    row[k] = scale;
}

constexpr std::size_t square = 4;  // ports along each side of the register tile
using Square = Lanes[square][square];

/// Conductances before elimination, from the tiles.
inline void fetch_square(const Join& join, const Lanes* const (&tile)[3], std::size_t row,
                         std::size_t column, Square& y) {
#pragma GCC unroll 2
    for (std::size_t i = 0; i < square; i += 2)
#pragma GCC unroll 2
        for (std::size_t j = 0; j < square; j += 2) {
            const std::size_t p = (row + i) / 2, q = (column + j) / 2;
            const Lanes* const from = tile[join.source[p][q]] + join.offset[p][q];
            y[i][j] = from[0];
            y[i][j + 1] = from[1];
            y[i + 1][j] = from[join.child_ports];
            y[i + 1][j + 1] = from[join.child_ports + 1];
        }
}

/// What the interface adds between remaining ports, both triangles of `out`.
template <std::size_t N, std::size_t P>
inline void multiply(const Join& join, const Lanes* const (&tile)[3], const Lanes* x, Lanes* out) {
    constexpr std::size_t width = N + P;
    for (std::size_t row = 0; row < P; row += square)
        for (std::size_t column = row; column < P; column += square) {
            Square y;
            fetch_square(join, tile, row, column, y);
            const Lanes* left = x + N + row;
            const Lanes* right = x + N + column;
            for (std::size_t k = 0; k < N; ++k, left += width, right += width)
#pragma GCC unroll 4
                for (std::size_t i = 0; i < square; ++i)
#pragma GCC unroll 4
                    for (std::size_t j = 0; j < square; ++j) y[i][j] += left[i] * right[j];
#pragma GCC unroll 4
            for (std::size_t i = 0; i < square; ++i)
#pragma GCC unroll 4
                for (std::size_t j = 0; j < square; ++j) {
                    out[(row + i) * P + column + j] = y[i][j];
                    out[(column + j) * P + row + i] = y[i][j];
                }
        }
}

alignas(64) constexpr Lanes no_conductances[leaf_ports] = {};

/// @param x  [N × (N + P)], the factor left behind
template <std::size_t N, std::size_t P>
inline void join_tiles(const Join& join, const Lanes* first, const Lanes* second, Lanes* x,
                       Lanes* out) {
    const Lanes* const tile[3] = {first, second, no_conductances};
    for (std::size_t k = 0; k < N; ++k) {
        fetch_row<N, P>(join, tile, k, x + k * (N + P));
        eliminate_row<N, P>(x, k);
    }
    multiply<N, P>(join, tile, x, out);
}

struct LeafCells {
    Lanes cell[leaf_side][leaf_side];
    Lanes left[leaf_side][leaf_side];
    Lanes below[leaf_side][leaf_side];
};

constexpr std::size_t block_ports = 8;  // of 2 x 2 cells

/// 2 x 2 cells by hand: four nodes with three or four neighbours each.
inline void reduce_cells(const LeafCells& c, std::size_t r, std::size_t q, Lanes* y) {
    enum { L0, L1, T0, T1, B0, B1, R0, R1 };
    for (std::size_t i = 0; i < block_ports * block_ports; ++i) y[i] = Lanes{};
    const auto add = [y](std::size_t i, std::size_t j, Lanes conductance) {
        y[i * block_ports + j] += conductance;
        y[j * block_ports + i] = y[i * block_ports + j];
    };
    {  // upper left word-line node
        const Lanes a = c.left[r][q], b = c.left[r][q + 1], g = c.cell[r][q];
        const Lanes scale = reciprocal(a + b + g);
        add(L0, R0, a * scale * b);
        add(T0, L0, a * scale * g);
        add(T0, R0, b * scale * g);
    }
    {  // lower right bit-line node
        const Lanes a = c.below[r][q + 1], b = c.below[r + 1][q + 1], g = c.cell[r + 1][q + 1];
        const Lanes scale = reciprocal(a + b + g);
        add(T1, B1, a * scale * b);
        add(T1, R1, a * scale * g);
        add(B1, R1, b * scale * g);
    }
    {  // lower left cell: word-line node, then bit-line node
        const Lanes a = c.left[r + 1][q], b = c.left[r + 1][q + 1], g = c.cell[r + 1][q];
        const Lanes scale = reciprocal(a + b + g);
        const Lanes to_left = a * scale * g, to_right = b * scale * g;
        add(L1, R1, a * scale * b);
        const Lanes up = c.below[r][q], down = c.below[r + 1][q];
        const Lanes scale2 = reciprocal(up + down + to_left + to_right);
        add(T0, B0, up * scale2 * down);
        add(T0, L1, up * scale2 * to_left);
        add(T0, R1, up * scale2 * to_right);
        add(B0, L1, down * scale2 * to_left);
        add(B0, R1, down * scale2 * to_right);
        add(L1, R1, to_left * scale2 * to_right);
    }
    add(T1, R0, c.cell[r][q + 1]);
}

/// Room for factors: kept one after the other, or one on top of the other.
class FactorRoom {
  public:
    FactorRoom(Lanes* kept, Lanes* scratch)
        : next_(kept != nullptr ? kept : scratch), keeps_(kept != nullptr) {}
    Lanes* take(std::size_t size) {
        Lanes* const here = next_;
        if (keeps_) next_ += size;
        return here;
    }

  private:
    Lanes* next_;
    bool keeps_;
};

inline void reduce_4x4(const LeafCells& cells, std::size_t r, std::size_t q, FactorRoom& room,
                       Lanes* out) {
    static constexpr Join sides = join_side_by_side(2, 2);
    static constexpr Join stacked = join_stacked(2, 4);
    alignas(64) Lanes block[2][8 * 8];
    alignas(64) Lanes half[2][12 * 12];
    for (std::size_t i = 0; i < 2; ++i) {
        reduce_cells(cells, r + 2 * i, q, block[0]);
        reduce_cells(cells, r + 2 * i, q + 2, block[1]);
        join_tiles<2, 12>(sides, block[0], block[1], room.take(factor_size<2, 12>), half[i]);
    }
    join_tiles<4, 16>(stacked, half[0], half[1], room.take(factor_size<4, 16>), out);
}

inline void reduce_leaf(const LeafCells& cells, FactorRoom room, Lanes* out) {
    static constexpr Join sides = join_side_by_side(4, 4);
    static constexpr Join stacked = join_stacked(4, 8);
    alignas(64) Lanes quarter[2][16 * 16];
    alignas(64) Lanes half[2][24 * 24];
    for (std::size_t i = 0; i < 2; ++i) {
        reduce_4x4(cells, 4 * i, 0, room, quarter[0]);
        reduce_4x4(cells, 4 * i, 4, room, quarter[1]);
        join_tiles<4, 24>(sides, quarter[0], quarter[1], room.take(factor_size<4, 24>), half[i]);
    }
    join_tiles<8, 32>(stacked, half[0], half[1], room.take(factor_size<8, 32>), out);
}

template <std::size_t Step, std::size_t... Lane>
inline void exchange(Lanes& x, Lanes& y, std::index_sequence<Lane...>) {
    const Lanes low =
        __builtin_shufflevector(x, y, ((Lane & Step) != 0 ? lanes + Lane - Step : Lane)...);
    const Lanes high =
        __builtin_shufflevector(x, y, ((Lane & Step) != 0 ? lanes + Lane : Lane + Step)...);
    x = low;
    y = high;
}

template <std::size_t Step>
inline void exchange_all(Lanes (&m)[lanes]) {
#pragma GCC unroll 8
    for (std::size_t i = 0; i < lanes; ++i)
        if ((i & Step) == 0) exchange<Step>(m[i], m[i + Step], std::make_index_sequence<lanes>());
}

inline void transpose(Lanes (&m)[lanes]) {
    exchange_all<1>(m);
    if constexpr (lanes > 2) exchange_all<2>(m);
    if constexpr (lanes > 4) exchange_all<4>(m);
}

/// One row of cells of each leaf, one leaf to a lane.
inline void load_row(const double* const (&from)[lanes], Lanes (&row)[leaf_side]) {
    for (std::size_t c = 0; c < leaf_side; c += lanes) {
        Lanes m[lanes];
        for (std::size_t i = 0; i < lanes; ++i) m[i] = load(from[i] + c);
        transpose(m);
        for (std::size_t i = 0; i < lanes; ++i) row[c + i] = m[i];
    }
}

inline void load_cells(const PaddedArray& array, const LeafPlace* places, std::size_t count,
                       LeafCells& cells) {
    const auto load_from = [&](const double* values, Lanes(&to)[leaf_side][leaf_side]) {
        for (std::size_t r = 0; r < leaf_side; ++r) {
            const double* from[lanes];
            for (std::size_t i = 0; i < lanes; ++i) {
                const LeafPlace& place = places[i < count ? i : 0];
                from[i] = values + (place.first_row + r) * array.stride + place.first_column;
            }
            load_row(from, to[r]);
        }
    };
    load_from(array.cell, cells.cell);
    load_from(array.left, cells.left);
    load_from(array.below, cells.below);
}

/// From one leaf to a lane to blocks per leaf.
inline void store_networks(const Lanes* y, const LeafPlace* places, std::size_t count) {
    for (std::size_t row = 0; row < leaf_ports; ++row)
        for (std::size_t column = 0; column < leaf_ports; column += lanes) {
            Lanes m[lanes];
            for (std::size_t i = 0; i < lanes; ++i) m[i] = y[row * leaf_ports + column + i];
            transpose(m);
            const std::size_t block =
                row / port_block * (leaf_ports / port_block) + column / port_block;
            const std::size_t within = row % port_block * port_block + column % port_block;
            for (std::size_t i = 0; i < count; ++i)
                store(places[i].between + block * block_size + within, m[i]);
        }
}

// ------------------------------------------------------------------------------------- voltages
//
// What elimination took out comes back in reverse order: a node's voltage is the mean of its
// neighbours' by conductance, v_k = sum_j y_kj v_j / d_k = (1 / sqrt(d_k)) sum_j x_kj v_j.

struct LeafVoltages {
    Lanes word[leaf_side][leaf_side];
    Lanes bit[leaf_side][leaf_side];
};

/// Voltages of two tiles' ports from those of the ports that remained.
template <std::size_t N, std::size_t P>
inline void split(const Join& join, const Lanes* x, const Lanes* ports, Lanes* first,
                  Lanes* second) {
    constexpr std::size_t width = N + P;
    Lanes* const tile[2] = {first, second};
    Lanes shared[N];
    for (std::size_t k = N; k-- > 0;) {
        const Lanes* const row = x + k * width;
        Lanes sum{};
        for (std::size_t j = k + 1; j < N; ++j) sum += row[j] * shared[j];
        for (std::size_t q = 0; q < P; ++q) sum += row[N + q] * ports[q];
        shared[k] = sum * row[k];
        first[join.interface[0][k]] = shared[k];
        second[join.interface[1][k]] = shared[k];
    }
    for (std::size_t q = 0; q < P; ++q)
        tile[join.owner[q / 2]][join.place[q / 2] + q % 2] = ports[q];
}

/// The nodes `reduce_cells` eliminated.
inline void restore_cells(const LeafCells& c, std::size_t r, std::size_t q, const Lanes* port,
                          LeafVoltages& voltage) {
    enum { L0, L1, T0, T1, B0, B1, R0, R1 };
    voltage.word[r][q + 1] = port[R0];
    voltage.word[r + 1][q + 1] = port[R1];
    voltage.bit[r][q] = port[T0];
    voltage.bit[r][q + 1] = port[T1];
    {
        const Lanes a = c.left[r][q], b = c.left[r][q + 1], g = c.cell[r][q];
        voltage.word[r][q] = reciprocal(a + b + g) * (a * port[L0] + b * port[R0] + g * port[T0]);
    }
    {
        const Lanes a = c.below[r][q + 1], b = c.below[r + 1][q + 1], g = c.cell[r + 1][q + 1];
        voltage.bit[r + 1][q + 1] =
            reciprocal(a + b + g) * (a * port[T1] + b * port[B1] + g * port[R1]);
    }
    {
        const Lanes a = c.left[r + 1][q], b = c.left[r + 1][q + 1], g = c.cell[r + 1][q];
        const Lanes scale = reciprocal(a + b + g);
        const Lanes to_left = a * scale * g, to_right = b * scale * g;
        const Lanes up = c.below[r][q], down = c.below[r + 1][q];
        const Lanes bit =
            reciprocal(up + down + to_left + to_right) *
            (up * port[T0] + down * port[B0] + to_left * port[L1] + to_right * port[R1]);
        voltage.bit[r + 1][q] = bit;
        voltage.word[r + 1][q] = scale * (a * port[L1] + b * port[R1] + g * bit);
    }
}

/// Factors in the order in which `reduce_leaf` left them.
struct Restorer {
    const LeafCells& cells;
    const Lanes* factors;
    LeafVoltages& voltage;

    void restore_4x4(std::size_t r, std::size_t q, const Lanes* ports, const Lanes* x) {
        static constexpr Join sides = join_side_by_side(2, 2);
        static constexpr Join stacked = join_stacked(2, 4);
        Lanes half[2][12];
        split<4, 16>(stacked, x + 2 * factor_size<2, 12>, ports, half[0], half[1]);
        for (std::size_t i = 0; i < 2; ++i) {
            Lanes block[2][8];
            split<2, 12>(sides, x + i * factor_size<2, 12>, half[i], block[0], block[1]);
            restore_cells(cells, r + 2 * i, q, block[0], voltage);
            restore_cells(cells, r + 2 * i, q + 2, block[1], voltage);
        }
    }

    void restore_leaf(const Lanes* ports) {
        static constexpr Join sides = join_side_by_side(4, 4);
        static constexpr Join stacked = join_stacked(4, 8);
        constexpr std::size_t quarter_size = 2 * factor_size<2, 12> + factor_size<4, 16>;
        constexpr std::size_t half_size = 2 * quarter_size + factor_size<4, 24>;
        Lanes half[2][24];
        split<8, 32>(stacked, factors + 2 * half_size, ports, half[0], half[1]);
        for (std::size_t i = 0; i < 2; ++i) {
            const Lanes* const x = factors + i * half_size;
            Lanes quarter[2][16];
            split<4, 24>(sides, x + 2 * quarter_size, half[i], quarter[0], quarter[1]);
            restore_4x4(4 * i, 0, quarter[0], x);
            restore_4x4(4 * i, 4, quarter[1], x + quarter_size);
        }
    }
};

}  // namespace

void reduce_leaves(const PaddedArray& array, const LeafPlace* places, std::size_t count,
                   double* factor) {
    alignas(64) LeafCells cells;
    alignas(64) Lanes scratch[factor_size<8, 32>];
    alignas(64) Lanes network[leaf_ports * leaf_ports];
    load_cells(array, places, count, cells);
    reduce_leaf(cells, FactorRoom(reinterpret_cast<Lanes*>(factor), scratch), network);
    store_networks(network, places, count);
}

void restore_leaves(const PaddedArray& array, const LeafPlace* places, std::size_t count,
                    const double* factor, const double* ports, double* word, double* bit) {
    alignas(64) LeafCells cells;
    alignas(64) LeafVoltages voltage;
    load_cells(array, places, count, cells);
    Restorer{cells, reinterpret_cast<const Lanes*>(factor), voltage}.restore_leaf(
        reinterpret_cast<const Lanes*>(ports));
    __builtin_memcpy(word, voltage.word, sizeof voltage.word);
    __builtin_memcpy(bit, voltage.bit, sizeof voltage.bit);
}

}  // namespace kirchnet::detail::KIRCHNET_ISA
