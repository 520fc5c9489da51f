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
#include <utility>

#include "solver/detail/port_kernels.hpp"

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
// Row blocks gathered together, so that columns read once from farther caches serve several.
constexpr std::size_t blocks_together = 4;
// Blocks of pivots applied at once: columns of a tile by that many rows stay in the nearest cache.
constexpr std::size_t most_depth = 12;
// Tiles of at least so many interface blocks are asked for ahead: they come from farther caches.
constexpr std::size_t worth_fetching = 3;
// Part of the second-level cache for rows of a factor while columns pass by [doubles].
constexpr std::size_t panel_size = 48 * 1024;

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

alignas(64) constexpr double nothing[block_size] = {};

/// Where the entries before elimination come from, a block of rows by `Blocks` blocks of columns.
template <std::size_t Blocks>
struct Source {
    const double* at[Blocks];

    void set(std::size_t b, const PortChild& child, std::int32_t row, std::int32_t column) {
        at[b] = child.between +
                (static_cast<std::size_t>(row) * child.blocks + static_cast<std::size_t>(column)) *
                    block_size;
    }
    [[nodiscard]] Vec vector(std::size_t row, std::size_t v) const {
        return load(at[v / vectors] + row * port_block + v % vectors * lanes);
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

/// y += sum over k < depth of x_k,row x_k,column, for columns in blocks `apart` doubles apart.
template <std::size_t Blocks>
inline void add_products(const double* rows, const double* columns, std::size_t apart,
                         std::size_t depth, Tile<Blocks>& y) {
#pragma GCC unroll 4
    for (std::size_t k = 0; k < depth; ++k) {
        Vec right[Blocks * vectors];
#pragma GCC unroll 12
        for (std::size_t v = 0; v < Blocks * vectors; ++v)
            right[v] = load(columns + v / vectors * apart + v % vectors * lanes);
#pragma GCC unroll 8
        for (std::size_t i = 0; i < tile_rows; ++i) {
            const Vec left = broadcast(rows[i]);
#pragma GCC unroll 12
            for (std::size_t v = 0; v < Blocks * vectors; ++v) y[i][v] += left * right[v];
        }
        rows += port_block;
        columns += port_block;
    }
}

/// A factor seen as one column of blocks after the other.
struct Factor {
    double* x;
    std::size_t apart;  ///< doubles from one block of columns to the next

    [[nodiscard]] double* block(std::size_t row, std::size_t column) const {
        return x + column * apart + row * block_size;
    }
};

/// One block of rows times `Blocks` blocks of columns: source plus products over the factor's
/// blocks of rows from `first` to `last`, to `out`, its blocks `out_apart` doubles apart.
template <std::size_t Blocks, typename AnySource>
inline void update(const AnySource& source, const Factor& factor, std::size_t row,
                   std::size_t column, std::size_t first, std::size_t last, double* out,
                   std::size_t out_apart) {
    for (std::size_t top = 0; top < port_block; top += tile_rows) {
        Tile<Blocks> y;
#pragma GCC unroll 8
        for (std::size_t i = 0; i < tile_rows; ++i)
#pragma GCC unroll 12
            for (std::size_t v = 0; v < Blocks * vectors; ++v) y[i][v] = source.vector(top + i, v);
        add_products<Blocks>(factor.block(first, row) + top, factor.block(first, column),
                             factor.apart, (last - first) * port_block, y);
#pragma GCC unroll 8
        for (std::size_t i = 0; i < tile_rows; ++i)
#pragma GCC unroll 12
            for (std::size_t v = 0; v < Blocks * vectors; ++v)
                store(out + v / vectors * out_apart + (top + i) * port_block + v % vectors * lanes,
                      y[i][v]);
    }
}

/// Calls `work` with a number of blocks known to the compiler, from `first` to `last`.
template <typename Work>
inline void for_each_chunk(std::size_t first, std::size_t last, Work work) {
    std::size_t at = first;
    for (; at + tile_blocks <= last; at += tile_blocks) work.template operator()<tile_blocks>(at);
    if constexpr (tile_blocks > 2)
        if (at + 2 == last) {
            work.template operator()<2>(at);
            return;
        }
    if (at < last) work.template operator()<1>(at);
}

/// Fills the factor's rows of interface ports, with all earlier pivots applied.
class RowGatherer {
  public:
    explicit RowGatherer(const PortMerge& merge)
        : merge_(merge),
          factor_{merge.factor, merge.interface_blocks * block_size},
          width_(merge.interface_blocks + merge.port_blocks) {}

    /// Row block k from the tiles, pivots of the blocks before `done` applied.
    void gather(std::size_t k, std::size_t done) const { gather_columns(k, done, k, width_); }

    /// Row blocks from `first` to `last` from the tiles, pivots of the blocks before `first`
    /// applied. Columns stay in the nearest cache while rows pass by.
    void gather_together(std::size_t first, std::size_t last) const {
        for (std::size_t column = first; column < width_; column += tile_blocks)
            for (std::size_t k = first; k < last; ++k)
                gather_columns(k, first, column,
                               column + tile_blocks < width_ ? column + tile_blocks : width_);
    }

    /// What pivots of the blocks from `first` on add to row block k.
    void complete(std::size_t k, std::size_t first) const {
        for_each_chunk(k, width_, [&]<std::size_t Blocks>(std::size_t column) {
            Source<Blocks> own;
            for (std::size_t b = 0; b < Blocks; ++b) own.at[b] = factor_.block(k, column + b);
            update<Blocks>(own, factor_, k, column, first, k, factor_.block(k, column),
                           factor_.apart);
        });
    }

    /// Sums of a row block's rows beyond its own columns.
    void sum_beyond(std::size_t k, double (&beyond)[port_block]) const {
        Vec sums[port_block] = {};
        for (std::size_t column = k + 1; column < width_; ++column) {
            const double* const block = factor_.block(k, column);
#pragma GCC unroll 8
            for (std::size_t i = 0; i < port_block; ++i)
#pragma GCC unroll 4
                for (std::size_t v = 0; v < vectors; ++v)
                    sums[i] += load(block + i * port_block + v * lanes);
        }
        for (std::size_t i = 0; i < port_block; ++i) beyond[i] = sum_of(sums[i]);
    }

    [[nodiscard]] const Factor& factor() const {
        return factor_;
    }
    [[nodiscard]] std::size_t width() const {
        return width_;
    }

  private:
    void gather_columns(std::size_t k, std::size_t done, std::size_t first,
                        std::size_t last) const {
        const std::size_t interface = merge_.interface_blocks;
        const auto take = [&]<std::size_t Blocks>(const auto& source, std::size_t column) {
            update<Blocks>(source, factor_, k, column, 0, done, factor_.block(k, column),
                           factor_.apart);
        };
        for_each_chunk(first, interface < last ? interface : last,
                       [&]<std::size_t Blocks>(std::size_t column) {
                           if (merge_.children == 2)
                               take.template operator()<Blocks>(
                                   TwoSources<Blocks>{shared<Blocks>(0, k, column),
                                                      shared<Blocks>(1, k, column)},
                                   column);
                           else
                               take.template operator()<Blocks>(shared<Blocks>(0, k, column),
                                                                column);
                       });
        for_each_chunk(interface > first ? interface : first, last,
                       [&]<std::size_t Blocks>(std::size_t column) {
                           take.template operator()<Blocks>(
                               remaining<Blocks>(k, column - interface), column);
                       });
    }

    template <std::size_t Blocks>
    [[nodiscard]] Source<Blocks> shared(std::size_t which, std::size_t k,
                                        std::size_t column) const {
        const PortChild& child = merge_.child[which];
        Source<Blocks> source;
        for (std::size_t b = 0; b < Blocks; ++b)
            source.set(b, child, child.interface_block[k], child.interface_block[column + b]);
        return source;
    }

    template <std::size_t Blocks>
    [[nodiscard]] Source<Blocks> remaining(std::size_t k, std::size_t port) const {
        Source<Blocks> source;
        for (std::size_t b = 0; b < Blocks; ++b) {
            const PortChild& child = merge_.child[merge_.owner[port + b]];
            source.set(b, child, child.interface_block[k], merge_.place[port + b]);
        }
        return source;
    }

    const PortMerge& merge_;
    Factor factor_;
    std::size_t width_;
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
inline void eliminate_pivot(Row (&y)[port_block], Row (&x)[port_block],
                            double (&beyond)[port_block]) {
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

inline void eliminate_block(double* at, double (&beyond)[port_block]) {
    Row y[port_block];
    Row x[port_block];
    __builtin_memcpy(y, at, sizeof y);
    [&]<std::size_t... K>(std::index_sequence<K...>) {
        (eliminate_pivot<K>(y, x, beyond), ...);
    }
    (std::make_index_sequence<port_block>());
    __builtin_memcpy(at, x, sizeof x);
}

/// The pivots of a block applied to a vector of its columns beyond it.
inline void scale_columns(const double* pivots, double* at) {
    Vec x[port_block];
#pragma GCC unroll 8
    for (std::size_t k = 0; k < port_block; ++k) {
        Vec value = load(at + k * port_block);
#pragma GCC unroll 8
        for (std::size_t m = 0; m < k; ++m) value += broadcast(pivots[m * port_block + k]) * x[m];
        x[k] = value * broadcast(pivots[k * port_block + k]);
        store(at + k * port_block, x[k]);
    }
}

/// Pivots of row block k, whose rows have all earlier ones applied.
inline void eliminate(const RowGatherer& rows, std::size_t k) {
    double beyond[port_block];
    rows.sum_beyond(k, beyond);
    double* const pivots = rows.factor().block(k, k);
    eliminate_block(pivots, beyond);
    for (std::size_t column = k + 1; column < rows.width(); ++column)
        for (std::size_t v = 0; v < vectors; ++v)
            scale_columns(pivots, rows.factor().block(k, column) + v * lanes);
}

void factorize(const PortMerge& merge) {
    const RowGatherer rows(merge);
    const std::size_t interface = merge.interface_blocks;
    for (std::size_t first = 0; first < interface; first += blocks_together) {
        const std::size_t last =
            first + blocks_together < interface ? first + blocks_together : interface;
        if (first > 0) rows.gather_together(first, last);
        for (std::size_t k = first; k < last; ++k) {
            if (first == 0)
                rows.gather(k, k);
            else if (k > first)
                rows.complete(k, first);
            eliminate(rows, k);
        }
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
            source.at[b] = nothing;
    return source;
}

/// What a part of the interface adds between the ports that remain, in rows from `first` to `last`.
class PortRows {
  public:
    PortRows(const PortMerge& merge, std::size_t first, std::size_t last)
        : merge_(merge),
          factor_{merge.factor, merge.interface_blocks * block_size},
          columns_(merge.port_blocks - merge.first_column),
          first_(first),
          last_(last) {}

    void add(std::size_t begin, std::size_t end) const {
        const std::size_t start = first_ > merge_.first_column ? first_ : merge_.first_column;
        for_each_chunk(start, merge_.port_blocks, [&]<std::size_t Blocks>(std::size_t column) {
            const std::size_t bottom = column + Blocks < last_ ? column + Blocks : last_;
            for (std::size_t row = first_; row < bottom; ++row) {
                if (row + 1 < bottom) fetch_ahead<Blocks>(begin, row + 1, column);
                update<Blocks>(source<Blocks>(begin, row, column), factor_,
                               merge_.interface_blocks + row, merge_.interface_blocks + column,
                               begin, end, out(row, column), block_size);
            }
        });
    }

  private:
    [[nodiscard]] double* out(std::size_t row, std::size_t column) const {
        return merge_.out + (row * columns_ + column - merge_.first_column) * block_size;
    }

    template <std::size_t Blocks>
    [[nodiscard]] Source<Blocks> source(std::size_t begin, std::size_t row,
                                        std::size_t column) const {
        return begin == 0 ? port_source<Blocks>(merge_, row, column)
                          : own_source<Blocks>(out(row, column));
    }

    /// Asks for the next tile while this one is computed.
    template <std::size_t Blocks>
    void fetch_ahead(std::size_t begin, std::size_t row, std::size_t column) const {
        if (merge_.interface_blocks < worth_fetching) return;
        const Source<Blocks> next = source<Blocks>(begin, row, column);
        for (std::size_t b = 0; b < Blocks; ++b)
            for (std::size_t i = 0; i < block_size; i += port_block) {
                __builtin_prefetch(next.at[b] + i, 0);
                __builtin_prefetch(out(row, column + b) + i, 1);
            }
    }

    template <std::size_t Blocks>
    static Source<Blocks> own_source(const double* out) {
        Source<Blocks> source;
        for (std::size_t b = 0; b < Blocks; ++b) source.at[b] = out + b * block_size;
        return source;
    }

    const PortMerge& merge_;
    Factor factor_;
    std::size_t columns_;
    std::size_t first_;
    std::size_t last_;
};

/// Rows and depth are cut so that both operands stay in the caches meant for them.
void multiply(const PortMerge& merge) {
    const std::size_t depth =
        merge.interface_blocks < most_depth ? merge.interface_blocks : most_depth;
    const std::size_t panel = panel_size / (depth * block_size);
    for (std::size_t row = 0; row < merge.out_rows; row += panel)
        for (std::size_t k = 0; k < merge.interface_blocks; k += depth)
            PortRows(merge, row, row + panel < merge.out_rows ? row + panel : merge.out_rows)
                .add(k, k + depth < merge.interface_blocks ? k + depth : merge.interface_blocks);
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
    FactorRoom(Vec* kept, Vec* scratch)
        : next_(kept != nullptr ? kept : scratch), keeps_(kept != nullptr) {}
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

constexpr std::size_t leaf_factors =
    8 * factor_size<2, 12> + 4 * factor_size<4, 16> + 2 * factor_size<4, 24> + factor_size<8, 32>;

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
    const Vec low =
        __builtin_shufflevector(x, y, ((Lane & Step) != 0 ? lanes + Lane - Step : Lane)...);
    const Vec high =
        __builtin_shufflevector(x, y, ((Lane & Step) != 0 ? lanes + Lane : Lane + Step)...);
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
    const auto load_from = [&](const double* values, Vec(&to)[leaf_side][leaf_side]) {
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
inline void store_networks(const Vec* y, const LeafPlace* places, std::size_t count) {
    for (std::size_t row = 0; row < leaf_ports; ++row)
        for (std::size_t column = 0; column < leaf_ports; column += lanes) {
            Vec m[lanes];
            for (std::size_t i = 0; i < lanes; ++i) m[i] = y[row * leaf_ports + column + i];
            transpose(m);
            const std::size_t block =
                row / port_block * (leaf_ports / port_block) + column / port_block;
            const std::size_t within = row % port_block * port_block + column % port_block;
            for (std::size_t i = 0; i < count; ++i)
                store(places[i].between + block * block_size + within, m[i]);
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

// ------------------------------------------------------------------------------------- voltages
//
// What elimination took out comes back in reverse order: a node's voltage is the mean of its
// neighbours' by conductance, v_k = sum_j y_kj v_j / d_k = (1 / sqrt(d_k)) sum_j x_kj v_j.

struct LeafVoltages {
    Vec word[leaf_side][leaf_side];
    Vec bit[leaf_side][leaf_side];
};

/// Voltages of two tiles' ports from those of the ports that remained.
template <std::size_t N, std::size_t P>
inline void split(const Join& join, const Vec* x, const Vec* ports, Vec* first, Vec* second) {
    constexpr std::size_t width = N + P;
    Vec* const tile[2] = {first, second};
    Vec shared[N];
    for (std::size_t k = N; k-- > 0;) {
        const Vec* const row = x + k * width;
        Vec sum{};
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
inline void restore_cells(const LeafCells& c, std::size_t r, std::size_t q, const Vec* port,
                          LeafVoltages& voltage) {
    enum { L0, L1, T0, T1, B0, B1, R0, R1 };
    voltage.word[r][q + 1] = port[R0];
    voltage.word[r + 1][q + 1] = port[R1];
    voltage.bit[r][q] = port[T0];
    voltage.bit[r][q + 1] = port[T1];
    {
        const Vec a = c.left[r][q], b = c.left[r][q + 1], g = c.cell[r][q];
        voltage.word[r][q] = reciprocal(a + b + g) * (a * port[L0] + b * port[R0] + g * port[T0]);
    }
    {
        const Vec a = c.below[r][q + 1], b = c.below[r + 1][q + 1], g = c.cell[r + 1][q + 1];
        voltage.bit[r + 1][q + 1] =
            reciprocal(a + b + g) * (a * port[T1] + b * port[B1] + g * port[R1]);
    }
    {
        const Vec a = c.left[r + 1][q], b = c.left[r + 1][q + 1], g = c.cell[r + 1][q];
        const Vec scale = reciprocal(a + b + g);
        const Vec to_left = a * scale * g, to_right = b * scale * g;
        const Vec up = c.below[r][q], down = c.below[r + 1][q];
        const Vec bit =
            reciprocal(up + down + to_left + to_right) *
            (up * port[T0] + down * port[B0] + to_left * port[L1] + to_right * port[R1]);
        voltage.bit[r + 1][q] = bit;
        voltage.word[r + 1][q] = scale * (a * port[L1] + b * port[R1] + g * bit);
    }
}

/// Factors in the order in which `reduce_leaf` left them.
struct Restorer {
    const LeafCells& cells;
    const Vec* factors;
    LeafVoltages& voltage;

    void restore_4x4(std::size_t r, std::size_t q, const Vec* ports, const Vec* x) {
        static constexpr Join sides = join_side_by_side(2, 2);
        static constexpr Join stacked = join_stacked(2, 4);
        Vec half[2][12];
        split<4, 16>(stacked, x + 2 * factor_size<2, 12>, ports, half[0], half[1]);
        for (std::size_t i = 0; i < 2; ++i) {
            Vec block[2][8];
            split<2, 12>(sides, x + i * factor_size<2, 12>, half[i], block[0], block[1]);
            restore_cells(cells, r + 2 * i, q, block[0], voltage);
            restore_cells(cells, r + 2 * i, q + 2, block[1], voltage);
        }
    }

    void restore_leaf(const Vec* ports) {
        static constexpr Join sides = join_side_by_side(4, 4);
        static constexpr Join stacked = join_stacked(4, 8);
        constexpr std::size_t quarter_size = 2 * factor_size<2, 12> + factor_size<4, 16>;
        constexpr std::size_t half_size = 2 * quarter_size + factor_size<4, 24>;
        Vec half[2][24];
        split<8, 32>(stacked, factors + 2 * half_size, ports, half[0], half[1]);
        for (std::size_t i = 0; i < 2; ++i) {
            const Vec* const x = factors + i * half_size;
            Vec quarter[2][16];
            split<4, 24>(sides, x + 2 * quarter_size, half[i], quarter[0], quarter[1]);
            restore_4x4(4 * i, 0, quarter[0], x);
            restore_4x4(4 * i, 4, quarter[1], x + quarter_size);
        }
    }
};

void restore_leaves(const PaddedArray& array, const LeafPlace* places, std::size_t count,
                    const double* factor, const double* ports, double* word, double* bit) {
    alignas(64) LeafCells cells;
    alignas(64) LeafVoltages voltage;
    load_cells(array, places, count, cells);
    Restorer{cells, reinterpret_cast<const Vec*>(factor), voltage}.restore_leaf(
        reinterpret_cast<const Vec*>(ports));
    __builtin_memcpy(word, voltage.word, sizeof voltage.word);
    __builtin_memcpy(bit, voltage.bit, sizeof voltage.bit);
}

}  // namespace

extern const PortKernels port_kernels;
const PortKernels port_kernels{lanes, leaf_factors* lanes, reduce_leaves, merge_ports,
                               restore_leaves};

}  // namespace kirchnet::detail::KIRCHNET_ISA
