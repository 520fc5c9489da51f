#include "solver/port_tree.hpp"

#include <algorithm>
#include <cassert>
#include <optional>

#include "circuit/operating_point_solver.hpp"
#include "solver/detail/padded_crossbar.hpp"
#include "solver/detail/port_elimination.hpp"

namespace kirchnet {

using namespace detail;

struct PortTree::State {
    State(Retain retain_what, InstructionSet set)
        : retain(retain_what), kernels(port_kernels(set)) {}

    Retain retain;
    const PortKernels& kernels;
    std::optional<PortElimination> elimination;
    std::optional<PaddedCrossbar> padded;
    ArrayShape shape;
    std::optional<Crossbar> last;  ///< what all networks belong to; empty unless all are kept
    std::size_t leaves_reduced = 0;

    void analyze(const Crossbar& crossbar);
    [[nodiscard]] bool has_plan_for(const Crossbar& crossbar) const;
    [[nodiscard]] bool is_cells_alone(const Crossbar& crossbar) const;
    [[nodiscard]] std::vector<bool> changed_leaves(const Crossbar& crossbar) const;
    void reduce_changed(const Crossbar& crossbar);
    [[nodiscard]] std::size_t port(Side side, Index line) const;
    [[nodiscard]] double between(std::size_t i, std::size_t j) const;
    [[nodiscard]] std::vector<Side> source_sides() const;
    [[nodiscard]] std::vector<Side> ground_sides() const;
    void add_transfer(Side source, Side ground, Eigen::MatrixXd& T) const;
    [[nodiscard]] Eigen::MatrixXd between_terminals(const std::vector<Side>& sides,
                                                    Index lines) const;
    [[nodiscard]] NodeVoltages unpack(const PaddedVoltages& voltages, std::size_t input) const;
};

bool PortTree::State::has_plan_for(const Crossbar& crossbar) const {
    const OuterPorts outer = outer_ports(crossbar);
    return elimination && elimination->plan().outer == outer &&
           elimination->plan().shape == covered_shape(crossbar.shape(), outer);
}

void PortTree::State::analyze(const Crossbar& crossbar) {
    if (has_plan_for(crossbar)) return;
    const OuterPorts outer = outer_ports(crossbar);
    elimination.emplace(plan_ports(covered_shape(crossbar.shape(), outer), outer), kernels,
                        retain == Retain::everything);
    padded.emplace(elimination->plan());
    last.reset();
}

bool PortTree::State::is_cells_alone(const Crossbar& crossbar) const {
    return last && has_plan_for(crossbar) && last->wires() == crossbar.wires();
}

/// Per leaf, in the order of the plan: whether a cell of it is another than in the last array.
std::vector<bool> PortTree::State::changed_leaves(const Crossbar& crossbar) const {
    const CellMatrix& before = last->conductance();
    const CellMatrix& now = crossbar.conductance();
    const PortPlan& plan = elimination->plan();
    const auto above = static_cast<Index>(padded->row_of(0));
    std::vector<bool> is_changed;
    for (const std::size_t tile : plan.leaf_tile) {
        const LeafBox& box = plan.tiles[tile].box;
        const auto first_row = static_cast<Index>(box.first_row * leaf_side) - above;
        const auto first_column = static_cast<Index>(box.first_column * leaf_side);
        const Index r = std::clamp<Index>(first_row, 0, now.rows());
        const Index c = std::min(first_column, now.cols());
        const Index rows = std::clamp<Index>(first_row + leaf_side, 0, now.rows()) - r;
        const Index columns = std::min<Index>(first_column + leaf_side, now.cols()) - c;
        is_changed.push_back(before.block(r, c, rows, columns) != now.block(r, c, rows, columns));
    }
    return is_changed;
}

void PortTree::State::reduce_changed(const Crossbar& crossbar) {
    const std::vector<bool> is_changed = changed_leaves(crossbar);
    padded->fill_cells(crossbar);
    leaves_reduced = elimination->reduce_again(padded->view(), is_changed);
}

/// Number of a terminal among the whole array's ports.
std::size_t PortTree::State::port(Side side, Index line) const {
    const std::size_t first = elimination->plan().root().first_block(side) * port_block;
    const bool is_row = side == Side::left || side == Side::right;
    return first + (is_row ? padded->row_of(line) : static_cast<std::size_t>(line));
}

double PortTree::State::between(std::size_t i, std::size_t j) const {
    if (i / port_block > j / port_block) std::swap(i, j);
    return elimination->between(i / port_block,
                                j / port_block)[i % port_block * port_block + j % port_block];
}

std::vector<Side> PortTree::State::source_sides() const {
    if (elimination->plan().outer.right) return {Side::left, Side::right};
    return {Side::left};
}

std::vector<Side> PortTree::State::ground_sides() const {
    if (elimination->plan().outer.top) return {Side::bottom, Side::top};
    return {Side::bottom};
}

void PortTree::State::add_transfer(Side source, Side ground, Eigen::MatrixXd& T) const {
    const std::size_t first_column = port(ground, 0) / port_block;
    for (Index r = 0; r < T.cols(); ++r) {
        const std::size_t row = port(source, r);
        const bool is_above_diagonal = row / port_block < first_column;
        for (Index c = 0; c < T.rows(); c += port_block) {
            const Index count = std::min<Index>(port_block, T.rows() - c);
            const std::size_t column = first_column + static_cast<std::size_t>(c) / port_block;
            if (is_above_diagonal)
                T.col(r).segment(c, count) += Eigen::Map<const Eigen::VectorXd>(
                    elimination->between(row / port_block, column) + row % port_block * port_block,
                    count);
            else
                for (Index i = 0; i < count; ++i)
                    T(c + i, r) += between(row, column * port_block + static_cast<std::size_t>(i));
        }
    }
}

/// Conductance between the terminals of these sides [S], [lines × lines], nothing on the diagonal.
Eigen::MatrixXd PortTree::State::between_terminals(const std::vector<Side>& sides,
                                                   Index lines) const {
    Eigen::MatrixXd result = Eigen::MatrixXd::Zero(lines, lines);
    for (const Side side : sides)
        for (const Side other : sides)
            for (Index i = 0; i < lines; ++i)
                for (Index j = 0; j < lines; ++j)
                    if (i != j) result(i, j) += between(port(side, i), port(other, j));
    return result;
}

NodeVoltages PortTree::State::unpack(const PaddedVoltages& voltages, std::size_t input) const {
    constexpr std::size_t inputs = PortElimination::inputs_at_once;
    NodeVoltages result{CellMatrix(shape.word_lines, shape.bit_lines),
                        CellMatrix(shape.word_lines, shape.bit_lines)};
    const std::size_t stride = padded->view().stride;
    for (Index r = 0; r < shape.word_lines; ++r)
        for (Index c = 0; c < shape.bit_lines; ++c) {
            const std::size_t node = padded->row_of(r) * stride + static_cast<std::size_t>(c);
            result.word_line(r, c) = voltages.word[node * inputs + input];
            result.bit_line(r, c) = voltages.bit[node * inputs + input];
        }
    return result;
}

PortTree::PortTree(Retain retain, InstructionSet set)
    : state_(std::make_unique<State>(retain, set)) {}
PortTree::PortTree(PortTree&&) noexcept = default;
PortTree& PortTree::operator=(PortTree&&) noexcept = default;
PortTree::~PortTree() = default;

bool PortTree::reduce(const Crossbar& crossbar) {
    require_linear_cells(crossbar, "port merging");
    State& state = *state_;
    if (!is_in_reach(crossbar)) return false;
    if (state.is_cells_alone(crossbar)) {
        state.reduce_changed(crossbar);
    } else {
        state.analyze(crossbar);
        state.padded->fill(crossbar);
        state.elimination->reduce(state.padded->view());
        state.leaves_reduced = state.elimination->plan().leaf_tile.size();
    }
    state.shape = crossbar.shape();
    if (state.retain == Retain::everything) state.last = crossbar;
    return true;
}

std::optional<double> PortTree::share_changed(const Crossbar& crossbar) const {
    if (!state_->is_cells_alone(crossbar)) return std::nullopt;
    const std::vector<bool> is_changed = state_->changed_leaves(crossbar);
    const auto changed = std::count(is_changed.begin(), is_changed.end(), true);
    return static_cast<double>(changed) / static_cast<double>(is_changed.size());
}

Eigen::MatrixXd PortTree::transfer_rows(Index bit_lines) const {
    const State& state = *state_;
    assert(state.elimination && bit_lines <= state.shape.bit_lines);
    Eigen::MatrixXd T = Eigen::MatrixXd::Zero(bit_lines, state.shape.word_lines);
    for (const Side source : state.source_sides())
        for (const Side ground : state.ground_sides()) state.add_transfer(source, ground, T);
    return T;
}

Eigen::MatrixXd PortTree::sense_admittance() const {
    const State& state = *state_;
    assert(state.last);
    Eigen::MatrixXd admittance =
        -state.between_terminals(state.ground_sides(), state.shape.bit_lines);
    admittance.diagonal() =
        transfer_rows(state.shape.bit_lines).rowwise().sum() - admittance.rowwise().sum();
    return admittance;
}

Eigen::MatrixXd PortTree::source_currents(const Eigen::Ref<const Eigen::MatrixXd>& inputs) const {
    const State& state = *state_;
    assert(state.last && inputs.rows() == state.shape.word_lines);
    const Eigen::MatrixXd conductance =
        state.between_terminals(state.source_sides(), state.shape.word_lines);
    const Eigen::VectorXd to_ground = transfer_rows(state.shape.bit_lines).colwise().sum();
    Eigen::MatrixXd current(inputs.rows(), inputs.cols());
    for (Index k = 0; k < inputs.cols(); ++k)
        for (Index r = 0; r < inputs.rows(); ++r)
            current(r, k) = to_ground(r) * inputs(r, k) +
                            conductance.row(r).dot((inputs(r, k) - inputs.col(k).array()).matrix());
    return current;
}

std::vector<NodeVoltages> PortTree::voltages(
    const Eigen::Ref<const Eigen::MatrixXd>& sources,
    const Eigen::Ref<const Eigen::MatrixXd>& grounds) const {
    const State& state = *state_;
    assert(state.last && sources.cols() == grounds.cols());
    constexpr std::size_t inputs = PortElimination::inputs_at_once;
    const std::size_t ports = state.elimination->plan().root().port_blocks * port_block;
    std::vector<NodeVoltages> result;
    for (Index first = 0; first < sources.cols(); first += inputs) {
        const Index count = std::min<Index>(inputs, sources.cols() - first);
        std::vector<double> at_ports(ports * inputs, 0.0);
        const auto hold = [&](Side side, const Eigen::Ref<const Eigen::MatrixXd>& values) {
            for (Index line = 0; line < values.rows(); ++line)
                for (Index k = 0; k < count; ++k)
                    at_ports[state.port(side, line) * inputs + static_cast<std::size_t>(k)] =
                        values(line, first + k);
        };
        for (const Side side : state.source_sides()) hold(side, sources);
        for (const Side side : state.ground_sides()) hold(side, grounds);
        const PaddedVoltages all = state.elimination->voltages(state.padded->view(), at_ports);
        for (Index k = 0; k < count; ++k)
            result.push_back(state.unpack(all, static_cast<std::size_t>(k)));
    }
    return result;
}

std::size_t PortTree::memory() const {
    return state_->elimination ? state_->elimination->doubles() * sizeof(double) : 0;
}

std::size_t PortTree::leaves_reduced() const {
    return state_->leaves_reduced;
}

std::vector<CellMatrix> PortTree::sensitivities(const Eigen::Ref<const Eigen::VectorXd>& inputs,
                                                const std::vector<Index>& bit_lines) const {
    const auto [m, n] = state_->shape;
    const auto outputs = static_cast<Index>(bit_lines.size());
    Eigen::MatrixXd sources = Eigen::MatrixXd::Zero(m, 1 + outputs);
    Eigen::MatrixXd grounds = Eigen::MatrixXd::Zero(n, 1 + outputs);
    sources.col(0) = inputs;
    for (Index k = 0; k < outputs; ++k) grounds(bit_lines[static_cast<std::size_t>(k)], 1 + k) = 1;
    const std::vector<NodeVoltages> voltage = voltages(sources, grounds);
    const CellMatrix drop = voltage[0].word_line - voltage[0].bit_line;
    std::vector<CellMatrix> result;
    for (std::size_t k = 1; k < voltage.size(); ++k)
        result.emplace_back(drop.cwiseProduct(voltage[k].bit_line - voltage[k].word_line));
    return result;
}

}  // namespace kirchnet
