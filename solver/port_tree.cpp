#include "solver/port_tree.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include "solver/detail/aligned_buffer.hpp"
#include "solver/detail/padded_crossbar.hpp"
#include "solver/detail/port_kernels.hpp"
#include "solver/detail/port_plan.hpp"

namespace kirchnet {
namespace {

using namespace detail;

std::size_t network_size(const PlannedTile& tile) {
    if (tile.is_leaf()) return leaf_ports * leaf_ports;
    return tile.port_blocks * port_block * padded_stride(tile.port_blocks);
}

std::size_t network_stride(const PlannedTile& tile) {
    return tile.is_leaf() ? leaf_ports : padded_stride(tile.port_blocks);
}

std::size_t factor_stride(const PlannedTile& tile) {
    return padded_stride(tile.interface_blocks + tile.port_blocks);
}

std::size_t factor_size(const PlannedTile& tile) {
    return tile.interface_blocks * port_block * factor_stride(tile);
}

/// Where networks and factors lie, as offsets into one buffer [doubles].
struct Memory {
    std::vector<std::size_t> network;      ///< per tile
    std::vector<std::size_t> factor;       ///< per tile
    std::vector<std::size_t> leaf_factor;  ///< per batch of leaves; empty when none is kept
    std::size_t size = 0;

    std::size_t take(std::size_t doubles) {
        const std::size_t here = size;
        size += (doubles + port_block - 1) / port_block * port_block;
        return here;
    }
};

Memory keep_everything(const PortPlan& plan, const PortKernels& kernels) {
    Memory memory;
    for (const PlannedTile& tile : plan.tiles) {
        memory.network.push_back(memory.take(network_size(tile)));
        memory.factor.push_back(memory.take(tile.is_leaf() ? 0 : factor_size(tile)));
    }
    for (std::size_t leaf = 0; leaf < plan.leaf_tile.size(); leaf += kernels.leaves_at_once)
        memory.leaf_factor.push_back(memory.take(kernels.leaf_factor_size));
    return memory;
}

/// A tile's network lives until its parent is merged: two places per depth of the tree, one place
/// for all factors, and two batches of leaves, the second while the first is still in use.
Memory reuse_places(const PortPlan& plan, const PortKernels& kernels) {
    Memory memory;
    const std::size_t leaves = 2 * kernels.leaves_at_once;
    const std::size_t leaf_area = memory.take(leaves * leaf_ports * leaf_ports);
    std::vector<std::array<std::size_t, 2>> largest;
    std::vector<std::size_t> which(plan.tiles.size(), 0);
    std::size_t largest_factor = 0;
    for (const PlannedTile& tile : plan.tiles)
        if (tile.child[1] >= 0) which[static_cast<std::size_t>(tile.child[1])] = 1;
    for (std::size_t i = 0; i < plan.tiles.size(); ++i) {
        const PlannedTile& tile = plan.tiles[i];
        if (tile.is_leaf()) continue;
        if (tile.depth >= largest.size()) largest.resize(tile.depth + 1);
        std::size_t& size = largest[tile.depth][which[i]];
        size = std::max(size, network_size(tile));
        largest_factor = std::max(largest_factor, factor_size(tile));
    }
    std::vector<std::array<std::size_t, 2>> place(largest.size());
    for (std::size_t depth = 0; depth < largest.size(); ++depth)
        for (std::size_t w = 0; w < 2; ++w) place[depth][w] = memory.take(largest[depth][w]);
    const std::size_t factor = memory.take(largest_factor);
    for (std::size_t i = 0; i < plan.tiles.size(); ++i) {
        const PlannedTile& tile = plan.tiles[i];
        memory.network.push_back(tile.is_leaf()
                                     ? leaf_area + tile.leaf % leaves * leaf_ports * leaf_ports
                                     : place[tile.depth][which[i]]);
        memory.factor.push_back(factor);
    }
    return memory;
}

}  // namespace

struct PortTree::State {
    State(Retain retain_what, InstructionSet set)
        : retain(retain_what), kernels(detail::port_kernels(set)) {}

    Retain retain;
    const PortKernels& kernels;
    PortPlan plan;
    std::optional<PaddedCrossbar> padded;
    Memory memory;
    AlignedBuffer buffer;
    std::optional<Crossbar> last;  ///< what the retained networks belong to
    std::size_t leaves_reduced = 0;

    bool analyze(const Crossbar& crossbar);
    void reduce_all();
    void reduce_batch(std::size_t batch);
    void merge_tile(std::size_t number);
    [[nodiscard]] double* network(std::size_t tile) const {
        return buffer.data() + memory.network[tile];
    }
    [[nodiscard]] bool is_rectangle_enough() const {
        return retain == Retain::transfer && !plan.outer.top && !plan.outer.right;
    }
    [[nodiscard]] std::size_t first_column(std::size_t tile) const;
    [[nodiscard]] Eigen::MatrixXd between(Side rows, Side columns, Index bit_lines) const;
};

/// @return  whether the plan is another than before
bool PortTree::State::analyze(const Crossbar& crossbar) {
    const OuterPorts outer = outer_ports(crossbar);
    const ArrayShape shape = covered_shape(crossbar.shape(), outer);
    if (padded && plan.shape == shape && plan.outer == outer) return false;
    plan = plan_ports(shape, outer);
    padded.emplace(plan);
    memory = retain == Retain::everything ? keep_everything(plan, kernels)
                                          : reuse_places(plan, kernels);
    if (memory.size > buffer.size()) buffer = AlignedBuffer(memory.size);
    last.reset();
    return true;
}

void PortTree::State::reduce_batch(std::size_t batch) {
    const std::size_t first = batch * kernels.leaves_at_once;
    const std::size_t count = std::min(kernels.leaves_at_once, plan.leaf_tile.size() - first);
    std::array<LeafPlace, 8> places{};
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t tile = plan.leaf_tile[first + i];
        const LeafBox& box = plan.tiles[tile].box;
        places[i] = {box.first_row * leaf_side, box.first_column * leaf_side, network(tile)};
    }
    double* const factor =
        memory.leaf_factor.empty() ? nullptr : buffer.data() + memory.leaf_factor[batch];
    kernels.leaves(padded->view(), places.data(), count, factor);
    leaves_reduced += count;
}

/// Of the whole array the transfer matrix needs what joins left and bottom alone.
std::size_t PortTree::State::first_column(std::size_t tile) const {
    const bool is_root = tile + 1 == plan.tiles.size();
    return is_root && is_rectangle_enough() ? plan.tiles[tile].first_block(Side::bottom) : 0;
}

void PortTree::State::merge_tile(std::size_t number) {
    const PlannedTile& tile = plan.tiles[number];
    PortMerge merge;
    merge.children = tile.child[1] < 0 ? 1 : 2;
    for (std::size_t i = 0; i < merge.children; ++i) {
        const auto child = static_cast<std::size_t>(tile.child[i]);
        merge.child[i] = {network(child), network_stride(plan.tiles[child]),
                          tile.interface_block[i].data()};
    }
    merge.interface_blocks = tile.interface_blocks;
    merge.port_blocks = tile.port_blocks;
    merge.owner = tile.owner.data();
    merge.place = tile.place.data();
    merge.factor = buffer.data() + memory.factor[number];
    merge.factor_stride = factor_stride(tile);
    merge.out = network(number);
    merge.out_stride = network_stride(tile);
    merge.first_column = first_column(number);
    merge.out_rows = merge.first_column > 0 ? merge.first_column : tile.port_blocks;
    kernels.merge(merge);
}

void PortTree::State::reduce_all() {
    std::size_t leaves = 0;
    for (std::size_t i = 0; i < plan.tiles.size(); ++i)
        if (!plan.tiles[i].is_leaf())
            merge_tile(i);
        else if (leaves++ % kernels.leaves_at_once == 0)
            reduce_batch((leaves - 1) / kernels.leaves_at_once);
}

/// [bit_lines × word_lines]
Eigen::MatrixXd PortTree::State::between(Side rows, Side columns, Index bit_lines) const {
    const std::size_t root = plan.tiles.size() - 1;
    const std::size_t stride = network_stride(plan.root());
    const std::size_t row = plan.root().first_block(rows) * port_block + padded->row_of(0);
    const std::size_t column =
        (plan.root().first_block(columns) - first_column(root)) * port_block;
    const bool is_above_diagonal = plan.root().first_block(rows) < plan.root().first_block(columns);
    Eigen::MatrixXd result(bit_lines, last->shape().word_lines);
    for (Index r = 0; r < result.cols(); ++r) {
        const std::size_t here = row + static_cast<std::size_t>(r);
        if (is_above_diagonal)
            std::copy_n(network(root) + here * stride + column, bit_lines, &result(0, r));
        else
            for (Index c = 0; c < bit_lines; ++c)
                result(c, r) =
                    network(root)[(column + static_cast<std::size_t>(c)) * stride + here];
    }
    return result;
}

PortTree::PortTree(Retain retain, InstructionSet set)
    : state_(std::make_unique<State>(retain, set)) {}
PortTree::PortTree(PortTree&&) noexcept = default;
PortTree& PortTree::operator=(PortTree&&) noexcept = default;
PortTree::~PortTree() = default;

bool PortTree::reduce(const Crossbar& crossbar) {
    State& state = *state_;
    state.analyze(crossbar);
    state.leaves_reduced = 0;
    state.last.reset();
    if (!state.padded->fill(crossbar)) return false;
    state.reduce_all();
    state.last = crossbar;
    return true;
}

Eigen::MatrixXd PortTree::transfer_rows(Index bit_lines) const {
    const State& state = *state_;
    Eigen::MatrixXd T = state.between(Side::left, Side::bottom, bit_lines);
    if (state.plan.outer.top) T += state.between(Side::left, Side::top, bit_lines);
    if (state.plan.outer.right) T += state.between(Side::right, Side::bottom, bit_lines);
    if (state.plan.outer.top && state.plan.outer.right)
        T += state.between(Side::right, Side::top, bit_lines);
    return T;
}

std::size_t PortTree::memory() const {
    return state_->buffer.size() * sizeof(double);
}

std::size_t PortTree::leaves_reduced() const {
    return state_->leaves_reduced;
}

}  // namespace kirchnet
