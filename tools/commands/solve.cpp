#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>

#include "circuit/error.hpp"
#include "circuit/names.hpp"
#include "circuit/stanford_law.hpp"
#include "data/crossbar_file.hpp"
#include "data/matrix_file.hpp"
#include "tools/commands/commands.hpp"
#include "tools/input/crossbar_input.hpp"
#include "tools/input/engines.hpp"
#include "tools/output/output.hpp"

namespace kirchnet {
namespace {

/// Row-major nested arrays; what is not finite becomes null.
nlohmann::json to_json(const Eigen::MatrixXd& matrix) {
    auto rows = nlohmann::json::array();
    for (Index r = 0; r < matrix.rows(); ++r) {
        auto row = nlohmann::json::array();
        for (Index c = 0; c < matrix.cols(); ++c) row.push_back(matrix(r, c));
        rows.push_back(std::move(row));
    }
    return rows;
}

/// Per input; an input without a solution has NaN currents.
nlohmann::json converged_inputs(const OperatingPoint& point) {
    auto list = nlohmann::json::array();
    for (Index k = 0; k < point.current.cols(); ++k)
        list.push_back(point.current.col(k).allFinite());
    return list;
}

/// What a read at the inputs' largest voltage does to the cell that it moves most, where cells can
/// move; no cell sees more voltage.
std::optional<nlohmann::json> worst_disturb(const SolveArguments& arguments,
                                            const Crossbar& crossbar) {
    const auto* law = dynamic_cast<const StanfordLaw*>(crossbar.law().custom_law());
    if (law == nullptr || arguments.input.empty()) return std::nullopt;
    const double voltage = load_inputs(arguments.input, crossbar).cwiseAbs().maxCoeff();
    ReadDisturb worst;
    std::string cell;
    for (Index r = 0; r < crossbar.shape().word_lines; ++r)
        for (Index c = 0; c < crossbar.shape().bit_lines; ++c) {
            const double g = crossbar.conductance()(r, c);
            if (g == 0) continue;
            const ReadDisturb found = read_disturb(law->cell(), g, voltage, arguments.read_time);
            if (!cell.empty() && std::abs(found.relative_change) <= std::abs(worst.relative_change))
                continue;
            worst = found;
            cell = cell_name({polarity_of(crossbar.pattern(), c), r, c});
        }
    if (cell.empty()) return std::nullopt;
    print_note(fmt::format(
        "read disturb: {} s at {} V would move the gap of {} by {:.3g} m and its conductance by "
        "{:.3g} %; it is left as it is",
        arguments.read_time, voltage, cell, worst.gap_change, 100 * worst.relative_change));
    return nlohmann::json{{"read_time", arguments.read_time},
                          {"voltage", voltage},
                          {"cell", cell},
                          {"gap", worst.gap},
                          {"gap_change", worst.gap_change},
                          {"relative_conductance_change", worst.relative_change},
                          {"temperature", worst.temperature}};
}

void check_outputs(const SolveArguments& arguments) {
    const bool wants_currents = !arguments.currents.empty() || !arguments.voltages.empty();
    if (arguments.input.empty() && wants_currents)
        throw InvalidInput("--input", "currents and voltages need read voltages");
    if (arguments.input.empty() && arguments.transfer.empty())
        throw InvalidInput("--input", "give read voltages, or ask for --transfer");
    if (!arguments.operator_cache.empty() && arguments.transfer.empty())
        throw InvalidInput("--operator-cache", "keeps transfer matrices; ask for --transfer");
    if (arguments.json && (arguments.currents == "-" || arguments.transfer == "-"))
        throw InvalidInput("--json", "standard output takes one thing: JSON or a matrix");
    if (!arguments.json && arguments.transfer == "-" && arguments.currents.empty() &&
        !arguments.input.empty())
        throw InvalidInput("--transfer -", "give --currents a file; both cannot go to stdout");
    if (arguments.currents == "-" && arguments.transfer == "-")
        throw InvalidInput("--transfer -", "currents go to standard output already");
}

}  // namespace

int run_solve(const SolveArguments& arguments) {
    check_outputs(arguments);
    const Crossbar crossbar = load_crossbar(arguments);
    const bool is_linear = crossbar.law().is_linear();
    const std::string engine_name =
        arguments.engine.empty() ? (is_linear ? "transfer" : "nonlinear") : arguments.engine;
    const auto cache = open_operator_cache(arguments.operator_cache);
    const auto engine = engine_factory(engine_name, cache)();
    bool converged = true;
    nlohmann::json object{{"engine", engine_name},
                          {"cell", to_string(crossbar.law())},
                          {"word_lines", crossbar.shape().word_lines},
                          {"bit_lines", crossbar.shape().bit_lines}};
    if (const auto disturb = worst_disturb(arguments, crossbar)) object["read_disturb"] = *disturb;
    const auto start = std::chrono::steady_clock::now();
    if (!arguments.input.empty()) {
        const Eigen::MatrixXd inputs = load_inputs(arguments.input, crossbar);
        const bool keep = !arguments.voltages.empty();
        const OperatingPoint point =
            engine->solve(crossbar, inputs, keep ? Voltages::keep : Voltages::skip);
        for (const auto& warning : point.warnings) print_note(warning);
        if (keep)
            write_voltages(arguments.voltages, point.word_line_voltage, point.bit_line_voltage);
        if (!arguments.currents.empty() || !arguments.json)
            write_matrix(arguments.currents.empty() ? "-" : arguments.currents,
                         point.current.transpose(), "A");
        object["currents"] = to_json(point.current.transpose());
        object["residual"] = point.residual;
        converged = is_linear || point.current.allFinite();
        if (!is_linear) object["converged"] = converged_inputs(point);
        object["warnings"] = point.warnings;
    }
    if (!arguments.transfer.empty()) {
        const Eigen::MatrixXd transfer = engine->transfer(crossbar);
        write_matrix(arguments.transfer, transfer, "S");
        print_warnings(cache.get());
        if (cache) object["operator_cache"] = counts_json(cache->counts());
    }
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    object["seconds"] = elapsed.count();
    if (arguments.json) print_json(object);
    return converged ? 0 : 1;
}

}  // namespace kirchnet
