#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "circuit/error.hpp"
#include "data/atomic_file.hpp"
#include "tools/commands/commands.hpp"
#include "tools/output/output.hpp"
#include "tools/reports/run_record.hpp"
#include "tools/sweep/sweep_page.hpp"

namespace kirchnet {
namespace {

void check_target(const ReportArguments& arguments) {
    const std::filesystem::path out = arguments.out;
    if (!out.has_filename() || std::filesystem::is_directory(out))
        throw InvalidInput(arguments.out, "is a folder; name a file, such as report.html");
    for (const std::string& file : arguments.results)
        if (file == arguments.out)
            throw InvalidInput(arguments.out, "would replace the results it reports on");
}

void print_gates(const SweepReport& report) {
    for (const GateResult& gate : report.gates()) {
        print_text(fmt::format("{}: {}\n", gate.name, gate.passed ? "passed" : "FAILED"));
        for (const std::string& line : gate.lines) print_text("  " + line + "\n");
    }
}

}  // namespace

int run_report(const ReportArguments& arguments) {
    check_target(arguments);
    const auto reports = read_sweep_reports(arguments.results);
    const std::filesystem::path out = arguments.out;
    const auto files = figure_files(reports, out.stem().string());
    std::vector<WorstChip> worst;
    for (const auto& report : reports)
        worst.push_back(
            examine_worst_chip(report->summary(), report->plan(), report->sources().front().file));
    bool passed = true;
    std::size_t figures = 0;
    for (std::size_t i = 0; i < reports.size(); ++i) {
        passed = passed && reports[i]->passed();
        figures += files[i].size();
        for (const FigureFiles& figure : files[i]) {
            write_text_atomically(out.parent_path() / (figure.name + ".csv"), figure.csv);
            if (!figure.svg.empty())
                write_text_atomically(out.parent_path() / (figure.name + ".svg"), figure.svg);
        }
    }
    write_text_atomically(out, report_page(reports, files, worst));
    if (arguments.json)
        print_json(report_json(reports));
    else
        for (const auto& report : reports) print_gates(*report);
    print_note(fmt::format("wrote {}{}", arguments.out,
                           figures > 0 ? ", its figures and their numbers beside it" : ""));
    return arguments.check && !passed ? 1 : 0;
}

}  // namespace kirchnet
