#include "tools/checks/engine_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "circuit/elements.hpp"
#include "circuit/error.hpp"
#include "circuit/names.hpp"
#include "netlists/ngspice_solver.hpp"
#include "tools/input/crossbar_input.hpp"
#include "tools/input/engines.hpp"
#include "tools/output/output.hpp"

namespace kirchnet {
namespace {

constexpr Index largest_for_ngspice = 4096;  // cells; above it ngspice 39 needs minutes
constexpr double longest_for_ngspice = 30;   // [s], of what it does not solve as one array

std::vector<std::string> split_names(const std::string& text) {
    std::vector<std::string> names;
    std::size_t begin = 0;
    while (begin <= text.size()) {
        const auto end = std::min(text.find(',', begin), text.size());
        names.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return names;
}

double ngspice_limit(const CheckArguments& arguments, const ArrayShape& shape) {
    if (arguments.time_limit_s > 0) return arguments.time_limit_s;
    return std::max(120.0, 8 * expected_ngspice_seconds(shape));
}

std::string default_engines(const CellLaw& law) {
    return law.is_linear() ? "nodal,transfer,ngspice,ideal" : "nodal,nonlinear,ngspice,ideal";
}

/// Largest difference and where it sits.
struct Worst {
    double value = 0;
    Index index = 0;
};

Worst find_worst(const std::vector<double>& differences) {
    Worst worst;
    for (std::size_t i = 0; i < differences.size(); ++i)
        if (!(differences[i] <= worst.value)) worst = {differences[i], static_cast<Index>(i)};
    return worst;
}

/// |ΔI_c| / Σ_r |T_cr V_r| per bit line, the largest over the batch; 0 where no current can flow.
std::vector<double> current_differences(const OperatingPoint& reference,
                                        const OperatingPoint& other, const Eigen::MatrixXd& T,
                                        const Eigen::MatrixXd& inputs) {
    const Eigen::MatrixXd scale = T.cwiseAbs() * inputs.cwiseAbs();
    std::vector<double> worst(static_cast<std::size_t>(T.rows()), 0.0);
    for (Index k = 0; k < inputs.cols(); ++k)
        for (Index c = 0; c < T.rows(); ++c) {
            const double difference = std::abs(reference.current(c, k) - other.current(c, k));
            const double relative = difference == 0 ? 0 : difference / scale(c, k);
            auto& kept = worst[static_cast<std::size_t>(c)];
            if (!(relative <= kept)) kept = relative;
        }
    return worst;
}

/// |ΔU| [V] per node, word lines then bit lines, the largest over the batch; 0 where cut off.
std::vector<double> voltage_differences(const OperatingPoint& reference,
                                        const OperatingPoint& other) {
    std::vector<double> worst;
    const auto append = [&](const std::vector<CellMatrix>& x, const std::vector<CellMatrix>& y) {
        CellMatrix largest = CellMatrix::Zero(x.front().rows(), x.front().cols());
        for (std::size_t k = 0; k < x.size(); ++k) {
            const CellMatrix difference = (x[k] - y[k]).cwiseAbs();
            const auto both_cut_off = x[k].array().isNaN() && y[k].array().isNaN();
            largest = largest.cwiseMax(both_cut_off.select(0, difference.array()).matrix());
        }
        worst.insert(worst.end(), largest.data(), largest.data() + largest.size());
    };
    append(reference.word_line_voltage, other.word_line_voltage);
    append(reference.bit_line_voltage, other.bit_line_voltage);
    return worst;
}

std::string node_name(const Crossbar& crossbar, Index node) {
    const Index cells = crossbar.shape().cells();
    const Index place = node % cells;
    const Index c = place % crossbar.shape().bit_lines;
    const CellPosition at{polarity_of(crossbar.pattern(), c), place / crossbar.shape().bit_lines,
                          c};
    return node < cells ? word_line_node(at) : bit_line_node(at);
}

/// Engines without wires.
bool is_shown_only(const AgreementRecord& record) {
    return record.engine == "ideal" || record.reference == "ideal";
}

}  // namespace

EngineCheck::EngineCheck(const CheckArguments& arguments)
    : arguments_(arguments),
      law_(read_cell_law(arguments.crossbar)),
      tolerance_(arguments.tolerance.value_or(law_.is_linear() ? 1e-9 : 1e-6)),
      engines_(split_names(arguments.engines.empty() ? default_engines(law_) : arguments.engines)) {
    if (engines_.size() < 2)
        throw InvalidInput("--engines", "name at least two, the first is the reference");
    if (!(tolerance_ > 0)) throw InvalidInput("--tolerance", "must be positive");
    for (const auto& engine : engines_) (void)make_engine(engine);
}

void EngineCheck::check(const NamedArray& given) {
    const NamedArray circuit{given.name, given.crossbar.with_law(law_), given.inputs};
    const OperatingPoint reference = run(engines_.front(), circuit);
    // Differences are relative to what ohmic cells would carry.
    const Eigen::MatrixXd T = make_engine("nodal")->transfer(circuit.crossbar.with_law({}));
    for (std::size_t i = 1; i < engines_.size(); ++i) {
        if (is_too_large(engines_[i], circuit)) continue;
        AgreementRecord record =
            compare(circuit, engines_[i], reference, run(engines_[i], circuit), T);
        const bool is_gated = !is_shown_only(record);
        results_.push_back({std::move(record), tolerance_, is_gated});
    }
}

void EngineCheck::check(const WholeCircuit& whole) {
    const double seconds = expected_seconds(whole);
    const bool is_tile = !whole.is_layer && !whole.output;
    const bool is_large =
        is_tile ? cells_of(whole) > largest_for_ngspice : seconds > longest_for_ngspice;
    if (is_large)
        note(fmt::format("{} takes about {:.0f} s in ngspice{}", whole.name, seconds,
                         arguments_.large ? "" : ", left out; ask with --large"));
    if (is_large && !arguments_.large) return;
    const double limit =
        arguments_.time_limit_s > 0 ? arguments_.time_limit_s : std::max(120.0, 8 * seconds);
    CircuitAgreement agreement = check_circuit(whole, limit);
    results_.push_back(
        {std::move(agreement.record), arguments_.tolerance.value_or(agreement.tolerance)});
}

bool EngineCheck::asks_ngspice() const {
    return std::find(engines_.begin(), engines_.end(), "ngspice") != engines_.end();
}

bool EngineCheck::agree() const {
    return std::all_of(results_.begin(), results_.end(),
                       [](const Checked& result) { return !result.is_gated || result.agrees(); });
}

const Checked* EngineCheck::worst() const {
    const Checked* worst = nullptr;
    const auto share = [](const Checked& result) { return result.record.worst / result.tolerance; };
    for (const Checked& result : results_)
        if (result.is_gated && (worst == nullptr || !(share(result) <= share(*worst))))
            worst = &result;
    return worst;
}

void EngineCheck::note(const std::string& text) {
    notes_.push_back(text);
    print_note(text);
}

bool EngineCheck::is_too_large(const std::string& engine, const NamedArray& circuit) {
    const ArrayShape shape = circuit.crossbar.shape();
    if (engine != "ngspice" || shape.cells() <= largest_for_ngspice) return false;
    note(fmt::format("{}: {} in ngspice takes about {:.0f} s{}", circuit.name, to_string(shape),
                     expected_ngspice_seconds(shape) * static_cast<double>(circuit.inputs.cols()),
                     arguments_.large ? "" : ", left out; ask with --large"));
    return !arguments_.large;
}

OperatingPoint EngineCheck::run(const std::string& engine, const NamedArray& circuit) const {
    const double limit = ngspice_limit(arguments_, circuit.crossbar.shape());
    auto point =
        make_engine(engine, limit)->solve(circuit.crossbar, circuit.inputs, Voltages::keep);
    if (engine == engines_.front())
        for (const auto& warning : point.warnings)
            print_note(fmt::format("{}: {}", circuit.name, warning));
    return point;
}

AgreementRecord EngineCheck::compare(const NamedArray& circuit, const std::string& engine,
                                     const OperatingPoint& reference, const OperatingPoint& other,
                                     const Eigen::MatrixXd& T) const {
    AgreementRecord record;
    record.circuit = circuit.name;
    record.reference = engines_.front();
    record.engine = engine;
    record.word_lines = static_cast<std::size_t>(circuit.crossbar.shape().word_lines);
    record.bit_lines = static_cast<std::size_t>(circuit.crossbar.shape().bit_lines);
    record.current_difference = current_differences(reference, other, T, circuit.inputs);
    record.voltage_difference = voltage_differences(reference, other);
    const Worst current = find_worst(record.current_difference);
    record.worst = current.value;
    record.worst_column =
        sense_node(polarity_of(circuit.crossbar.pattern(), current.index), current.index);
    const Worst voltage = find_worst(record.voltage_difference);
    record.worst_voltage = voltage.value;
    record.worst_node = node_name(circuit.crossbar, voltage.index);
    return record;
}

}  // namespace kirchnet
