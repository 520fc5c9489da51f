#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "circuit/error.hpp"
#include "circuit/units.hpp"
#include "data/cell_map_file.hpp"
#include "tools/commands/commands.hpp"
#include "tools/input/tile_deck_input.hpp"
#include "tools/output/output.hpp"
#include "tools/output/progress.hpp"
#include "tools/reports/cell_trace.hpp"

namespace kirchnet {
namespace {

constexpr std::string_view all = "all";

void check_arguments(const TraceArguments& arguments) {
    const int asked = (arguments.cell.empty() ? 0 : 1) + (arguments.weight.empty() ? 0 : 1) +
                      (arguments.map.empty() ? 0 : 1);
    if (asked != 1)
        throw InvalidInput("trace", "give one of --cell NAME, --weight OC,IC,KY,KX and --map FILE");
    if (arguments.tile.layer.empty())
        throw InvalidInput("--layer", "name a layer, as 'kirchnet info' lists them");
    if (!arguments.map.empty()) return;
    if (arguments.tile.layer == all)
        throw InvalidInput("--layer", "'all' goes with --map; name the layer");
    if (!arguments.cell.empty() && arguments.tile.tile == all)
        throw InvalidInput("--tile", "'all' goes with --map; name the tile");
}

std::vector<std::int32_t> parse_numbers(const std::string& text) {
    std::vector<std::int32_t> numbers;
    const char* at = text.data();
    const char* end = text.data() + text.size();
    while (at != end) {
        std::int32_t number = 0;
        const auto [next, status] = std::from_chars(at, end, number);
        if (status != std::errc{} || number < 0 || (next != end && *next != ',')) break;
        numbers.push_back(number);
        at = next == end ? next : next + 1;
        if (next != end && at == end) numbers.clear();  // a comma at the end
    }
    return at == end ? numbers : std::vector<std::int32_t>{};
}

/// One cell with everything that is known of it.
struct TracedCell {
    std::string layer;
    TilePlace place;
    CellMeaning meaning;
    double scale = 1;
    CellShare share;
    std::string drive;
};

TracedCell trace_cell(const TileSource& source, std::size_t layer, const CellPlace& place) {
    const Tile tile = source.tile(layer, place.tile);
    TracedCell traced;
    traced.layer = source.graph().layer_name(layer);
    traced.place = place.tile;
    traced.meaning = tile.meaning(place.position);
    traced.scale = tile_layer(source.graph(), layer, source.settings()).scale;
    const Drive drive = source.drive(tile.block());
    traced.drive = drive.comment;
    traced.share = share_of_cell(tile, place.position, drive.voltages);
    return traced;
}

double sign_of(const TracedCell& traced) {
    return traced.meaning.position.polarity == Polarity::a ? 1 : -1;
}

/// Of its output's error; empty where there is none or it serves no output.
std::optional<double> error_share(const TracedCell& traced) {
    if (!traced.share.number || traced.share.output_error() == 0) return std::nullopt;
    return sign_of(traced) * traced.share.error() / traced.share.output_error();
}

nlohmann::json to_json(const TracedCell& traced, const TileSettings& settings) {
    const CellMeaning& cell = traced.meaning;
    const CellPosition& at = cell.position;
    nlohmann::json object{{"layer", traced.layer},
                          {"tile", {traced.place.row, traced.place.column}},
                          {"slice", traced.place.slice},
                          {"instance", cell_name(at)},
                          {"word_line", at.word_line},
                          {"bit_line", at.bit_line},
                          {"polarity", std::string(1, to_char(at.polarity))},
                          {"mapping", to_string(settings.mapping)},
                          {"state", cell.state},
                          {"intended_conductance", cell.intended_conductance},
                          {"conductance", cell.conductance},
                          {"fault", to_string(cell.fault)},
                          {"drive", traced.drive},
                          {"voltage", traced.share.voltage},
                          {"current", traced.share.current},
                          {"intended_current", traced.share.intended_current}};
    if (std::isnan(traced.share.voltage)) object["voltage"] = nullptr;
    object["kind"] = cell.is_reference ? "reference" : "pad";
    if (const auto* address = std::get_if<CellAddress>(&cell.identity)) {
        object["kind"] = "weight";
        object["output_channel"] = address->output_channel;
        object["input_channel"] = address->input_channel;
        object["kernel_y"] = address->kernel_y;
        object["kernel_x"] = address->kernel_x;
    }
    if (cell.weight) object["weight"] = *cell.weight * traced.scale;
    if (cell.level) object["level"] = *cell.level;
    if (cell.digit) object["digit"] = *cell.digit;
    if (!traced.share.number) return object;
    object["output"] = {{"number", *traced.share.number},
                        {"current", traced.share.output},
                        {"intended_current", traced.share.intended_output},
                        {"error", traced.share.output_error()}};
    const auto share = error_share(traced);
    object["share_of_output_error"] = share ? nlohmann::json(*share) : nlohmann::json(nullptr);
    return object;
}

std::string describe_weight(const TracedCell& traced, const TileSettings& settings) {
    const CellMeaning& cell = traced.meaning;
    if (!cell.weight) return cell.is_reference ? "none: reference cell" : "none: pad";
    std::string text = fmt::format("{:.6g}", *cell.weight * traced.scale);
    if (cell.level)
        text += fmt::format(", level {} of {}", *cell.level, largest_level(settings.weight_bits));
    if (cell.digit) text += fmt::format(", digit {} of {}", *cell.digit, cell.steps);
    return text;
}

std::string to_text(const TracedCell& traced, const TileSettings& settings) {
    const CellMeaning& cell = traced.meaning;
    const CellPosition& at = cell.position;
    std::string text =
        fmt::format("{}: layer {}, tile {}, word line {}, bit line {}, polarity {}\n",
                    cell_name(at), traced.layer, to_string(traced.place, settings), at.word_line,
                    at.bit_line, to_char(at.polarity));
    const auto row = [&](std::string_view name, const std::string& value) {
        text += fmt::format("  {:<22}{}\n", name, value);
    };
    if (const auto* address = std::get_if<CellAddress>(&cell.identity))
        row("weight of", fmt::format("output channel {}, input channel {}, kernel y {} x {}, slice "
                                     "{}",
                                     address->output_channel, address->input_channel,
                                     address->kernel_y, address->kernel_x, address->slice));
    row("weight", describe_weight(traced, settings));
    row("intended", fmt::format("state {:.6g}, {:.6g} S", cell.state, cell.intended_conductance));
    row("conducts", fmt::format("{:.6g} S", cell.conductance));
    row("fault", std::string(to_string(cell.fault)));
    row("read with", traced.drive);
    row("voltage across", std::isnan(traced.share.voltage)
                              ? std::string("cut off")
                              : format_quantity(traced.share.voltage, "V"));
    row("current", fmt::format("{}, intended {}", format_quantity(traced.share.current, "A"),
                               format_quantity(traced.share.intended_current, "A")));
    if (!traced.share.number) return text;
    row("output", fmt::format("{} of the tile: {}, intended {}", *traced.share.number,
                              format_quantity(traced.share.output, "A"),
                              format_quantity(traced.share.intended_output, "A")));
    const auto share = error_share(traced);
    row("share of its error",
        share ? fmt::format("{:.3g} %  ({:+.3g} A of {:+.3g} A)", 100 * *share,
                            sign_of(traced) * traced.share.error(), traced.share.output_error())
              : std::string("the output has no error"));
    return text;
}

void print_cells(const std::vector<TracedCell>& cells, const TraceArguments& arguments,
                 const TileSettings& settings) {
    auto list = nlohmann::json::array();
    std::string text;
    for (const TracedCell& cell : cells) {
        list.push_back(to_json(cell, settings));
        text += to_text(cell, settings);
    }
    if (!arguments.json) return print_text(text);
    print_json(arguments.cell.empty() ? nlohmann::json{{"cells", list}} : list.front());
}

int trace_instance(const TraceArguments& arguments, const TileSource& source) {
    const auto name = parse_instance(arguments.cell);
    if (!name)
        throw InvalidInput("--cell", fmt::format("'{}' is no cell's name; they read xc_a_3_7, in "
                                                 "flat decks rxc_a_3_7, in decks of layers "
                                                 "xt0_1.xc_a_3_7",
                                                 arguments.cell));
    const std::size_t layer = source.graph().find_layer(arguments.tile.layer);
    const CellPlace place{name->tile.value_or(source.place()), name->position};
    print_cells({trace_cell(source, layer, place)}, arguments, source.settings());
    return 0;
}

int trace_weight(const TraceArguments& arguments, const TileSource& source) {
    const auto numbers = parse_numbers(arguments.weight);
    if (numbers.size() != 4 && numbers.size() != 2)
        throw InvalidInput("--weight", fmt::format("'{}' is not OC,IC,KY,KX, such as 5,2,0,1; of a "
                                                   "fully connected layer OC,IC is enough",
                                                   arguments.weight));
    const KernelPosition input{numbers[1], numbers.size() == 4 ? numbers[2] : 0,
                               numbers.size() == 4 ? numbers[3] : 0};
    const std::size_t layer = source.graph().find_layer(arguments.tile.layer);
    std::vector<TracedCell> cells;
    for (const CellPlace& place :
         cells_of_weight(source.graph(), layer, source.settings(), numbers[0], input))
        cells.push_back(trace_cell(source, layer, place));
    print_cells(cells, arguments, source.settings());
    return 0;
}

/// The cells of a tile, array after array, row after row.
std::vector<CellRow> rows_of(const Tile& tile, bool padding) {
    std::vector<CellRow> rows;
    for (const Crossbar& array : tile.arrays())
        for (Index r = 0; r < array.shape().word_lines; ++r)
            for (Index c = 0; c < array.shape().bit_lines; ++c) {
                CellMeaning cell = tile.meaning({polarity_of(array.pattern(), c), r, c});
                const bool is_pad =
                    !std::holds_alternative<CellAddress>(cell.identity) && !cell.is_reference;
                if (padding || !is_pad)
                    rows.push_back(
                        {tile.block().tile_row, tile.block().tile_column, std::move(cell)});
            }
    return rows;
}

int write_map(const TraceArguments& arguments, const TileSource& source) {
    const Graph& graph = source.graph();
    const bool is_network = arguments.tile.layer == all;
    CellMapWriter writer(arguments.map);
    const Progress progress = show_progress("cell map", "layers");
    std::size_t cells = 0;
    const std::size_t first = is_network ? 0 : graph.find_layer(arguments.tile.layer);
    const std::size_t last = is_network ? graph.layers().size() : first + 1;
    for (std::size_t layer = first; layer < last; ++layer) {
        progress(layer - first, last - first);
        const LayerTiling tiling = tile_layer(graph, layer, source.settings());
        const bool is_whole = is_network || arguments.tile.tile == all;
        for (const TilePlace& place :
             is_whole ? tile_places(tiling) : std::vector{source.place()}) {
            const auto rows = rows_of(source.tile(layer, place), arguments.padding);
            cells += rows.size();
            writer.add(graph.layer_name(layer), tiling.scale, rows);
        }
    }
    writer.finish();
    progress(last - first, last - first);
    if (arguments.json)
        print_json({{"file", arguments.map}, {"cells", cells}});
    else
        print_note(fmt::format("wrote {} cells to {}", cells, arguments.map));
    return 0;
}

}  // namespace

int run_trace(const TraceArguments& arguments) {
    check_arguments(arguments);
    const TileSource source(arguments.tile);
    if (!arguments.map.empty()) return write_map(arguments, source);
    return arguments.cell.empty() ? trace_weight(arguments, source)
                                  : trace_instance(arguments, source);
}

}  // namespace kirchnet
