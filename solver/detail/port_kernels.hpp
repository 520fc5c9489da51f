#pragma once

#include <cstddef>
#include <cstdint>

#include "circuit/instruction_set.hpp"

namespace kirchnet::detail {

/// Ports come in blocks of eight: every tile has a multiple of eight word lines and bit lines.
inline constexpr std::size_t port_block = 8;
/// Cells of the smallest tile along each side, and its ports: left, top, bottom, right.
inline constexpr std::size_t leaf_side = port_block;
inline constexpr std::size_t leaf_ports = 4 * leaf_side;

/// Conductances of a whole array, padded to leaves, row-major [rows × stride].
struct PaddedArray {
    const double* cell;   ///< [S]
    const double* left;   ///< segment left of each cell [S]
    const double* below;  ///< segment below each cell [S]
    std::size_t stride;
};

/// Entries of one block of rows and one block of columns lie together, row-major.
inline constexpr std::size_t block_size = port_block * port_block;

/// One leaf: where its cells begin in the padded array, and where its network goes.
struct LeafPlace {
    std::size_t first_row;
    std::size_t first_column;
    double* between;  ///< [4 × 4 blocks], both triangles
};

/// Half of a merge: a tile's port network, of which the interface is eliminated. `between` holds
/// conductances between ports as [blocks × blocks] blocks. Of pairs of blocks that are read in one
/// order alone (smaller number first) the other may be missing. The diagonal is not used.
struct PortChild {
    const double* between = nullptr;
    std::size_t blocks = 0;
    const std::int32_t* interface_block = nullptr;  ///< [interface_blocks] its own numbers
};

/// Elimination of the ports shared by two tiles, or of ports of a single one that lead nowhere.
struct PortMerge {
    PortChild child[2];
    std::size_t children = 0;
    std::size_t interface_blocks = 0;
    std::size_t port_blocks = 0;
    const std::int32_t* owner = nullptr;  ///< [port_blocks] child that a remaining block belongs to
    const std::int32_t* place = nullptr;  ///< [port_blocks] and its number there
    /// Rows of interface ports over interface, then remaining ports: one [interface × 8] matrix
    /// per block of columns.
    double* factor = nullptr;
    /// Conductances between remaining ports, [out_rows × (port_blocks - first_column)] blocks.
    double* out = nullptr;
    std::size_t out_rows = 0;      ///< blocks of rows wanted
    std::size_t first_column = 0;  ///< first block of columns wanted
};

/// The inner loops of port merging, compiled once per instruction set.
struct PortKernels {
    /// Leaves that `leaves` reduces at once.
    std::size_t leaves_at_once;
    /// Doubles that `leaves` leaves behind per call, its factors.
    std::size_t leaf_factor_size;
    /// @param places  [count], count <= leaves_at_once
    /// @param factor  [leaf_factor_size], aligned to 64 bytes
    void (*leaves)(const PaddedArray&, const LeafPlace* places, std::size_t count, double* factor);
    void (*merge)(const PortMerge&);
    /// Voltages of a batch of leaves from those of their ports.
    /// @param places  [count] as reduced, of which the network is not needed any more
    /// @param factor  what `leaves` left behind
    /// @param ports   [leaf_ports × leaves_at_once], aligned to 64 bytes
    /// @param word    word-line nodes, [cells of a leaf × leaves_at_once]
    /// @param bit     bit-line nodes, likewise
    void (*leaf_voltages)(const PaddedArray&, const LeafPlace* places, std::size_t count,
                          const double* factor, const double* ports, double* word, double* bit);
};

/// @param set  one that this processor runs
const PortKernels& port_kernels(InstructionSet set);

}  // namespace kirchnet::detail
