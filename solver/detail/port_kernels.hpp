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

/// One leaf: where its cells begin in the padded array, and where its network goes.
struct LeafPlace {
    std::size_t first_row;
    std::size_t first_column;
    double* between;  ///< [leaf_ports × leaf_ports], both triangles
};

/// Half of a merge: a tile's port network, of which the interface is eliminated. `between` holds
/// conductances between ports, row-major; of block pairs that are read in one order alone
/// (smaller block number first) the other may be missing. The diagonal is not used.
struct PortChild {
    const double* between = nullptr;
    std::size_t stride = 0;
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
    double* factor = nullptr;             ///< [interface × x_stride]: interface, remaining ports
    std::size_t factor_stride = 0;
    double* out = nullptr;  ///< conductances between remaining ports, first_column at its start
    std::size_t out_stride = 0;
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
};

/// @param set  one that this processor runs
const PortKernels& port_kernels(InstructionSet set);

}  // namespace kirchnet::detail
