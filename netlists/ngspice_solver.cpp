#include "netlists/ngspice_solver.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "circuit/elements.hpp"
#include "circuit/error.hpp"
#include "netlists/detail/deck_text.hpp"
#include "netlists/netlist_writer.hpp"
#include "netlists/ngspice_session.hpp"

namespace kirchnet {
namespace {

constexpr double not_defined = std::numeric_limits<double>::quiet_NaN();

/// What is asked of ngspice, in this order: bit-line currents, source nets, unknown nets.
struct Wanted {
    std::vector<std::string> names;
    Index sources_at = 0;
    Index unknowns_at = 0;
};

Wanted list_wanted(const Expansion& circuit, Voltages voltages) {
    Wanted wanted;
    for (Index c = 0; c < circuit.bit_lines; ++c)
        wanted.names.push_back(detail::ammeter_name(circuit.pattern, c) + "#branch");
    wanted.sources_at = circuit.bit_lines;
    for (Index r = 0; r < circuit.word_lines; ++r)
        wanted.names.push_back(circuit.net_name(circuit.source(r)));
    wanted.unknowns_at = wanted.sources_at + circuit.word_lines;
    if (voltages == Voltages::keep)
        for (NetIndex net = 0; net < circuit.unknowns; ++net)
            wanted.names.push_back(circuit.net_name(net));
    return wanted;
}

SourceSweep sweep_of(const Expansion& circuit, const Eigen::Ref<const Eigen::MatrixXd>& inputs) {
    SourceSweep sweep;
    for (Index r = 0; r < circuit.word_lines; ++r)
        sweep.sources.push_back(detail::source_name(circuit.pattern, r));
    sweep.values = inputs;
    return sweep;
}

/// The sources must stand at what was asked, or the currents answer another question.
void check_sources(const Eigen::Ref<const Eigen::MatrixXd>& found,
                   const Eigen::Ref<const Eigen::MatrixXd>& asked) {
    constexpr double tolerance = 1e-12;  // ngspice reads decimal numbers to an ulp or two
    for (Index k = 0; k < asked.cols(); ++k)
        for (Index r = 0; r < asked.rows(); ++r)
            if (std::abs(found(r, k) - asked(r, k)) > tolerance * std::abs(asked(r, k)))
                throw NgspiceError(
                    fmt::format("word line {} of input {} stands at {} V instead of {} V", r, k,
                                found(r, k), asked(r, k)));
}

CellMatrix node_voltages(const Expansion& circuit, const std::vector<NetIndex>& nets,
                         const Eigen::Ref<const Eigen::VectorXd>& unknown,
                         const Eigen::Ref<const Eigen::VectorXd>& input) {
    const auto voltage = [&](NetIndex net) {
        if (net == cut_off_net) return not_defined;
        if (circuit.is_unknown(net)) return unknown(net);
        return circuit.is_source(net) ? input(net - circuit.unknowns) : 0.0;
    };
    CellMatrix result(circuit.word_lines, circuit.bit_lines);
    for (Index i = 0; i < circuit.cells(); ++i)
        result.data()[i] = voltage(nets[static_cast<std::size_t>(i)]);
    return result;
}

}  // namespace

NgspiceSolver::NgspiceSolver(NgspiceSettings settings) : settings_(std::move(settings)) {}

OperatingPoint NgspiceSolver::solve(const Crossbar& crossbar,
                                    const Eigen::Ref<const Eigen::MatrixXd>& inputs,
                                    Voltages voltages) {
    check_inputs(crossbar, inputs);
    const Expansion circuit = expand(crossbar);
    const Wanted wanted = list_wanted(circuit, voltages);
    const std::string deck =
        write_flat_deck(crossbar, Eigen::VectorXd::Zero(circuit.word_lines), "kirchnet flat deck");
    const Eigen::MatrixXd found =
        run_operating_points(deck, sweep_of(circuit, inputs), wanted.names, settings_);
    check_sources(found.middleRows(wanted.sources_at, circuit.word_lines), inputs);

    OperatingPoint point;
    point.current = found.topRows(circuit.bit_lines);
    point.residual = not_defined;
    if (const std::string lost = describe_cut_off(circuit); !lost.empty())
        point.warnings.push_back(lost);
    if (voltages == Voltages::keep)
        for (Index k = 0; k < inputs.cols(); ++k) {
            const Eigen::VectorXd unknown = found.col(k).tail(circuit.unknowns);
            point.word_line_voltage.push_back(
                node_voltages(circuit, circuit.word_net, unknown, inputs.col(k)));
            point.bit_line_voltage.push_back(
                node_voltages(circuit, circuit.bit_net, unknown, inputs.col(k)));
        }
    return point;
}

double expected_ngspice_seconds(const ArrayShape& shape) {
    // Measured on a 2.5 GHz Cascade Lake core: 7 s at 64 x 64 and 144 s at 128 x 128, nearly all of
    // it re-ordering in Sparse 1.3, which costs 21 times more per doubling of both sides.
    constexpr double seconds = 7.0;
    constexpr double cells = 64 * 64;
    constexpr double start_up = 5e-3;
    return start_up + seconds * std::pow(static_cast<double>(shape.cells()) / cells, 2.18);
}

}  // namespace kirchnet
