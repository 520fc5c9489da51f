// How long a tile must be read until every output is exact to half an LSB.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "circuit/error.hpp"
#include "data/atomic_file.hpp"
#include "nn/detail/readout_fold.hpp"
#include "tools/commands/commands.hpp"
#include "tools/input/tile_deck_input.hpp"
#include "tools/output/output.hpp"
#include "tools/output/progress.hpp"
#include "tools/reports/settling_report.hpp"

namespace kirchnet {
namespace {

constexpr Index largest_side = 64;          // of an array, without --large
constexpr Index largest_side_checked = 16;  // in ngspice
constexpr double worth_a_word = 2;          // [s]

SettlingTerms terms_of(const SettleArguments& arguments) {
    SettlingTerms terms;
    terms.bits = arguments.bits;
    terms.capacitances = {arguments.wire_capacitance, arguments.cell_capacitance,
                          arguments.access_capacitance};
    terms.rise_time = arguments.rise_time;
    if (arguments.stop) {
        if (!(*arguments.stop > 0))
            throw InvalidInput("--stop", fmt::format("{:g} s is not above 0", *arguments.stop));
        terms.stop = *arguments.stop;
    }
    if (arguments.range) {
        if (!(*arguments.range > 0))
            throw InvalidInput("--range", fmt::format("{:g} is not above 0", *arguments.range));
        terms.range = *arguments.range;
    }
    check(terms);
    return terms;
}

std::string ending_of(const SettleArguments& arguments) {
    const std::string ending = std::filesystem::path(arguments.out).extension().string();
    if (!arguments.out.empty() && ending != ".h5" && ending != ".csv")
        throw InvalidInput("--out", "'" + arguments.out + "' ends neither in .h5 nor in .csv");
    return ending;
}

void check_arguments(const SettleArguments& arguments) {
    if (arguments.tile.layer.empty())
        throw InvalidInput("--layer", "name a layer, as 'kirchnet info' lists them");
    if (arguments.top == 0) throw InvalidInput("--top", "needs at least one output to show");
}

void check_size(const SettleArguments& arguments, const Tile& tile) {
    const ArrayShape shape = tile.arrays().front().shape();
    const Index side = std::max(shape.word_lines, shape.bit_lines);
    const double seconds = expected_settling_seconds(tile);
    const double in_ngspice = expected_ngspice_transient_seconds(tile);
    if (side > largest_side && !arguments.large)
        throw InvalidInput("--array",
                           fmt::format("{} takes about {:.0f} s; ask with --large, or for a "
                                       "smaller --array",
                                       to_string(shape), seconds));
    if (arguments.check && side > largest_side_checked && !arguments.large)
        throw InvalidInput(
            "--check",
            fmt::format("{} takes about {:.0f} s in ngspice; ask with --large, or "
                        "for an --array up to {}x{}",
                        to_string(shape), in_ngspice, largest_side_checked, largest_side_checked));
    if (seconds > worth_a_word)
        print_note(fmt::format("{} takes about {:.0f} s", to_string(shape), seconds));
    if (arguments.check && in_ngspice > worth_a_word)
        print_note(fmt::format("ngspice takes about {:.0f} s for it", in_ngspice));
}

/// R_f as inference would take it.
std::optional<LinearReadout> readout_of(const TileSource& source, std::size_t layer) {
    const TileDeckSettings deck = source.deck({});
    if (deck.readout == Readout::ideal) return std::nullopt;
    LinearReadout readout = deck.amplifiers;
    readout.read_voltage = source.experiment().read_voltage;
    readout.circuit.feedback_resistance =
        detail::layer_feedback(source.graph(), layer, source.settings(), readout);
    return readout;
}

void write_waveforms(const std::string& out, const SettlingReport& report) {
    std::filesystem::path file = out;
    if (file.extension() == ".h5")
        write_settling(file, settling_record(report));
    else
        write_text_atomically(file, settling_csv(report));
    write_text_atomically(file.replace_extension(".svg"), settling_chart(report));
}

int verdict(const SettlingReport& report) {
    const auto& study = report.study;
    if (!study.is_settled())
        print_note(
            fmt::format("{} of {} outputs are not settled by {:g} s{}",
                        std::count_if(study.outputs.begin(), study.outputs.end(),
                                      [](const OutputSettling& output) { return !output.time; }),
                        study.outputs.size(), study.stop,
                        report.terms.stop > 0 ? "; give a later --stop, or none" : ""));
    const bool agrees = !report.agreement || report.agreement->agrees();
    if (!agrees) print_note("the simulators disagree");
    return study.is_settled() && agrees ? 0 : 1;
}

}  // namespace

int run_settle(const SettleArguments& arguments) {
    SettlingTerms terms = terms_of(arguments);
    (void)ending_of(arguments);
    const TileSource source(arguments.tile);
    check_arguments(arguments);
    terms.law = source.deck({}).law;
    const std::size_t layer = source.graph().find_layer(arguments.tile.layer);
    const TilePlace place = source.place();
    const Tile tile = source.tile(layer, place);
    check_size(arguments, tile);
    stop_at_safe_places();
    const Drive drive = source.drive(tile.block());
    const SettlingStudy study =
        study_settling(tile, drive.voltages, readout_of(source, layer),
                       source.experiment().read_voltage, terms, show_progress("settle", "parts"));
    std::optional<SettlingAgreement> agreement;
    if (arguments.check)
        agreement = compare_with_ngspice(
            study, std::max(120.0, 10 * expected_ngspice_transient_seconds(tile)));
    const SettlingReport report{
        fmt::format("{} tile {}, {}", arguments.tile.layer, to_string(place, source.settings()),
                    to_string(source.settings().mapping)),
        drive.comment,
        to_toml(source.experiment()),
        terms,
        study,
        agreement,
        arguments.top};
    if (!arguments.out.empty()) write_waveforms(arguments.out, report);
    if (arguments.json)
        print_json(settling_json(report));
    else
        print_text(settling_text(report));
    return verdict(report);
}

}  // namespace kirchnet
