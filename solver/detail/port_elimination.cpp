#include "solver/detail/port_elimination.hpp"

#include <algorithm>
#include <cassert>

namespace kirchnet::detail {
namespace {

std::size_t network_size(const PlannedTile& tile) {
    return tile.port_blocks * tile.port_blocks * block_size;
}

std::size_t factor_size(const PlannedTile& tile) {
    return tile.interface_blocks * (tile.interface_blocks + tile.port_blocks) * block_size;
}

/// Which child of its parent each tile is.
std::vector<std::size_t> positions(const PortPlan& plan) {
    std::vector<std::size_t> position(plan.tiles.size(), 0);
    for (const PlannedTile& tile : plan.tiles)
        if (tile.child[1] >= 0) position[static_cast<std::size_t>(tile.child[1])] = 1;
    return position;
}

constexpr std::size_t inputs = PortElimination::inputs_at_once;

/// to += factor * from, for all inputs.
void add_scaled(double factor, const double* from, double* to) {
    for (std::size_t k = 0; k < inputs; ++k) to[k] += factor * from[k];
}

/// Voltages of eliminated ports from those that remained, last eliminated first.
/// @param ports   [port_blocks * 8 × inputs]
/// @param shared  [interface_blocks * 8 × inputs]
void restore_interface(const PortMerge& merge, const double* ports, double* shared) {
    const std::size_t depth = merge.interface_blocks * port_block;
    const std::size_t width = depth + merge.port_blocks * port_block;
    for (std::size_t k = depth; k-- > 0;) {
        const auto x = [&](std::size_t j) {
            return merge.factor[(j / port_block * depth + k) * port_block + j % port_block];
        };
        double sum[inputs] = {};
        for (std::size_t j = k + 1; j < depth; ++j) add_scaled(x(j), shared + j * inputs, sum);
        for (std::size_t j = depth; j < width; ++j)
            add_scaled(x(j), ports + (j - depth) * inputs, sum);
        for (std::size_t i = 0; i < inputs; ++i) shared[k * inputs + i] = x(k) * sum[i];
    }
}

void copy_block(const double* from, std::size_t from_block, double* to, std::size_t to_block) {
    constexpr std::size_t size = port_block * inputs;
    std::copy_n(from + from_block * size, size, to + to_block * size);
}

}  // namespace

PortElimination::PortElimination(PortPlan plan, const PortKernels& kernels, bool keeps_all)
    : plan_(std::move(plan)), kernels_(kernels), keeps_all_(keeps_all) {
    if (keeps_all)
        lay_out_everything();
    else
        lay_out_reusing();
    buffer_ = AlignedBuffer(size_);
    for (std::size_t tile = 0; tile < plan_.tiles.size(); ++tile)
        merges_.push_back(plan_.tiles[tile].is_leaf() ? PortMerge{} : describe_merge(tile));
}

std::size_t PortElimination::take(std::size_t doubles) {
    const std::size_t here = size_;
    size_ += (doubles + port_block - 1) / port_block * port_block;
    return here;
}

void PortElimination::lay_out_everything() {
    for (const PlannedTile& tile : plan_.tiles) {
        network_.push_back(take(network_size(tile)));
        factor_.push_back(tile.is_leaf() ? 0 : take(factor_size(tile)));
    }
    for (std::size_t batch = 0; batch < batches(); ++batch)
        leaf_factor_.push_back(take(kernels_.leaf_factor_size));
}

/// Two places for networks per depth of the tree, one place for all factors, and two batches of
/// leaves, the second of which is filled while one of the first may still be in use.
void PortElimination::lay_out_reusing() {
    const std::vector<std::size_t> position = positions(plan_);
    std::vector<std::array<std::size_t, 2>> place;
    std::size_t largest_factor = 0;
    for (std::size_t i = 0; i < plan_.tiles.size(); ++i) {
        const PlannedTile& tile = plan_.tiles[i];
        if (tile.is_leaf()) continue;
        if (tile.depth >= place.size()) place.resize(tile.depth + 1, {0, 0});
        std::size_t& largest = place[tile.depth][position[i]];
        largest = std::max(largest, network_size(tile));
        largest_factor = std::max(largest_factor, factor_size(tile));
    }
    for (auto& pair : place)
        for (std::size_t& size : pair) size = take(size);
    const std::size_t factor = take(largest_factor);
    const std::size_t leaf_size = sides * sides * block_size;
    const std::size_t leaves = 2 * kernels_.leaves_at_once;
    const std::size_t leaf_area = take(leaves * leaf_size);
    for (std::size_t i = 0; i < plan_.tiles.size(); ++i) {
        const PlannedTile& tile = plan_.tiles[i];
        network_.push_back(tile.is_leaf() ? leaf_area + tile.leaf % leaves * leaf_size
                                          : place[tile.depth][position[i]]);
        factor_.push_back(factor);
    }
}

PortMerge PortElimination::describe_merge(std::size_t number) const {
    const PlannedTile& tile = plan_.tiles[number];
    PortMerge merge;
    merge.children = tile.child[1] < 0 ? 1 : 2;
    for (std::size_t i = 0; i < merge.children; ++i) {
        const auto child = static_cast<std::size_t>(tile.child[i]);
        merge.child[i] = {network(child), plan_.tiles[child].port_blocks,
                          tile.interface_block[i].data()};
    }
    merge.interface_blocks = tile.interface_blocks;
    merge.port_blocks = tile.port_blocks;
    merge.owner = tile.owner.data();
    merge.place = tile.place.data();
    merge.factor = buffer_.data() + factor_[number];
    merge.out = network(number);
    merge.out_rows = tile.port_blocks;
    const bool is_root = number + 1 == plan_.tiles.size();
    const bool is_transfer_enough = !keeps_all_ && !plan_.outer.top && !plan_.outer.right;
    if (is_root && is_transfer_enough) {
        merge.out_rows = tile.side_blocks(Side::left);
        merge.first_column = merge.out_rows;
    }
    return merge;
}

std::size_t PortElimination::batches() const {
    return (plan_.leaf_tile.size() + kernels_.leaves_at_once - 1) / kernels_.leaves_at_once;
}

std::vector<LeafPlace> PortElimination::batch_places(std::size_t batch) const {
    const std::size_t first = batch * kernels_.leaves_at_once;
    const std::size_t last = std::min(first + kernels_.leaves_at_once, plan_.leaf_tile.size());
    std::vector<LeafPlace> places;
    for (std::size_t leaf = first; leaf < last; ++leaf) {
        const std::size_t tile = plan_.leaf_tile[leaf];
        const LeafBox& box = plan_.tiles[tile].box;
        places.push_back({box.first_row * leaf_side, box.first_column * leaf_side, network(tile)});
    }
    return places;
}

double* PortElimination::leaf_factor(std::size_t batch) const {
    return leaf_factor_.empty() ? nullptr : buffer_.data() + leaf_factor_[batch];
}

void PortElimination::reduce_batch(const PaddedArray& array, std::size_t batch) const {
    const std::vector<LeafPlace> places = batch_places(batch);
    kernels_.leaves(array, places.data(), places.size(), leaf_factor(batch));
}

void PortElimination::reduce(const PaddedArray& array) {
    for (std::size_t i = 0; i < plan_.tiles.size(); ++i) {
        const PlannedTile& tile = plan_.tiles[i];
        if (!tile.is_leaf())
            kernels_.merge(merges_[i]);
        else if (tile.leaf % kernels_.leaves_at_once == 0)
            reduce_batch(array, tile.leaf / kernels_.leaves_at_once);
    }
}

std::size_t PortElimination::reduce_again(const PaddedArray& array,
                                          const std::vector<bool>& is_changed) {
    assert(keeps_all_ && is_changed.size() == plan_.leaf_tile.size());
    std::vector<bool> is_stale(plan_.tiles.size(), false);
    std::size_t reduced = 0;
    for (std::size_t batch = 0; batch < batches(); ++batch) {
        const std::size_t first = batch * kernels_.leaves_at_once;
        const std::size_t last = std::min(first + kernels_.leaves_at_once, is_changed.size());
        bool is_batch_stale = false;
        for (std::size_t leaf = first; leaf < last; ++leaf) {
            is_stale[plan_.leaf_tile[leaf]] = is_changed[leaf];
            is_batch_stale = is_batch_stale || is_changed[leaf];
        }
        if (!is_batch_stale) continue;
        reduce_batch(array, batch);
        reduced += last - first;
    }
    for (std::size_t i = 0; i < plan_.tiles.size(); ++i) {
        for (const std::int32_t child : plan_.tiles[i].child)
            if (child >= 0 && is_stale[static_cast<std::size_t>(child)]) is_stale[i] = true;
        if (is_stale[i] && !plan_.tiles[i].is_leaf()) kernels_.merge(merges_[i]);
    }
    return reduced;
}

const double* PortElimination::between(std::size_t row_block, std::size_t column_block) const {
    const std::size_t root = plan_.tiles.size() - 1;
    const std::size_t skipped = merges_[root].first_column;
    const std::size_t width = plan_.root().port_blocks - skipped;
    return network(root) + (row_block * width + column_block - skipped) * block_size;
}

PaddedVoltages PortElimination::voltages(const PaddedArray& array,
                                         const std::vector<double>& ports) const {
    assert(keeps_all_);
    std::vector<std::vector<double>> at_ports(plan_.tiles.size());
    at_ports.back() = ports;
    for (std::size_t tile = plan_.tiles.size(); tile-- > 0;)
        if (!plan_.tiles[tile].is_leaf()) descend(tile, at_ports);
    PaddedVoltages result;
    const std::size_t nodes = plan_.leaf_rows * plan_.leaf_columns * block_size;
    result.word.resize(nodes * inputs);
    result.bit.resize(nodes * inputs);
    for (std::size_t batch = 0; batch < batches(); ++batch)
        restore_batch(array, batch, at_ports, result);
    return result;
}

/// Hands a tile's voltages down to its children.
void PortElimination::descend(std::size_t number, std::vector<std::vector<double>>& ports) const {
    const PlannedTile& tile = plan_.tiles[number];
    const PortMerge& merge = merges_[number];
    std::vector<double> shared(tile.interface_blocks * port_block * inputs);
    restore_interface(merge, ports[number].data(), shared.data());
    for (std::size_t i = 0; i < merge.children; ++i) {
        const auto child = static_cast<std::size_t>(tile.child[i]);
        ports[child].resize(plan_.tiles[child].port_blocks * port_block * inputs);
        for (std::size_t k = 0; k < tile.interface_blocks; ++k)
            copy_block(shared.data(), k, ports[child].data(),
                       static_cast<std::size_t>(tile.interface_block[i][k]));
    }
    for (std::size_t q = 0; q < tile.port_blocks; ++q) {
        const auto child =
            static_cast<std::size_t>(tile.child[static_cast<std::size_t>(tile.owner[q])]);
        copy_block(ports[number].data(), q, ports[child].data(),
                   static_cast<std::size_t>(tile.place[q]));
    }
    ports[number].clear();
    ports[number].shrink_to_fit();
}

void PortElimination::restore_batch(const PaddedArray& array, std::size_t batch,
                                    const std::vector<std::vector<double>>& ports,
                                    PaddedVoltages& voltages) const {
    const std::size_t lanes = kernels_.leaves_at_once;
    const std::vector<LeafPlace> places = batch_places(batch);
    const AlignedBuffer at_ports(leaf_ports * lanes);
    std::vector<double> word(block_size * lanes);
    std::vector<double> bit(block_size * lanes);
    std::fill_n(at_ports.data(), at_ports.size(), 0.0);
    for (std::size_t input = 0; input < inputs; ++input) {
        for (std::size_t i = 0; i < places.size(); ++i) {
            const auto& of_leaf = ports[plan_.leaf_tile[batch * lanes + i]];
            for (std::size_t q = 0; q < leaf_ports; ++q)
                at_ports.data()[q * lanes + i] = of_leaf[q * inputs + input];
        }
        kernels_.leaf_voltages(array, places.data(), places.size(), leaf_factor(batch),
                               at_ports.data(), word.data(), bit.data());
        for (std::size_t i = 0; i < places.size(); ++i)
            for (std::size_t cell = 0; cell < block_size; ++cell) {
                const std::size_t row = places[i].first_row + cell / leaf_side;
                const std::size_t column = places[i].first_column + cell % leaf_side;
                const std::size_t node = (row * array.stride + column) * inputs + input;
                voltages.word[node] = word[cell * lanes + i];
                voltages.bit[node] = bit[cell * lanes + i];
            }
    }
}

}  // namespace kirchnet::detail
