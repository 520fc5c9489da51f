#include "solver/transfer_solver.hpp"

#include <limits>

#include "circuit/elements.hpp"
#include "solver/kirchhoff.hpp"

namespace kirchnet {
namespace {

// Above this share of leaves to reduce again, a whole reduction in little memory is faster
// (bench_transfer, fault_update).
constexpr double most_changed = 0.4;

/// Each cell sits between its source and its ground.
bool is_without_resistance(const Wires& wires) {
    const auto is_zero = [](const LineResistance& resistance) {
        return (resistance.values().array() == 0).all();
    };
    return wires.bridges.empty() && is_zero(wires.word_line_segment) &&
           is_zero(wires.bit_line_segment) && is_zero(wires.driver) && is_zero(wires.sense);
}

/// With every segment connecting, each node reaches a terminal along its own line.
bool may_be_cut_off(const Wires& wires) {
    const auto has_open = [](const LineResistance& resistance) {
        return resistance.values().array().isInf().any();
    };
    return has_open(wires.word_line_segment) || has_open(wires.bit_line_segment) ||
           has_open(wires.driver) || has_open(wires.sense);
}

void set_cut_off(const std::vector<NetIndex>& nets, CellMatrix& voltage) {
    for (std::size_t i = 0; i < nets.size(); ++i)
        if (nets[i] == cut_off_net) voltage.data()[i] = std::numeric_limits<double>::quiet_NaN();
}

/// Voltage of every net from those of its nodes.
Potentials gather(const Expansion& expansion, const Eigen::Ref<const Eigen::MatrixXd>& inputs,
                  const std::vector<NodeVoltages>& voltages) {
    Potentials potentials = Potentials::Zero(net_count(expansion), inputs.cols());
    potentials.middleRows(expansion.unknowns, expansion.word_lines) = inputs;
    for (Index k = 0; k < inputs.cols(); ++k) {
        const NodeVoltages& voltage = voltages[static_cast<std::size_t>(k)];
        for (NetIndex net = 0; net < expansion.unknowns; ++net) {
            const Index node = expansion.first_node[static_cast<std::size_t>(net)];
            potentials(net, k) = node < expansion.cells()
                                     ? voltage.word_line.data()[node]
                                     : voltage.bit_line.data()[node - expansion.cells()];
        }
    }
    return potentials;
}

}  // namespace

OperatingPoint TransferSolver::solve(const Crossbar& crossbar,
                                     const Eigen::Ref<const Eigen::MatrixXd>& inputs,
                                     Voltages voltages) {
    check_inputs(crossbar, inputs);
    require_linear_cells(crossbar, "engine transfer");
    const auto T = find_transfer(crossbar, crossbar.shape().bit_lines);
    // Without resistances T is there whatever the conductances, voltages are not.
    if (!T || (voltages == Voltages::keep && !kept_.reduce(crossbar)))
        return solve_by_nodal(crossbar, inputs, voltages);
    OperatingPoint point;
    point.current = *T * inputs;
    if (voltages == Voltages::keep) {
        keep_voltages(crossbar, inputs, point);
    } else {
        // T alone cannot tell Kirchhoff's residual.
        point.residual = std::numeric_limits<double>::quiet_NaN();
        if (may_be_cut_off(crossbar.wires()))
            if (auto warning = describe_cut_off(expand(crossbar)); !warning.empty())
                point.warnings.push_back(std::move(warning));
    }
    return point;
}

OperatingPoint TransferSolver::solve_by_nodal(const Crossbar& crossbar,
                                              const Eigen::Ref<const Eigen::MatrixXd>& inputs,
                                              Voltages voltages) {
    OperatingPoint point = nodal_.solve(crossbar, inputs, voltages);
    // Bridges are nodal's by design; who asks for such a conductance should know.
    if (crossbar.wires().bridges.empty())
        point.warnings.emplace_back(
            "a conductance above 1e100 S is beyond engine transfer; solved by engine nodal");
    return point;
}

void TransferSolver::keep_voltages(const Crossbar& crossbar,
                                   const Eigen::Ref<const Eigen::MatrixXd>& inputs,
                                   OperatingPoint& point) const {
    const Expansion expansion = expand(crossbar);
    const auto voltages =
        kept_.voltages(inputs, Eigen::MatrixXd::Zero(crossbar.shape().bit_lines, inputs.cols()));
    point.residual = relative_residual(expansion, gather(expansion, inputs, voltages));
    for (const NodeVoltages& voltage : voltages) {
        point.word_line_voltage.push_back(voltage.word_line);
        point.bit_line_voltage.push_back(voltage.bit_line);
        set_cut_off(expansion.word_net, point.word_line_voltage.back());
        set_cut_off(expansion.bit_net, point.bit_line_voltage.back());
    }
    if (auto warning = describe_cut_off(expansion); !warning.empty())
        point.warnings.push_back(std::move(warning));
}

bool TransferSolver::is_worth_keeping(const Crossbar& crossbar) const {
    if (!settings_.keeps_tree) return false;
    const auto share = kept_.share_changed(crossbar);
    return !share || *share <= most_changed;
}

std::optional<Eigen::MatrixXd> TransferSolver::find_transfer(const Crossbar& crossbar,
                                                             Index bit_lines) {
    if (is_without_resistance(crossbar.wires()))
        return crossbar.conductance().leftCols(bit_lines).transpose();
    PortTree& tree = is_worth_keeping(crossbar) ? kept_ : whole_;
    if (!tree.reduce(crossbar)) return std::nullopt;
    return tree.transfer_rows(bit_lines);
}

Eigen::MatrixXd TransferSolver::transfer_rows(const Crossbar& crossbar, Index bit_lines) {
    require_linear_cells(crossbar, "a transfer matrix");
    const auto T = find_transfer(crossbar, bit_lines);
    return T ? *T : nodal_.transfer_rows(crossbar, bit_lines);
}

ArrayPorts TransferSolver::ports(const Crossbar& crossbar) {
    require_linear_cells(crossbar, "a transfer matrix");
    if (is_without_resistance(crossbar.wires())) {
        const Eigen::MatrixXd G = crossbar.conductance();
        return {G.transpose(), Eigen::VectorXd(G.colwise().sum()).asDiagonal()};
    }
    if (!kept_.reduce(crossbar)) return nodal_.ports(crossbar);
    return {kept_.transfer_rows(crossbar.shape().bit_lines), kept_.sense_admittance()};
}

}  // namespace kirchnet
