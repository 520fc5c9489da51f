#include "tools/checks/check_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tools/output/output.hpp"

namespace kirchnet {
namespace {

std::string verdict(const Checked& result) {
    if (!result.is_gated) return "shown";
    return result.agrees() ? "ok" : "DISAGREE";
}

}  // namespace

std::string report_text(const EngineCheck& check) {
    TextTable table({"circuit", "size", "engine", "worst dI / sum(T V)", "column", "worst dU [V]",
                     "node", "verdict"});
    for (const Checked& result : check.results()) {
        const AgreementRecord& r = result.record;
        table.add({r.circuit, fmt::format("{}x{}", r.word_lines, r.bit_lines),
                   r.engine + " : " + r.reference, fmt::format("{:.2e}", r.worst), r.worst_column,
                   fmt::format("{:.1e}", r.worst_voltage), r.worst_node, verdict(result)});
    }
    std::string text = table.markdown();
    if (std::any_of(check.results().begin(), check.results().end(),
                    [](const Checked& result) { return result.record.reference == whole_circuit; }))
        text +=
            "\nngspice : circuit is a whole deck, read-out included: the worst net, ammeter or "
            "output, of the largest voltage, current or output there.\n";
    if (const Checked* worst = check.worst())
        text += fmt::format("\nworst: {:.2e} at {} of {} ({} against {}); tolerance {:.0e}\n",
                            worst->record.worst, worst->record.worst_column, worst->record.circuit,
                            worst->record.engine, worst->record.reference, worst->tolerance);
    return text;
}

nlohmann::json report_json(const EngineCheck& check) {
    auto list = nlohmann::json::array();
    double worst = 0;
    for (const Checked& result : check.results()) {
        const AgreementRecord& r = result.record;
        list.push_back({{"circuit", r.circuit},
                        {"word_lines", r.word_lines},
                        {"bit_lines", r.bit_lines},
                        {"reference", r.reference},
                        {"engine", r.engine},
                        {"worst", r.worst},
                        {"worst_column", r.worst_column},
                        {"worst_voltage", r.worst_voltage},
                        {"worst_node", r.worst_node},
                        {"tolerance", result.tolerance},
                        {"gated", result.is_gated}});
        if (result.is_gated && !(r.worst <= worst)) worst = r.worst;
    }
    return {{"agree", check.agree()},
            {"worst", worst},
            {"tolerance", check.tolerance()},
            {"notes", check.notes()},
            {"records", list}};
}

}  // namespace kirchnet
