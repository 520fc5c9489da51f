// Compiled once per instruction set; KIRCHNET_ISA names the set. Nothing here but vector types and
// plain pointers, so no inline function of a library can be compiled twice.
//
// A port network is the matrix y of conductances between its ports, all of them >= 0. Eliminating
// port k is the star-mesh transformation
//     y_ij += y_ik y_kj / d_k,    d_k = sum_j y_kj  over the ports that are left,
// for a block of ports the Cholesky factorisation of the grounded matrix with its diagonal always
// formed as a sum (Grassmann, Taksar and Heyman, Operations Research 33, 1985). With
// x_kj = y_kj / sqrt(d_k) it reads y_ij += sum_k x_ki x_kj: products and sums of numbers >= 0, so
// each conductance keeps its relative accuracy whatever the others are. A port without neighbours
// has d_k = 0 exactly and drops out.
#include "solver/detail/port_kernels.hpp"

#include <utility>

namespace kirchnet::detail::KIRCHNET_ISA {
namespace {

#if defined(__AVX512F__)
constexpr std::size_t lanes = 8;
constexpr std::size_t tile_rows = 8;    // of the register tile
constexpr std::size_t tile_blocks = 3;  // port blocks of columns
#elif defined(__AVX2__)
constexpr std::size_t lanes = 4;
constexpr std::size_t tile_rows = 4;
constexpr std::size_t tile_blocks = 1;
#else
constexpr std::size_t lanes = 2;
constexpr std::size_t tile_rows = 2;
constexpr std::size_t tile_blocks = 1;
#endif
constexpr std::size_t vectors = port_block / lanes;  // per port block
// Columns of a panel that stays in the second-level cache while rows pass by [port blocks].
constexpr std::size_t panel_blocks = 24;

using Vec = double __attribute__((vector_size(lanes * sizeof(double))));

inline Vec load(const double* from) {
    return *reinterpret_cast<const Vec*>(from);
}
inline void store(double* to, Vec value) {
    *reinterpret_cast<Vec*>(to) = value;
}
inline Vec broadcast(double value) {
    return value - Vec{};
}
inline double sum_of(Vec value) {
    double sum = 0;
    for (std::size_t i = 0; i < lanes; ++i) sum += value[i];
    return sum;
}

// ---------------------------------------------------------------------------------------- merge

alignas(64) constexpr double nothing[port_block] = {};

/// Where the entries before elimination come from, per block of columns.
template <std::size_t Blocks>
struct Source {
    const double* at[Blocks];
    std::size_t stride[Blocks];

    void set(std::size_t b, const PortChild& child, std::int32_t row, std::int32_t column) {
        at[b] = child.between + static_cast<std::size_t>(row) * port_block * child.stride +
                static_cast<std::size_t>(column) * port_block;
        stride[b] = child.stride;
    }
    void set_nothing(std::size_t b) {
        at[b] = nothing;
        stride[b] = 0;
    }
    [[nodiscard]] Vec vector(std::size_t row, std::size_t v) const {
        return load(at[v / vectors] + row * stride[v / vectors] + v % vectors * lanes);
    }
};

/// Entries both tiles contribute to.
template <std::size_t Blocks>
struct TwoSources {
    Source<Blocks> first;
    Source<Blocks> second;

    [[nodiscard]] Vec vector(std::size_t row, std::size_t v) const {
        return first.vector(row, v) + second.vector(row, v);
    }
};

template <std::size_t Blocks>
using Tile = Vec[tile_rows][Blocks * vectors];

/// y += sum over k < depth of x_k,row x_k,column
template <std::size_t Blocks>
inline void add_products(const double* rows, const double* columns, std::size_t stride,
                         std::size_t depth, Tile<Blocks>& y) {
    for (std::size_t k = 0; k < depth; ++k) {
        Vec right[Blocks * vectors];
#pragma GCC unroll 12
        for (std::size_t v = 0; v < Blocks * vectors; ++v) right[v] = load(columns + v * lanes);
#pragma GCC unroll 8
        for (std::size_t i = 0; i < tile_rows; ++i) {
            const Vec left = broadcast(rows[i]);
#pragma GCC unroll 12
            for (std::size_t v = 0; v < Blocks * vectors; ++v) y[i][v] += left * right[v];
        }
        rows += stride;
        columns += stride;
    }
}

/// One block of rows times `Blocks` blocks of columns: source plus products, to `out`.
template <std::size_t Blocks, typename AnySource>
inline void update(const AnySource& source, const double* rows, const double* columns,
                   std::size_t stride, std::size_t depth, double* out, std::size_t out_stride) {
    for (std::size_t first = 0; first < port_block; first += tile_rows) {
        Tile<Blocks> y;
#pragma GCC unroll 8
        for (std::size_t i = 0; i < tile_rows; ++i)
#pragma GCC unroll 12
            for (std::size_t v = 0; v < Blocks * vectors; ++v)
                y[i][v] = source.vector(first + i, v);
        add_products<Blocks>(rows + first, columns, stride, depth, y);
#pragma GCC unroll 8
        for (std::size_t i = 0; i < tile_rows; ++i)
#pragma GCC unroll 12
            for (std::size_t v = 0; v < Blocks * vectors; ++v)
                store(out + (first + i) * out_stride + v * lanes, y[i][v]);
    }
}

/// Calls `work` with a number of blocks known to the compiler, from `first` to `last`.
template <typename Work>
inline void for_each_chunk(std::size_t first, std::size_t last, Work work) {
    std::size_t at = first;
    for (; at + tile_blocks <= last; at += tile_blocks)
        work.template operator()<tile_blocks>(at);
    if constexpr (tile_blocks > 2)
        if (at + 2 == last) {
            work.template operator()<2>(at);
            return;
        }
    if (at < last) work.template operator()<1>(at);
}

/// Rows of one interface block, with all earlier pivots applied, and their sums beyond the block.
class RowGatherer {
  public:
    RowGatherer(const PortMerge& merge, std::size_t k) : merge_(merge), k_(k) {}

    void run(double (&beyond)[port_block]) {
        const std::size_t interface = merge_.interface_blocks;
        for_each_chunk(k_, interface, [&]<std::size_t Blocks>(std::size_t column) {
            if (merge_.children == 2)
                take<Blocks>(TwoSources<Blocks>{shared<Blocks>(0, column),
                                                shared<Blocks>(1, column)},
                             column);
            else
                take<Blocks>(shared<Blocks>(0, column), column);
        });
        for_each_chunk(interface, interface + merge_.port_blocks,
                       [&]<std::size_t Blocks>(std::size_t column) {
                           take<Blocks>(remaining<Blocks>(column - interface), column);
                       });
        for (std::size_t i = 0; i < port_block; ++i) beyond[i] = sum_of(sums_[i]);
    }

  private:
    template <std::size_t Blocks>
    [[nodiscard]] Source<Blocks> shared(std::size_t which, std::size_t column) const {
        const PortChild& child = merge_.child[which];
        Source<Blocks> source;
        for (std::size_t b = 0; b < Blocks; ++b)
            source.set(b, child, child.interface_block[k_], child.interface_block[column + b]);
        return source;
    }

    template <std::size_t Blocks>
    [[nodiscard]] Source<Blocks> remaining(std::size_t port) const {
        Source<Blocks> source;
        for (std::size_t b = 0; b < Blocks; ++b) {
            const PortChild& child = merge_.child[merge_.owner[port + b]];
            source.set(b, child, child.interface_block[k_], merge_.place[port + b]);
        }
        return source;
    }

    template <std::size_t Blocks, typename AnySource>
    void take(const AnySource& source, std::size_t column) {
        double* const x = merge_.factor;
        const std::size_t stride = merge_.factor_stride;
        const std::size_t row = k_ * port_block;
        double* const out = x + row * stride + column * port_block;
        update<Blocks>(source, x + row, x + column * port_block, stride, row, out, stride);
        const std::size_t skip = column == k_ ? vectors : 0;
        for (std::size_t i = 0; i < port_block; ++i)
            for (std::size_t v = skip; v < Blocks * vectors; ++v)
                sums_[i] += load(out + i * stride + v * lanes);
    }

    const PortMerge& merge_;
    std::size_t k_;
    Vec sums_[port_block] = {};
};

/// A row of a block, on any processor.
using Row = double __attribute__((vector_size(port_block * sizeof(double))));

template <std::size_t First, std::size_t... J>
inline void keep_after(Row& row, std::index_sequence<J...>) {
    row = Row{(J > First ? row[J] : 0.0)...};
}

inline double sum_of_row(const Row& row) {
    return ((row[0] + row[4]) + (row[2] + row[6])) + ((row[1] + row[5]) + (row[3] + row[7]));
}

/// Pivots within a block: y above the diagonal becomes x, the diagonal 1 / sqrt(d).
template <std::size_t K>
inline void eliminate_pivot(Row (&y)[port_block], Row (&x)[port_block], double (&beyond)[port_block]) {
    Row rest = y[K];
    keep_after<K>(rest, std::make_index_sequence<port_block>());
    const double d = sum_of_row(rest) + beyond[K];
    const double inverse = d > 0 ? 1 / d : 0;
    const Row share = rest * inverse;
#pragma GCC unroll 8
    for (std::size_t i = K + 1; i < port_block; ++i) {
        y[i] += share * y[K][i];
        beyond[i] += y[K][i] * (beyond[K] * inverse);
    }
    const double scale = __builtin_sqrt(inverse);
    x[K] = rest * scale;
    x[K][K] = scale;
}

inline void eliminate_block(double* at, std::size_t stride, double (&beyond)[port_block]) {
    Row y[port_block];
    Row x[port_block];
    for (std::size_t i = 0; i < port_block; ++i) __builtin_memcpy(&y[i], at + i * stride, sizeof(Row));
    [&]<std::size_t... K>(std::index_sequence<K...>) {
        (eliminate_pivot<K>(y, x, beyond), ...);
    }(std::make_index_sequence<port_block>());
    for (std::size_t i = 0; i < port_block; ++i) __builtin_memcpy(at + i * stride, &x[i], sizeof(Row));
}

/// The pivots of a block applied to `Vectors` of its columns beyond it.
template <std::size_t Vectors>
inline void scale_columns(const double* pivots, double* rows, std::size_t stride) {
    Vec x[port_block][Vectors];
#pragma GCC unroll 8
    for (std::size_t k = 0; k < port_block; ++k)
#pragma GCC unroll 2
        for (std::size_t v = 0; v < Vectors; ++v) {
            Vec value = load(rows + k * stride + v * lanes);
#pragma GCC unroll 8
            for (std::size_t m = 0; m < k; ++m)
                value += broadcast(pivots[m * stride + k]) * x[m][v];
            x[k][v] = value * broadcast(pivots[k * stride + k]);
            store(rows + k * stride + v * lanes, x[k][v]);
        }
}

inline void scale_rows(const double* pivots, double* rows, std::size_t stride, std::size_t count) {
    constexpr std::size_t together = lanes == 8 ? 2 : 1;
    std::size_t c = 0;
    for (; c + together * lanes <= count; c += together * lanes)
        scale_columns<together>(pivots, rows + c, stride);
    for (; c < count; c += lanes) scale_columns<1>(pivots, rows + c, stride);
}

void factorize(const PortMerge& merge) {
    const std::size_t stride = merge.factor_stride;
    const std::size_t width = merge.interface_blocks + merge.port_blocks;
    for (std::size_t k = 0; k < merge.interface_blocks; ++k) {
        double beyond[port_block];
        RowGatherer(merge, k).run(beyond);
        double* const diagonal = merge.factor + k * port_block * (stride + 1);
        eliminate_block(diagonal, stride, beyond);
        scale_rows(diagonal, diagonal + port_block, stride, (width - k - 1) * port_block);
    }
}

template <std::size_t Blocks>
inline Source<Blocks> port_source(const PortMerge& merge, std::size_t row, std::size_t column) {
    const std::int32_t owner = merge.owner[row];
    Source<Blocks> source;
    for (std::size_t b = 0; b < Blocks; ++b)
        if (merge.owner[column + b] == owner)
            source.set(b, merge.child[owner], merge.place[row], merge.place[column + b]);
        else
            source.set_nothing(b);
    return source;
}

/// What the interface adds between the ports that remain.
void multiply(const PortMerge& merge) {
    const double* const x = merge.factor + merge.interface_blocks * port_block;
    const std::size_t depth = merge.interface_blocks * port_block;
    for (std::size_t panel = merge.first_column; panel < merge.port_blocks; panel += panel_blocks) {
        const std::size_t end =
            panel + panel_blocks < merge.port_blocks ? panel + panel_blocks : merge.port_blocks;
        for (std::size_t row = 0; row < merge.out_rows && row < end; ++row)
            for_each_chunk(row > panel ? row : panel, end,
                           [&]<std::size_t Blocks>(std::size_t column) {
                               update<Blocks>(port_source<Blocks>(merge, row, column),
                                              x + row * port_block, x + column * port_block,
                                              merge.factor_stride, depth,
                                              merge.out + row * port_block * merge.out_stride +
                                                  (column - merge.first_column) * port_block,
                                              merge.out_stride);
                           });
    }
}

void merge_ports(const PortMerge& merge) {
    factorize(merge);
    multiply(merge);
}

// --------------------------------------------------------------------------------------- leaves
//
// Leaves are reduced side by side, one to a lane: cells to 2 x 2, 2 x 4, 4 x 4, 4 x 8, 8 x 8. Their
// networks are [ports x ports] of vectors, ports in the order left, top, bottom, right.

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
                offset[i][j] = static_cast<std::int16_t>(
                    is_apart ? 0 : place[i] * child_ports + place[j]);
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

inline Vec select_positive(Vec condition, Vec value) {
    return condition > Vec{} ? value : Vec{};
}

inline Vec reciprocal(Vec d) {
    return select_positive(d, 1 / d);
}

inline Vec reciprocal_root(Vec d) {
    Vec root;
    for (std::size_t i = 0; i < lanes; ++i) root[i] = __builtin_sqrt(d[i]);
    return select_positive(d, 1 / root);
}

template <std::size_t N, std::size_t P>
inline void fetch_row(const Join& join, const Vec* const (&tile)[3], std::size_t k, Vec* row) {
    const Vec* const from[2] = {tile[0] + join.interface[0][k] * join.child_ports,
                                tile[1] + join.interface[1][k] * join.child_ports};
    for (std::size_t j = k + 1; j < N; ++j)
        row[j] = from[0][join.interface[0][j]] + from[1][join.interface[1][j]];
    for (std::size_t pair = 0; pair < P / 2; ++pair) {
        const Vec* const source = from[join.owner[pair]] + join.place[pair];
        row[N + 2 * pair] = source[0];
        row[N + 2 * pair + 1] = source[1];
    }
}

/// Applies the pivots before k to row k and scales it; entry k becomes 1 / sqrt(d).
template <std::size_t N, std::size_t P>
inline void eliminate_row(Vec* x, std::size_t k) {
    constexpr std::size_t width = N + P;
    constexpr std::size_t chunk = width % 4 == 0 ? 4 : 2;
    Vec* const row = x + k * width;
    Vec sums[chunk] = {};
    for (std::size_t j = (k + 1) / chunk * chunk; j < width; j += chunk) {
        Vec y[chunk];
#pragma GCC unroll 4
        for (std::size_t c = 0; c < chunk; ++c) y[c] = row[j + c];
        for (std::size_t m = 0; m < k; ++m) {
            const Vec left = x[m * width + k];
#pragma GCC unroll 4
            for (std::size_t c = 0; c < chunk; ++c) y[c] += left * x[m * width + j + c];
        }
#pragma GCC unroll 4
        for (std::size_t c = 0; c < chunk; ++c) {
            row[j + c] = y[c];
            if (j + c > k) sums[c] += y[c];
        }
    }
    Vec total = sums[0];
    for (std::size_t c = 1; c < chunk; ++c) total += sums[c];
    const Vec scale = reciprocal_root(total);
    for (std::size_t j = k + 1; j < width; ++j) row[j] *= scale;
    row[k] = scale;
}

constexpr std::size_t square = 4;  // ports along each side of the register tile
using Square = Vec[square][square];

/// Conductances before elimination, from the tiles.
inline void fetch_square(const Join& join, const Vec* const (&tile)[3], std::size_t row,
                         std::size_t column, Square& y) {
#pragma GCC unroll 2
    for (std::size_t i = 0; i < square; i += 2)
#pragma GCC unroll 2
        for (std::size_t j = 0; j < square; j += 2) {
            const std::size_t p = (row + i) / 2, q = (column + j) / 2;
            const Vec* const from = tile[join.source[p][q]] + join.offset[p][q];
            y[i][j] = from[0];
            y[i][j + 1] = from[1];
            y[i + 1][j] = from[join.child_ports];
            y[i + 1][j + 1] = from[join.child_ports + 1];
        }
}

/// What the interface adds between remaining ports, both triangles of `out`.
template <std::size_t N, std::size_t P>
inline void multiply(const Join& join, const Vec* const (&tile)[3], const Vec* x, Vec* out) {
    constexpr std::size_t width = N + P;
    for (std::size_t row = 0; row < P; row += square)
        for (std::size_t column = row; column < P; column += square) {
            Square y;
            fetch_square(join, tile, row, column, y);
            const Vec* left = x + N + row;
            const Vec* right = x + N + column;
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

alignas(64) constexpr Vec no_conductances[leaf_ports] = {};

/// @param x  [N × (N + P)], the factor left behind
template <std::size_t N, std::size_t P>
inline void join_tiles(const Join& join, const Vec* first, const Vec* second, Vec* x, Vec* out) {
    const Vec* const tile[3] = {first, second, no_conductances};
    for (std::size_t k = 0; k < N; ++k) {
        fetch_row<N, P>(join, tile, k, x + k * (N + P));
        eliminate_row<N, P>(x, k);
    }
    multiply<N, P>(join, tile, x, out);
}

struct LeafCells {
    Vec cell[leaf_side][leaf_side];
    Vec left[leaf_side][leaf_side];
    Vec below[leaf_side][leaf_side];
};

constexpr std::size_t block_ports = 8;  // of 2 x 2 cells

/// 2 x 2 cells by hand: four nodes with three or four neighbours each.
inline void reduce_cells(const LeafCells& c, std::size_t r, std::size_t q, Vec* y) {
    enum { L0, L1, T0, T1, B0, B1, R0, R1 };
    for (std::size_t i = 0; i < block_ports * block_ports; ++i) y[i] = Vec{};
    const auto add = [y](std::size_t i, std::size_t j, Vec conductance) {
        y[i * block_ports + j] += conductance;
        y[j * block_ports + i] = y[i * block_ports + j];
    };
    {  // upper left word-line node
        const Vec a = c.left[r][q], b = c.left[r][q + 1], g = c.cell[r][q];
        const Vec scale = reciprocal(a + b + g);
        add(L0, R0, a * scale * b);
        add(T0, L0, a * scale * g);
        add(T0, R0, b * scale * g);
    }
    {  // lower right bit-line node
        const Vec a = c.below[r][q + 1], b = c.below[r + 1][q + 1], g = c.cell[r + 1][q + 1];
        const Vec scale = reciprocal(a + b + g);
        add(T1, B1, a * scale * b);
        add(T1, R1, a * scale * g);
        add(B1, R1, b * scale * g);
    }
    {  // lower left cell: word-line node, then bit-line node
        const Vec a = c.left[r + 1][q], b = c.left[r + 1][q + 1], g = c.cell[r + 1][q];
        const Vec scale = reciprocal(a + b + g);
        const Vec to_left = a * scale * g, to_right = b * scale * g;
        add(L1, R1, a * scale * b);
        const Vec up = c.below[r][q], down = c.below[r + 1][q];
        const Vec scale2 = reciprocal(up + down + to_left + to_right);
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
    FactorRoom(Vec* kept, Vec* scratch) : next_(kept != nullptr ? kept : scratch), keeps_(kept != nullptr) {}
    Vec* take(std::size_t size) {
        Vec* const here = next_;
        if (keeps_) next_ += size;
        return here;
    }

  private:
    Vec* next_;
    bool keeps_;
};

template <std::size_t N, std::size_t P>
constexpr std::size_t factor_size = N*(N + P);

constexpr std::size_t leaf_factors = 8 * factor_size<2, 12> + 4 * factor_size<4, 16> +
                                     2 * factor_size<4, 24> + factor_size<8, 32>;

inline void reduce_4x4(const LeafCells& cells, std::size_t r, std::size_t q, FactorRoom& room,
                       Vec* out) {
    static constexpr Join sides = join_side_by_side(2, 2);
    static constexpr Join stacked = join_stacked(2, 4);
    alignas(64) Vec block[2][8 * 8];
    alignas(64) Vec half[2][12 * 12];
    for (std::size_t i = 0; i < 2; ++i) {
        reduce_cells(cells, r + 2 * i, q, block[0]);
        reduce_cells(cells, r + 2 * i, q + 2, block[1]);
        join_tiles<2, 12>(sides, block[0], block[1], room.take(factor_size<2, 12>), half[i]);
    }
    join_tiles<4, 16>(stacked, half[0], half[1], room.take(factor_size<4, 16>), out);
}

inline void reduce_leaf(const LeafCells& cells, FactorRoom room, Vec* out) {
    static constexpr Join sides = join_side_by_side(4, 4);
    static constexpr Join stacked = join_stacked(4, 8);
    alignas(64) Vec quarter[2][16 * 16];
    alignas(64) Vec half[2][24 * 24];
    for (std::size_t i = 0; i < 2; ++i) {
        reduce_4x4(cells, 4 * i, 0, room, quarter[0]);
        reduce_4x4(cells, 4 * i, 4, room, quarter[1]);
        join_tiles<4, 24>(sides, quarter[0], quarter[1], room.take(factor_size<4, 24>), half[i]);
    }
    join_tiles<8, 32>(stacked, half[0], half[1], room.take(factor_size<8, 32>), out);
}

template <std::size_t Step, std::size_t... Lane>
inline void exchange(Vec& x, Vec& y, std::index_sequence<Lane...>) {
    const Vec low = __builtin_shufflevector(x, y, ((Lane & Step) != 0 ? lanes + Lane - Step : Lane)...);
    const Vec high = __builtin_shufflevector(x, y, ((Lane & Step) != 0 ? lanes + Lane : Lane + Step)...);
    x = low;
    y = high;
}

template <std::size_t Step>
inline void exchange_all(Vec (&m)[lanes]) {
#pragma GCC unroll 8
    for (std::size_t i = 0; i < lanes; ++i)
        if ((i & Step) == 0) exchange<Step>(m[i], m[i + Step], std::make_index_sequence<lanes>());
}

inline void transpose(Vec (&m)[lanes]) {
    exchange_all<1>(m);
    if constexpr (lanes > 2) exchange_all<2>(m);
    if constexpr (lanes > 4) exchange_all<4>(m);
}

/// One row of cells of each leaf, one leaf to a lane.
inline void load_row(const double* const (&from)[lanes], Vec (&row)[leaf_side]) {
    for (std::size_t c = 0; c < leaf_side; c += lanes) {
        Vec m[lanes];
        for (std::size_t i = 0; i < lanes; ++i) m[i] = load(from[i] + c);
        transpose(m);
        for (std::size_t i = 0; i < lanes; ++i) row[c + i] = m[i];
    }
}

inline void load_cells(const PaddedArray& array, const LeafPlace* places, std::size_t count,
                       LeafCells& cells) {
    const auto load_from = [&](const double* values, Vec (&to)[leaf_side][leaf_side]) {
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

/// From one leaf to a lane to one matrix per leaf.
inline void store_networks(const Vec* y, const LeafPlace* places, std::size_t count) {
    for (std::size_t row = 0; row < leaf_ports; ++row)
        for (std::size_t column = 0; column < leaf_ports; column += lanes) {
            Vec m[lanes];
            for (std::size_t i = 0; i < lanes; ++i) m[i] = y[row * leaf_ports + column + i];
            transpose(m);
            for (std::size_t i = 0; i < count; ++i)
                store(places[i].between + row * leaf_ports + column, m[i]);
        }
}

void reduce_leaves(const PaddedArray& array, const LeafPlace* places, std::size_t count,
                   double* factor) {
    alignas(64) LeafCells cells;
    alignas(64) Vec scratch[factor_size<8, 32>];
    alignas(64) Vec network[leaf_ports * leaf_ports];
    load_cells(array, places, count, cells);
    reduce_leaf(cells, FactorRoom(reinterpret_cast<Vec*>(factor), scratch), network);
    store_networks(network, places, count);
}

}  // namespace

extern const PortKernels port_kernels;
const PortKernels port_kernels{lanes, leaf_factors * lanes, reduce_leaves, merge_ports};

}  // namespace kirchnet::detail::KIRCHNET_ISA
