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

#include "solver/detail/leaf_kernels.hpp"
#include "solver/detail/port_kernels.hpp"
#include "solver/detail/port_lanes.hpp"

namespace kirchnet::detail::KIRCHNET_ISA {
namespace {

#if defined(KIRCHNET_ISA_avx512)
constexpr std::size_t tile_rows = 8;    // of the register tile
constexpr std::size_t tile_blocks = 3;  // port blocks of columns
#elif defined(KIRCHNET_ISA_avx2)
constexpr std::size_t tile_rows = 4;
constexpr std::size_t tile_blocks = 1;
#else
constexpr std::size_t tile_rows = 2;
constexpr std::size_t tile_blocks = 1;
#endif
constexpr std::size_t vectors = port_block / lanes;  // per port block
// Row blocks gathered together, so that columns read once from farther caches serve several.
constexpr std::size_t blocks_together = 4;
// Blocks of pivots applied at once: columns of a tile by that many rows stay in the nearest cache.
constexpr std::size_t most_depth = 16;
// Tiles of at least so many interface blocks are asked for ahead: they come from farther caches.
constexpr std::size_t worth_fetching = 3;
// Part of the second-level cache for rows of a factor while columns pass by [doubles].
constexpr std::size_t panel_size = 48 * 1024;

inline double sum_of(Lanes value) {
    double sum = 0;
    for (std::size_t i = 0; i < lanes; ++i) sum += value[i];
    return sum;
}

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
    [[nodiscard]] Lanes vector(std::size_t row, std::size_t v) const {
        return load(at[v / vectors] + row * port_block + v % vectors * lanes);
    }
};

/// Entries both tiles contribute to.
template <std::size_t Blocks>
struct TwoSources {
    Source<Blocks> first;
    Source<Blocks> second;

    [[nodiscard]] Lanes vector(std::size_t row, std::size_t v) const {
        return first.vector(row, v) + second.vector(row, v);
    }
};

template <std::size_t Blocks>
using Tile = Lanes[tile_rows][Blocks * vectors];

/// y += sum over k < depth of x_k,row x_k,column, for columns in blocks `apart` doubles apart.
template <std::size_t Blocks>
inline void add_products(const double* rows, const double* columns, std::size_t apart,
                         std::size_t depth, Tile<Blocks>& y) {
#pragma GCC unroll 4
    for (std::size_t k = 0; k < depth; ++k) {
        Lanes right[Blocks * vectors];
#pragma GCC unroll 12
        for (std::size_t v = 0; v < Blocks * vectors; ++v)
            right[v] = load(columns + v / vectors * apart + v % vectors * lanes);
#pragma GCC unroll 8
        for (std::size_t i = 0; i < tile_rows; ++i) {
            const Lanes left = broadcast(rows[i]);
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
        Lanes sums[port_block] = {};
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
    const double inverse = d > nothing_conducts ? 1 / d : 0;
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
    Lanes x[port_block];
#pragma GCC unroll 8
    for (std::size_t k = 0; k < port_block; ++k) {
        Lanes value = load(at + k * port_block);
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

}  // namespace

extern const PortKernels port_kernels;
constinit const PortKernels port_kernels{lanes, leaf_factors* lanes, reduce_leaves, merge_ports,
                                         restore_leaves};

}  // namespace kirchnet::detail::KIRCHNET_ISA
