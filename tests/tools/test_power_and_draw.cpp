#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "program.hpp"

using namespace kirchnet::test;
using nlohmann::json;

namespace {

const std::string power = "power " + digits + " --data " + digit_images;

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t number = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++number;
    return number;
}

double blocks_of(const json& sum) {
    return sum["drivers"].get<double>() + sum["word_lines"].get<double>() +
           sum["cells"].get<double>() + sum["bit_lines"].get<double>() + sum["sense"].get<double>();
}

}  // namespace

TEST_CASE("power: of the embedded network, blocks sum up to what sources deliver") {
    const auto run = run_kirchnet(power +
                                  " --array 32x32 --segment 2 --driver 20 --sense 5 --images 2 "
                                  "--json");
    REQUIRE(run.code == 0);
    const json report = json::parse(run.out);
    CHECK(report["images"] == 2);
    CHECK(report["terms"]["read_time"] == 1e-7);
    CHECK(report["mappings"].size() == 3);
    for (const auto& [name, mapping] : report["mappings"].items()) {
        CAPTURE(name);
        double delivered = 0;
        double energy = 0;
        for (const auto& layer : mapping["layers"]) {
            const double power_of_layer = layer["power"]["delivered"];
            CHECK(blocks_of(layer["power"]) == doctest::Approx(power_of_layer));
            CHECK(layer["energy_per_image"].get<double>() ==
                  doctest::Approx(power_of_layer * 1e-7 * layer["reads_per_image"].get<double>()));
            delivered += power_of_layer;
            energy += layer["energy_per_image"].get<double>();
        }
        CHECK(mapping["power"]["delivered"].get<double>() == doctest::Approx(delivered));
        CHECK(mapping["energy_per_image"].get<double>() == doctest::Approx(energy));
        CHECK(contains(mapping["worst_segments"]["word_line"]["segment"], "rwl_"));
        CHECK(contains(mapping["worst_segments"]["bit_line"]["place"], " tile "));
    }
    // Zeros conduct in differential mapping, and not in two columns.
    const auto& mappings = report["mappings"];
    CHECK(mappings["differential"]["power_per_array"].get<double>() >
          4 * mappings["two_column"]["power_per_array"].get<double>());
}

TEST_CASE("power: table, record, amplifiers and current density") {
    const TemporaryFolder folder;
    const auto run = run_kirchnet(power +
                                  " --array 32x32 --images 1 --mapping two_column --layer conv1 "
                                  "--set readout.kind=opamp --amplifier-current 100u "
                                  "--read-time 50n --wire-area 3.04e-15 --out " +
                                  (folder / "p.h5"));
    REQUIRE(run.code == 0);
    CHECK(contains(run.out, "conv1"));
    CHECK_FALSE(contains(run.out, "conv2"));
    CHECK(contains(run.out, "MA/cm2"));
    CHECK(contains(run.out, "A read takes 50 ns"));
    const auto info = run_kirchnet("info " + (folder / "p.h5"));
    CHECK(contains(info.out, "kirchnet power"));
    CHECK(contains(info.out, "/tables/two_column/delivered"));
    CHECK(contains(info.out, "/tables/two_column/readout/feedback"));
}

TEST_CASE("power: of a given array, one line per input") {
    const TemporaryFolder folder;
    // 1 V over 1 + 4 ohm with 5 ohm of driver, and nothing: 0.1 W.
    const auto array = " --conductance " + folder.write("G.csv", "0.25\n") + " --input " +
                       folder.write("V.csv", "1\n0\n") + " --wl-segment 1 --driver 5";
    const auto run = run_kirchnet("power" + array + " --json");
    REQUIRE(run.code == 0);
    const auto inputs = json::parse(run.out)["inputs"];
    REQUIRE(inputs.size() == 2);
    CHECK(inputs[0]["power"]["delivered"].get<double>() == doctest::Approx(0.1));
    CHECK(inputs[0]["power"]["drivers"].get<double>() == doctest::Approx(0.05));
    CHECK(inputs[0]["power"]["word_lines"].get<double>() == doctest::Approx(0.01));
    CHECK(inputs[0]["power"]["cells"].get<double>() == doctest::Approx(0.04));
    CHECK(inputs[0]["energy"].get<double>() == doctest::Approx(1e-8));
    CHECK(inputs[0]["word_line"]["segment"] == "rwl_a_0_0");
    CHECK(inputs[1]["power"]["delivered"] == 0);
    const auto curved = run_kirchnet("power" + array + " --cell sinh:1 --json");
    REQUIRE(curved.code == 0);
    const auto sum = json::parse(curved.out)["inputs"][0]["power"];
    CHECK(blocks_of(sum) == doctest::Approx(sum["delivered"].get<double>()));
    CHECK(sum["delivered"].get<double>() > 0.1);
}

TEST_CASE("power: wrong input is refused by name") {
    const TemporaryFolder folder;
    const std::string array = "power --conductance " + folder.write("G.csv", "1e-5\n");
    CHECK(refuses("power", "no network"));
    CHECK(refuses("power " + digits, "--data"));
    CHECK(refuses(power + " --layer nosuch", "conv1"));
    CHECK(refuses(power + " --read-time 0", "--read-time"));
    CHECK(refuses(power + " --set cells.law=sinh:2", "--conductance"));
    CHECK(refuses(power + " --set run.engine=ideal", "run.engine"));
    CHECK(refuses(power + " --strongest 0", "--strongest"));
    CHECK(refuses(power + " --amplifier-current=-1", "supply current"));
    CHECK(refuses(array, "--input"));
    CHECK(refuses(array + " --input " + folder.write("V.csv", "1,2\n"), "word lines"));
    CHECK(refuses(array + " --segment 1", "--wl-segment"));
    CHECK(refuses(array + " --layer conv1", "--layer"));
}

TEST_CASE("draw: a small tile has a schematic and a map of each quantity per array") {
    const TemporaryFolder folder;
    const auto run = run_kirchnet("draw " + digits +
                                  " --layer conv1 --array 4x4 --mapping differential --fault-rate "
                                  "0.3 --segment 2 -o " +
                                  (folder / "tile"));
    REQUIRE(run.code == 0);
    CHECK(count(run.out, "\n") == 1 + 2 * 8);
    std::istringstream files(run.out);
    for (std::string file; std::getline(files, file);) {
        CAPTURE(file);
        const std::string svg = read_file(file);
        CHECK(contains(svg, "</svg>"));
        CHECK(contains(svg, "conv1 tile 0,0, differential"));
        CHECK(contains(svg, "stuck on"));
    }
    CHECK(contains(read_file(folder / "tile-a-word_line_current.svg"), "uA"));
    CHECK(contains(read_file(folder / "tile-b-sensitivity.svg"), "A/S"));
}

TEST_CASE("draw: a large tile under an image, and one picture alone") {
    const TemporaryFolder folder;
    const std::string tile = "draw " + digits + " --layer conv2 --array 32x32 --data " +
                             digit_images + " --image 3 --position 20 ";
    const auto all = run_kirchnet(tile + "-o " + (folder / "t"));
    REQUIRE(all.code == 0);
    CHECK(contains(all.err, "no schematic"));
    CHECK(count(all.out, "\n") == 2 * 8);
    const auto one =
        run_kirchnet(tile + "--mapping offset --what ir_drop -o " + (folder / "drop.svg"));
    REQUIRE(one.code == 0);
    CHECK(one.out == (folder / "drop.svg") + "\n");
    CHECK(contains(read_file(folder / "drop.svg"), "image 3, output position 20"));
}

TEST_CASE("draw: a given array, with the sensitivity of one bit line") {
    const TemporaryFolder folder;
    // Without wires dI_1 / dG_r1 = V_r, and 0 elsewhere.
    const std::string array = "draw --conductance " + folder.write("G.csv", "1e-5,2e-5\n3e-5,0\n") +
                              " --input " + folder.write("V.csv", "0.1,0.2\n-0.1,0.3\n");
    const auto run =
        run_kirchnet(array + " --what sensitivity --bit-line 1 -o " + (folder / "s.svg"));
    REQUIRE(run.code == 0);
    CHECK(contains(read_file(folder / "s.svg"), "from 0 A/S to 200 mA/S"));
    REQUIRE(
        run_kirchnet(array + " --input-read 1 --what schematic -o " + (folder / "c.svg")).code ==
        0);
    CHECK(contains(read_file(folder / "c.svg"), "-100 mV"));
    CHECK(refuses(array + " --what sensitivity --bit-line 2 -o x", "0 to 1"));
    CHECK(refuses(array + " --input-read 2 -o x", "0 to 1"));
    CHECK_FALSE(std::filesystem::exists("x-schematic.svg"));
}

TEST_CASE("draw: cells of other laws and conductances beyond port merging have every picture") {
    const TemporaryFolder folder;
    const std::string table = folder.write("cell.csv", "0,0\n0.1,1e-6\n0.3,9e-6\n");
    const std::string array = "draw --conductance " + folder.write("G.csv", "1e-5,2e-5\n3e-5,0\n");
    for (const std::string& law : {std::string("sinh:2"), std::string("stanford"),
                                   std::string("1s1r"), std::string("1t1r"), "table:" + table}) {
        CAPTURE(law);
        const auto run = run_kirchnet(array + " --cell " + law +
                                      " --wl-segment 1 --bl-segment 1 -o " + (folder / "n"));
        REQUIRE(run.code == 0);
        CHECK(run.err.empty());
        CHECK(count(run.out, "\n") == 1 + 8);
        CHECK(contains(read_file(folder / "n-sensitivity.svg"), "A/S"));
    }
    // Without wires dI / dG = sinh(a V) / a: 0.20538 A/S at 0.2 V, of the cell of 0 S too.
    REQUIRE(run_kirchnet(array + " --cell sinh:2 --bit-line 1 --what sensitivity -o " +
                         (folder / "s.svg"))
                .code == 0);
    CHECK(contains(read_file(folder / "s.svg"), "from 0 A/S to 205.4 mA/S"));
    const auto huge = run_kirchnet("draw --conductance " + folder.write("H.csv", "1e101,2e-5\n") +
                                   " -o " + (folder / "h"));
    CHECK(huge.code == 0);
    CHECK(contains(huge.err, "1e100 S"));
    CHECK(contains(huge.out, "h-sensitivity.svg"));
}

TEST_CASE("draw: bridged lines, broken ones and faults have their sensitivities, and are marked") {
    const TemporaryFolder folder;
    const auto run =
        run_kirchnet("draw " + digits +
                     " --layer conv2 --array 16x16 --segment 5 --set faults.word_line_bridge=0.01 "
                     "--set faults.bit_line_bridge=0.01 --set faults.open_via=0.02 "
                     "--set faults.bit_line_open=0.01 -o " +
                     (folder / "t"));
    REQUIRE(run.code == 0);
    CHECK_FALSE(contains(run.err, "sensitivity"));
    CHECK(count(run.out, "\n") == 2 * 8);
    for (const char* name : {"t-a-sensitivity.svg", "t-b-sensitivity.svg"}) {
        const std::string svg = read_file(folder / name);
        CHECK(contains(svg, "bridge to the next line"));
        CHECK(contains(svg, "open via"));
        CHECK(contains(svg, "A/S"));
    }
}

TEST_CASE("draw: bridged lines between cells of two devices have their sensitivities") {
    const TemporaryFolder folder;
    REQUIRE(run_kirchnet("netlist " + digits +
                         " --layer conv2 --array 16x16 --segment 5 --layout interleaved --mapping "
                         "differential --set faults.bit_line_bridge=0.02 -o " +
                         (folder / "t.cir") + " --save-crossbar " + (folder / "t.h5"))
                .code == 0);
    const auto run = run_kirchnet("draw --conductance " + (folder / "t.h5") +
                                  " --cell 1t1r --what sensitivity -o " + (folder / "s.svg"));
    REQUIRE(run.code == 0);
    CHECK(contains(read_file(folder / "s.svg"), "bridge to the next line"));
}

TEST_CASE("draw: wrong input is refused by name") {
    const std::string tile = "draw " + digits + " --array 32x32 -o x ";
    CHECK(refuses(tile, "--layer"));
    CHECK(refuses(tile + "--layer conv1 --tile 7,0", "rows 0 to"));
    CHECK(refuses(tile + "--layer conv1 --tile seven", "ROW,COLUMN"));
    CHECK(refuses(tile + "--layer nosuch", "conv1"));
    CHECK(refuses(tile + "--layer conv1 --what schematic", "at most 8"));
    CHECK(refuses(tile + "--layer conv1 --what heat", "word_line_voltage"));
    CHECK(refuses(tile + "--layer conv1 --what ,", "nothing to draw"));
    CHECK(refuses(tile + "--layer conv1 --data " + digit_images + " --input V.csv", "not both"));
    CHECK(refuses(tile + "--layer conv1 --data " + digit_images + " --image 99999", "image"));
    const auto run = run_kirchnet("draw " + digits + " --layer conv1 --array 4x4");
    CHECK(run.code == 2);
    CHECK(contains(run.err, "--out"));
}
