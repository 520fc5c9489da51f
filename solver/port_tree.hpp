#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "circuit/crossbar.hpp"
#include "circuit/instruction_set.hpp"

namespace kirchnet {

/// What a `PortTree` keeps of its work.
enum class Retain : std::uint8_t {
    transfer,   ///< the transfer matrix alone; memory is reused as merging proceeds
    everything  ///< all networks and factors: changed cells cost only what depends on them, and
                ///< source currents, node voltages and sensitivities can be had
};

/// Voltages of all nodes [V], [word_lines × bit_lines]. A node that is cut off from every terminal
/// has no voltage; 0 stands in its place.
struct NodeVoltages {
    CellMatrix word_line;
    CellMatrix bit_line;
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

    /// Eliminates all inner nodes of an array of linear cells. With `Retain::everything` and cells
    /// alone changed since the last call, only the tiles above changed cells are merged anew.
    /// @return  false when a conductance is above 1e100 S or neighbouring lines are bridged, which
    ///          this method leaves to others
    /// @throws InvalidInput  where the cells' law is not linear
    [[nodiscard]] bool reduce(const Crossbar& crossbar);

    /// Share of leaves (8 × 8 cells) in which this array differs from the one reduced last; nothing
    /// where there is none, or more than cells differ. Needs `Retain::everything`.
    [[nodiscard]] std::optional<double> share_changed(const Crossbar& crossbar) const;

    /// The first rows of the transfer matrix [S], [bit_lines × word_lines], of the array reduced
    /// last.
    [[nodiscard]] Eigen::MatrixXd transfer_rows(Index bit_lines) const;

    /// Y_BB [S], [bit_lines × bit_lines]: the current into each sense node per volt held at each,
    /// all others and the sources at 0 V. Needs `Retain::everything`.
    [[nodiscard]] Eigen::MatrixXd sense_admittance() const;

    /// Current each source delivers [A], [word_lines × batch]. Needs `Retain::everything`.
    /// @param inputs  read voltages [V], [word_lines × batch]
    [[nodiscard]] Eigen::MatrixXd source_currents(
        const Eigen::Ref<const Eigen::MatrixXd>& inputs) const;

    /// Voltages of all nodes, one per input. Needs `Retain::everything`.
    /// @param sources  [V], [word_lines × batch]
    /// @param grounds  what the read-out inputs are held at [V], [bit_lines × batch]
    [[nodiscard]] std::vector<NodeVoltages> voltages(
        const Eigen::Ref<const Eigen::MatrixXd>& sources,
        const Eigen::Ref<const Eigen::MatrixXd>& grounds) const;

    /// Adjoint sensitivities dI_c / dG_ij [V], [word_lines × bit_lines] for each of `bit_lines`:
    /// which single cell hurts which output most. With the cell voltage u that the inputs cause
    /// and the cell voltage a of 1 V on ground c alone, dI_c / dG_ij = -u_ij a_ij. Needs
    /// `Retain::everything`, and all nodes connected: a cell at one that is cut off gets a number
    /// without meaning (`SensitivitySolver` gives 0).
    /// @param inputs  read voltages [V], [word_lines]
    [[nodiscard]] std::vector<CellMatrix> sensitivities(
        const Eigen::Ref<const Eigen::VectorXd>& inputs, const std::vector<Index>& bit_lines) const;

    /// Work space [bytes].
    [[nodiscard]] std::size_t memory() const;
    /// Leaves (8 × 8 cells) reduced by the last call.
    [[nodiscard]] std::size_t leaves_reduced() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace kirchnet
