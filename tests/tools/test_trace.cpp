#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "circuit/error.hpp"
#include "data/matrix_file.hpp"
#include "data/network_file.hpp"
#include "program.hpp"
#include "solver/nodal_solver.hpp"
#include "tools/reports/cell_trace.hpp"

using namespace kirchnet;
using namespace kirchnet::test;
using nlohmann::json;

namespace {

TileSettings small_tiles(Mapping mapping, Layout layout) {
    TileSettings settings;
    settings.array = {20, 8};
    settings.mapping = mapping;
    settings.layout = layout;
    return settings;
}

std::vector<std::string> split(const std::string& line) {
    std::vector<std::string> fields;
    std::istringstream in(line);
    for (std::string field; std::getline(in, field, ',');) fields.push_back(field);
    return fields;
}

}  // namespace

TEST_CASE("instance names of every form of deck parse back to their cell") {
    const CellPosition cell{Polarity::b, 3, 17};
    for (const std::string name : {"xc_b_3_17", "XC_B_3_17", "r.xc_b_3_17.rcell", "rxc_b_3_17"}) {
        const auto parsed = parse_instance(name);
        REQUIRE(parsed);
        CHECK(parsed->position == cell);
        CHECK_FALSE(parsed->tile);
    }
    for (const std::string name :
         {"xt4_2_s1.xc_b_3_17", "r.xt4_2_s1.xc_b_3_17.rcell", "rxc_b_3_17_t4_2_s1"}) {
        const auto parsed = parse_instance(name);
        REQUIRE(parsed);
        CHECK(parsed->position == cell);
        CHECK(parsed->tile == TilePlace{4, 2, 1});
    }
    for (const std::string name :
         {"", "xc_c_3_17", "xc_b_3", "rwl_a_0_0", "xc_b_03_1", "wl_b_3_17"})
        CHECK_FALSE(parse_instance(name));
}

TEST_CASE("key and address are a bijection on cells that hold weights") {
    const Graph graph(read_network(digits));
    for (const Mapping mapping : {Mapping::two_column, Mapping::offset})
        for (const Layout layout : {Layout::split, Layout::interleaved}) {
            TileSettings settings = small_tiles(mapping, layout);
            settings.bits_per_cell = 4;
            const std::size_t layer = graph.find_layer("conv2");
            std::set<CellAddress> addresses;
            std::size_t cells = 0;
            for (const TilePlace& place : tile_places(tile_layer(graph, layer, settings))) {
                const Tile tile(
                    weight_block(graph, layer, settings, place.row, place.column, place.slice),
                    settings);
                for (const Crossbar& array : tile.arrays())
                    for (Index r = 0; r < array.shape().word_lines; ++r)
                        for (Index c = 0; c < array.shape().bit_lines; ++c) {
                            const CellPosition at{polarity_of(array.pattern(), c), r, c};
                            const auto identity = tile.meaning(at).identity;
                            const auto* address = std::get_if<CellAddress>(&identity);
                            if (address == nullptr) continue;
                            ++cells;
                            addresses.insert(*address);
                            if (cells % 37 != 0) continue;  // the way back is slow
                            const auto back = cells_of_weight(
                                graph, layer, settings, address->output_channel,
                                {address->input_channel, address->kernel_y, address->kernel_x});
                            CHECK(std::count(back.begin(), back.end(), CellPlace{place, at}) == 1);
                            CHECK(back.size() == (mapping == Mapping::offset ? 2 : 4));
                        }
            }
            CHECK(addresses.size() == cells);  // no address twice
            const std::size_t weights = graph.weights(layer).values.size();
            CHECK(cells == weights * (mapping == Mapping::offset ? 2 : 4));
        }
}

TEST_CASE("shares of an output's error add up to the whole") {
    const Graph graph(read_network(digits));
    for (const Layout layout : {Layout::split, Layout::interleaved}) {
        TileSettings settings = small_tiles(Mapping::differential, layout);
        settings.wires.word_line_segment = 3;
        settings.wires.bit_line_segment = 3;
        const Tile tile(weight_block(graph, graph.find_layer("conv2"), settings, 0, 0), settings,
                        FaultDraw{{0.1, 1.0}, 3, 0});
        const Eigen::VectorXd inputs = Eigen::VectorXd::LinSpaced(tile.rows(), 0.01, 0.2);
        double sum = 0;
        CellShare share;
        for (const Polarity side : {Polarity::a, Polarity::b}) {
            const TileColumn column = tile.column(1, side);
            const Index rows = tile.arrays()[column.array].shape().word_lines;
            for (Index r = 0; r < rows; ++r) {
                share = share_of_cell(tile, {side, r, column.bit_line}, inputs);
                CHECK(share.number == 1);
                sum += (side == Polarity::a ? 1 : -1) * share.error();
            }
        }
        CHECK(sum == doctest::Approx(share.output_error()).epsilon(1e-8).scale(0));
        CHECK(share.output_error() != 0);
    }
}

TEST_CASE("trace tells what a cell is, and where a weight went") {
    const std::string chip = digits + " --layer conv2 --array 20x8 --fault-rate 0.05";
    const auto weight = run_kirchnet("trace " + chip + " --weight 5,3,1,2 --json");
    REQUIRE(weight.code == 0);
    const auto cells = json::parse(weight.out)["cells"];
    REQUIRE(cells.size() == 2);
    const Graph graph(read_network(digits));
    const auto& weights = graph.weights(graph.find_layer("conv2"));
    const std::size_t rows = graph.geometry(graph.find_layer("conv2")).rows_per_group();
    for (const auto& cell : cells) {
        const auto back = run_kirchnet(
            fmt::format("trace {} --tile {},{} --cell {} --json", chip, cell["tile"][0].get<int>(),
                        cell["tile"][1].get<int>(), cell["instance"].get<std::string>()));
        REQUIRE(back.code == 0);
        CHECK(json::parse(back.out) == cell);
        CHECK(cell["output_channel"] == 5);
        CHECK(cell["input_channel"] == 3);
        CHECK(cell["kernel_y"] == 1);
        CHECK(cell["kernel_x"] == 2);
        CHECK(cell["weight"].get<double>() ==
              doctest::Approx(weights.values[5 * rows + 3 * 9 + 1 * 3 + 2]));
    }
    const auto text = run_kirchnet("trace " + chip + " --cell xt0_1.xc_a_3_2 --data " +
                                   digit_images + " --image 2 --position 5");
    CHECK(text.code == 0);
    for (const std::string words : {"layer conv2, tile 0,1", "output channel", "conducts", "fault",
                                    "activations of image 2", "current", "share of its error"})
        CHECK(contains(text.out, words));
}

TEST_CASE("a map holds a row per cell, in CSV and HDF5 alike") {
    const TemporaryFolder folder;
    const std::string chip = digits + " --array 20x8 --fault-rate 0.05";
    const auto csv = run_kirchnet("trace " + chip + " --layer conv2 --tile all --map " +
                                  (folder / "c.csv") + " --json");
    REQUIRE(csv.code == 0);
    const Graph graph(read_network(digits));
    const std::size_t weights = graph.weights(graph.find_layer("conv2")).values.size();
    CHECK(json::parse(csv.out)["cells"] == 2 * weights);
    std::istringstream lines(read_file(folder / "c.csv"));
    std::string line;
    std::getline(lines, line);
    const auto heading = split(line);
    std::vector<std::vector<std::string>> rows;
    while (std::getline(lines, line)) rows.push_back(split(line));
    REQUIRE(rows.size() == 2 * weights);
    for (const auto& row : rows) REQUIRE(row.size() == heading.size());

    REQUIRE(run_kirchnet("trace " + chip + " --layer all --map " + (folder / "c.h5")).code == 0);
    const Eigen::MatrixXd conductance = read_matrix(
        fmt::format("{}:/layer_{}/conductance", folder / "c.h5", graph.find_layer("conv2")));
    REQUIRE(conductance.size() == static_cast<Index>(rows.size()));
    const auto column = std::find(heading.begin(), heading.end(), "conductance_s");
    for (std::size_t i = 0; i < rows.size(); ++i)
        CHECK(std::stod(rows[i][static_cast<std::size_t>(column - heading.begin())]) ==
              conductance(static_cast<Index>(i)));
    const auto padded =
        run_kirchnet("trace " + chip + " --layer conv1 --tile 0,0 --padding --map " +
                     (folder / "p.csv") + " --json");
    CHECK(json::parse(padded.out)["cells"] == 2 * 20 * 8);
}

TEST_CASE("trace refuses what is not there") {
    const auto check_refused = [](const std::string& options, const std::string& words) {
        const auto run = run_kirchnet("trace " + digits + " --array 20x8 " + options);
        CAPTURE(run.err);
        CHECK(run.code == 2);
        CHECK(is_one_line(run.err));
        CHECK(contains(run.err, words));
    };
    check_refused("--layer conv2", "--cell NAME, --weight");
    check_refused("--cell xc_a_0_0", "--layer");
    check_refused("--layer conv2 --cell rwl_a_0_0", "is no cell's name");
    check_refused("--layer conv2 --cell xc_a_0_99", "no such cell");
    check_refused("--layer conv2 --cell xc_a_0_0 --tile 99,0", "99");
    check_refused("--layer conv2 --weight 1,2,3", "is not OC,IC,KY,KX");
    check_refused("--layer conv2 --weight 999,0,0,0", "is none of its");
    check_refused("--layer nope --weight 0,0,0,0", "nope");
}
