#pragma once

#include <memory>

#include "circuit/crossbar.hpp"
#include "circuit/instruction_set.hpp"

namespace kirchnet {

/// What a `PortTree` keeps of its work.
enum class Retain : std::uint8_t {
    transfer,   ///< the transfer matrix alone; memory is reused as merging proceeds
    everything  ///< all networks and factors: changed cells cost only what depends on them, and
                ///< voltages of every node can be had
};

/// Exact reduction of an array to its terminals by nested elimination of port networks,
/// docs/methods/port-merging.md: O(n^3) work, no parameter, no iteration, and no subtraction, so
/// that every entry of T keeps its relative accuracy however far conductances lie apart. One
/// object serves one thread; results do not depend on what it did before, to the bit.
class PortTree {
  public:
    explicit PortTree(Retain retain = Retain::transfer,
                      InstructionSet set = best_instruction_set());
    PortTree(PortTree&&) noexcept;
    PortTree& operator=(PortTree&&) noexcept;
    ~PortTree();

    /// Eliminates all inner nodes. With `Retain::everything` and cells alone changed since the
    /// last call, only the tiles above changed cells are merged anew.
    /// @return  false when conductances above 1e150 S are out of reach
    [[nodiscard]] bool reduce(const Crossbar& crossbar);

    /// The first rows of the transfer matrix [S], [bit_lines × word_lines], of the array reduced
    /// last.
    [[nodiscard]] Eigen::MatrixXd transfer_rows(Index bit_lines) const;

    /// Work space [bytes].
    [[nodiscard]] std::size_t memory() const;
    /// Leaves (8 × 8 cells) reduced by the last call.
    [[nodiscard]] std::size_t leaves_reduced() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace kirchnet
