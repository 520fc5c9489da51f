#include <fmt/format.h>

#include <filesystem>

#include "circuit/error.hpp"
#include "circuit/names.hpp"
#include "circuit/units.hpp"
#include "data/atomic_file.hpp"
#include "data/crossbar_file.hpp"
#include "netlists/netlist_writer.hpp"
#include "netlists/ngspice_solver.hpp"
#include "solver/transfer_solver.hpp"
#include "tools/commands/commands.hpp"
#include "tools/input/edited_deck.hpp"
#include "tools/input/tile_deck_input.hpp"
#include "tools/output/output.hpp"

namespace kirchnet {
namespace {

constexpr std::string_view all = "all";
constexpr double a_while = 30;  // [s] above which ngspice's time is worth a word

bool is_flat(const NetlistArguments& arguments) {
    return arguments.flat || parse_dialect(arguments.dialect) == Dialect::spice3;
}

void check_arguments(const NetlistArguments& arguments) {
    if (arguments.layer.empty())
        throw InvalidInput("--layer", "name a layer, as 'kirchnet info' lists them, or 'all'");
    const bool is_many = arguments.tile == all || arguments.layer == all;
    if (is_many && arguments.column)
        throw InvalidInput("--column", "is an output of one tile; name it with --tile R,C");
    if (arguments.layer == all && !arguments.save_crossbar.empty())
        throw InvalidInput("--save-crossbar", "takes one layer; name it with --layer");
    if (is_many && !arguments.input.empty())
        throw InvalidInput("--input",
                           "drives one tile; for a whole layer give --data, or --read-voltage");
    if (arguments.layer == all && (arguments.out.empty() || arguments.out == "-"))
        throw InvalidInput("--out", "name a folder: a network is a deck per layer");
}

/// `layer out` of a tile: what the read-out gives of one output, a - b, with ideal wires behind.
double output_current(const Tile& tile, const std::vector<Crossbar>& arrays, Index output,
                      const Eigen::VectorXd& used) {
    double current = 0;
    for (const Polarity side : {Polarity::a, Polarity::b}) {
        if (side == Polarity::b && !tile.has_pairs()) continue;
        const TileColumn column = tile.column(output, side);
        const Crossbar& array = arrays[column.array];
        Eigen::MatrixXd inputs = Eigen::MatrixXd::Zero(array.shape().word_lines, 1);
        inputs.topRows(used.size()) = used;
        const double side_current =
            TransferSolver().solve(array, inputs, Voltages::skip).current(column.bit_line, 0);
        current += side == Polarity::a ? side_current : -side_current;
    }
    return current;
}

/// What it costs to leave the other bit lines out, for these inputs.
std::string column_cost(const Tile& tile, Index output, const Eigen::VectorXd& voltages) {
    std::vector<Crossbar> reduced;
    for (const Crossbar& array : tile.arrays())
        reduced.push_back(column_crossbar(tile, array, output));
    const double exact = output_current(tile, tile.arrays(), output, voltages);
    const double here = output_current(tile, reduced, output, voltages);
    return fmt::format("for these inputs it reads {} with an ideal read-out, in the whole array {}",
                       format_quantity(here, "A"), format_quantity(exact, "A")) +
           (exact == 0 ? std::string() : fmt::format(" ({:+.2g} %)", 100 * (here / exact - 1)));
}

void say_time(const std::vector<LayerTile>& tiles, const std::string& name) {
    double seconds = 0;
    for (const LayerTile& part : tiles)
        for (const Crossbar& array : part.tile.arrays())
            seconds += expected_ngspice_seconds(array.shape());
    if (seconds > a_while)
        print_note(fmt::format(
            "ngspice will take about {:.0f} s for {}; a smaller --array is faster", seconds, name));
}

/// @param in_layer  beside those of the layer's other tiles
void save_arrays(const NetlistArguments& arguments, const Tile& tile, const TilePlace& place,
                 const Drive& drive, bool in_layer) {
    const TileKey key{tile.block().layer, place.row, place.column, place.slice};
    const std::filesystem::path path = in_layer ? layer_tile_path(arguments.save_crossbar, key)
                                                : std::filesystem::path(arguments.save_crossbar);
    write_tile_arrays(
        path, {tile.arrays(), CrossbarOrigin{key, tile.settings().mapping, drive.voltages}});
}

std::string layer_deck(const NetlistArguments& arguments, const TileSource& source,
                       std::size_t layer) {
    std::vector<LayerTile> tiles;
    Drive drive;
    for (const TilePlace& place :
         tile_places(tile_layer(source.graph(), layer, source.settings()))) {
        Tile tile = source.tile(layer, place);
        drive = source.drive(tile.block());
        if (!arguments.save_crossbar.empty()) save_arrays(arguments, tile, place, drive, true);
        tiles.push_back({std::move(tile), drive.voltages});
    }
    say_time(tiles, "layer " + source.graph().layer_name(layer));
    const TileDeckSettings deck = source.deck(drive, layer);
    return is_flat(arguments) ? write_flat_layer_deck(tiles, deck) : write_layer_deck(tiles, deck);
}

/// A folder with a deck per layer, in the order of the network.
int write_network(const NetlistArguments& arguments, const TileSource& source) {
    const std::filesystem::path folder = arguments.out;
    std::error_code failure;
    std::filesystem::create_directories(folder, failure);
    if (failure) throw FileError(folder.string(), failure.message());
    for (std::size_t layer = 0; layer < source.graph().layers().size(); ++layer) {
        const std::string name =
            fmt::format("{:02}_{}.cir", layer, spice_identifier(source.graph().layer_name(layer)));
        write_text_atomically(folder / name, layer_deck(arguments, source, layer));
        print_note("wrote " + (folder / name).string());
    }
    return 0;
}

std::string tile_deck(const NetlistArguments& arguments, const TileSource& source) {
    const std::size_t layer = source.graph().find_layer(arguments.layer);
    const TilePlace place = source.place();
    const Tile tile = source.tile(layer, place);
    const Drive drive = source.drive(tile.block());
    TileDeckSettings deck = source.deck(drive, layer);
    if (arguments.column) {
        deck.output = *arguments.column;
        (void)tile.column(*deck.output, Polarity::a);  // says which outputs there are
        deck.output_comment = column_cost(tile, *deck.output, drive.voltages);
    }
    if (!arguments.save_crossbar.empty()) save_arrays(arguments, tile, place, drive, false);
    say_time({{tile, drive.voltages}}, "this tile");
    return is_flat(arguments) ? write_flat_deck(tile, drive.voltages, deck)
                              : write_tile_deck(tile, drive.voltages, deck);
}

}  // namespace

int run_netlist(const NetlistArguments& arguments) {
    (void)parse_dialect(arguments.dialect);
    if (!arguments.deck.empty()) return run_netlist_read(arguments);
    if (!arguments.against.empty() || arguments.solve || arguments.json)
        throw InvalidInput("--against, --solve and --json", "belong to --read EDITED.cir");
    check_arguments(arguments);
    const TileSource source(arguments);
    if (arguments.layer == all) return write_network(arguments, source);
    const std::string text =
        arguments.tile == all
            ? layer_deck(arguments, source, source.graph().find_layer(arguments.layer))
            : tile_deck(arguments, source);
    if (arguments.out.empty() || arguments.out == "-")
        print_text(text);
    else
        write_text_atomically(arguments.out, text);
    return 0;
}

}  // namespace kirchnet
