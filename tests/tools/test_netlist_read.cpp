#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>
#include <vector>

#include "netlists/ngspice_session.hpp"
#include "program.hpp"

using namespace kirchnet::test;
using nlohmann::json;

namespace {

const std::string tile = digits + " --layer conv2 --tile 0,1 --array 16x8 --segment 2 --driver 30";

/// A tile's deck and arrays, and the deck with one edit.
class EditedDeck {
  public:
    explicit EditedDeck(const std::string& options = tile) {
        const auto run =
            run_kirchnet("netlist " + options + " -o " + deck() + " --save-crossbar " + chip());
        REQUIRE(run.code == 0);
        text_ = read_file(deck());
    }

    [[nodiscard]] std::string deck() const { return folder_ / "tile.cir"; }
    [[nodiscard]] std::string chip() const { return folder_ / "chip.h5"; }
    [[nodiscard]] std::string path(const std::string& name) const { return folder_ / name; }

    /// The line that begins with a name, replaced.
    void edit(const std::string& name, const std::string& by) {
        const std::size_t begin = text_.find("\n" + name + " ") + 1;
        REQUIRE(begin != 0);
        text_.replace(begin, text_.find('\n', begin) + 1 - begin, by.empty() ? "" : by + "\n");
    }
    void replace(const std::string& text, const std::string& by) {
        const std::size_t at = text_.find(text);
        REQUIRE(at != std::string::npos);
        text_.replace(at, text.size(), by);
    }
    [[nodiscard]] std::string save() const { return folder_.write("edited.cir", text_); }

    [[nodiscard]] Outcome read(const std::string& options = "") const {
        return run_kirchnet("netlist --read " + save() + " --against " + chip() + " " + options);
    }
    [[nodiscard]] Outcome read_against_network(const std::string& options = "") const {
        return run_kirchnet("netlist " + tile + " --read " + save() + " " + options);
    }

  private:
    TemporaryFolder folder_;
    std::string text_;
};

}  // namespace

TEST_CASE("an unmodified deck reads back without a difference") {
    const EditedDeck deck;
    CHECK(deck.read().out == "no difference\n");
    CHECK(deck.read_against_network().out == "no difference\n");
    CHECK(json::parse(deck.read("--json").out)["differences"].empty());
    const auto flat = run_kirchnet("netlist " + tile + " --flat -o " + deck.path("flat.cir"));
    REQUIRE(flat.code == 0);
    const auto read =
        run_kirchnet("netlist --read " + deck.path("flat.cir") + " --against " + deck.chip());
    CHECK(read.code == 0);
    CHECK(read.out == "no difference\n");
}

TEST_CASE("decks of faulty and varied chips read back against their arrays without a difference") {
    for (const std::string options :
         {" --fault-rate 0.2 --set device.variation=0.1 --mapping differential",
          " --fault-rate 0.2 --layout interleaved", " --mapping offset --fault-rate 0.1",
          " --drive both --sense-at both --sense 5"}) {
        CAPTURE(options);
        const EditedDeck deck(tile + options);
        const auto read = deck.read();
        CHECK(read.code == 0);
        CHECK(read.out == "no difference\n");
    }
}

TEST_CASE("differences are told in the engineer's words, with line and weight") {
    EditedDeck deck;
    deck.edit("xc_a_3_2", "xc_a_3_2 wl_a_3_2 bl_a_3_2 cell_1r g=7e-5");
    deck.edit("xc_b_4_0", "");
    deck.edit("rwl_a_5_1", "rwl_a_5_1 wl_a_5_0 wl_a_5_1 25");
    const auto network = deck.read_against_network();
    REQUIRE(network.code == 0);
    CAPTURE(network.out);
    CHECK(contains(network.out, "2 cells changed"));
    CHECK(contains(network.out, "conv2 tile 0,1 w3 b2 a: "));
    CHECK(contains(network.out, "-> 7e-05 S (oc="));
    CHECK(contains(network.out, "xc_a_3_2, line "));
    CHECK(contains(network.out, "w4 b0 b: "));
    CHECK(contains(network.out, "-> 0 S"));
    CHECK(contains(network.out, "1 wire segment changed"));
    CHECK(contains(network.out, "rwl_a_5_1: 2 -> 25 ohm"));
    const auto arrays = json::parse(deck.read("--json --solve").out);
    CHECK(arrays["counts"]["cell"] == 2);
    CHECK(arrays["counts"]["segment"] == 1);
    CHECK(arrays["differences"][0]["after"].is_number());
    CHECK(arrays["engine"] == "transfer");
    CHECK(arrays["currents"].size() > 0);
}

TEST_CASE("the edited circuit is solved alike by ngspice, solve and read-back") {
    EditedDeck deck;
    deck.edit("xc_a_0_0", "xc_a_0_0 wl_a_0_0 bl_a_0_0 cell_1r g=9e-5");
    deck.edit("rwl_a_2_1", "");
    const auto read = deck.read("--solve --json --save-crossbar " + deck.path("edited.h5"));
    REQUIRE(read.code == 0);
    const auto object = json::parse(read.out);
    CHECK(object["files"].size() == 2);
    TemporaryFolder folder;
    std::string volts;
    for (int r = 0; r < 16; ++r) volts += (r == 0 ? "0.2" : ",0.2");
    const auto input = folder.write("v.csv", volts + "\n");
    for (const std::string engine : {"nodal", "ngspice"}) {
        const auto solved = run_kirchnet("solve --conductance " + deck.path("edited-a.h5") +
                                         " --input " + input + " --engine " + engine + " --json");
        REQUIRE(solved.code == 0);
        const auto currents = json::parse(solved.out)["currents"][0];
        for (std::size_t c = 0; c < object["currents"].size() / 2; ++c)
            CHECK(currents[c].get<double>() ==
                  doctest::Approx(object["currents"][c]["after"].get<double>())
                      .epsilon(1e-8)
                      .scale(0));
    }
    // An added device is ngspice's alone; a resistor of no effect leaves the same currents.
    deck.replace("\n.control", "\nrload in_a_0 0 1k\n.control");
    const auto by_ngspice = json::parse(deck.read("--solve --json").out);
    CHECK(by_ngspice["engine"] == "ngspice");
    CHECK(by_ngspice["beyond_arrays"].size() == 1);
    for (std::size_t c = 0; c < object["currents"].size(); ++c)
        CHECK(by_ngspice["currents"][c]["after"].get<double>() ==
              doctest::Approx(object["currents"][c]["after"].get<double>()).epsilon(1e-8).scale(0));
    const auto refused = deck.read("--save-crossbar " + deck.path("no.h5"));
    CHECK(refused.code == 2);
    CHECK(contains(refused.err, "rload was added between in_a_0 and 0"));
}

TEST_CASE("an edited deck is fed to inference") {
    // All of conv1 taken out of the chip: what is left is a guess.
    const std::string chip = digits + " --array 64x64 --mapping two_column";
    const std::string data = " --data " + digit_images + " --images 100";
    EditedDeck deck(digits + " --layer conv1 --tile 0,0 --array 64x64");
    const auto accuracy = [&](const std::string& options) {
        const auto run = run_kirchnet("compare " + chip + data + options + " --json");
        REQUIRE(run.code == 0);
        return json::parse(run.out)["accuracy"]["two_column"];
    };
    const auto designed = accuracy("");
    REQUIRE(deck.read("--save-crossbar " + deck.path("same.h5")).code == 0);
    const auto same = accuracy(" --arrays " + deck.path("same.h5"));
    CHECK(same["circuit"] == designed["circuit"]);
    deck.replace("rcell wl bl {1/g}", "rcell wl bl {1e3/g}");
    REQUIRE(deck.read("--save-crossbar " + deck.path("dead.h5")).code == 0);
    const auto dead = accuracy(" --arrays " + deck.path("dead.h5"));
    CAPTURE(dead.dump());
    CHECK(dead.dump() != designed.dump());
    const auto wrong = run_kirchnet("compare " + digits + data +
                                    " --array 32x32 --mapping "
                                    "two_column --arrays " +
                                    deck.path("dead.h5"));
    CHECK(wrong.code == 2);
    CHECK(contains(wrong.err, "is 64x64"));
    const auto other = run_kirchnet("compare " + digits + data +
                                    " --mapping differential --arrays " + deck.path("dead.h5"));
    CHECK(other.code == 2);
    CHECK(contains(other.err, "--mapping two_column"));
    const auto budget =
        run_kirchnet("compare " + chip + data + " --budget --arrays " + deck.path("dead.h5"));
    CHECK(budget.code == 2);
    CHECK(is_one_line(budget.err));
}

TEST_CASE("a deck of a layer is told tile by tile, and its changed tiles go into inference") {
    const TemporaryFolder folder;
    const std::string layer =
        digits + " --layer conv1 --tile all --array 5x8 --segment 2 --driver 30 ";
    for (const std::string form : {"", "--flat "}) {
        CAPTURE(form);
        const std::string deck = folder / "layer.cir";
        REQUIRE(run_kirchnet("netlist " + layer + form + "-o " + deck + " --save-crossbar " +
                             (folder / "old.h5"))
                    .code == 0);
        const std::string against = " --against " + (folder / "old.h5");
        CHECK(run_kirchnet("netlist --read " + deck + against).out == "no difference\n");
        const auto same = run_kirchnet("netlist " + layer + "--read " + deck);
        CAPTURE(same.err);
        CHECK(same.code == 0);
        CHECK(same.out == "no difference\n");
        // A cell of tile 0,1 and one of tile 1,0.
        std::string text = read_file(deck);
        const auto edit = [&](const std::string& tile, const std::string& cell,
                              double conductance) {
            const std::size_t from = form.empty() ? text.find(".subckt tile_" + tile + " ") : 0;
            const std::string ending = form.empty() ? "" : "_t" + tile;
            const std::string name = (form.empty() ? "xc_" : "rxc_") + cell + ending;
            const std::size_t begin = text.find("\n" + name + " ", from) + 1;
            REQUIRE(begin != 0);
            const std::string value = form.empty() ? fmt::format("cell_1r g={}", conductance)
                                                   : fmt::format("{}", 1 / conductance);
            text.replace(
                begin, text.find('\n', begin) - begin,
                fmt::format("{} wl_{}{} bl_{}{} {}", name, cell, ending, cell, ending, value));
        };
        edit("0_1", "a_3_0", 6.5e-5);
        edit("1_0", "b_0_1", 5.5e-5);
        const std::string edited = folder.write("edited.cir", text);
        const auto read = run_kirchnet("netlist " + layer + "--read " + edited +
                                       " --save-crossbar " + (folder / "chip.h5"));
        CAPTURE(read.out);
        CHECK(contains(read.out, "2 cells changed:"));
        CHECK(contains(read.out, "conv1 tile 0,1 w3 b0 a: 1e-06 -> 6.5e-05 S (oc=8 "));
        CHECK(contains(read.out, "conv1 tile 1,0 w0 b1 b: "));
        CHECK(contains(read.err, "--arrays "));
        CHECK(std::filesystem::exists(folder / "chip-t0_1-a.h5"));
        CHECK(std::filesystem::exists(folder / "chip-t1_0-b.h5"));
        CHECK_FALSE(std::filesystem::exists(folder / "chip-t0_0-a.h5"));
        const auto by_arrays = run_kirchnet("netlist --read " + edited + against);
        CAPTURE(by_arrays.out);
        CHECK(contains(by_arrays.out, "2 cells changed:"));
        CHECK(
            contains(by_arrays.out, "conv1 tile 0,1 w3 b0 a: 1e-06 -> 6.5e-05 S (xc_a_3_0, line "));
        CHECK(run_kirchnet("netlist --read " + edited + against + " --solve").code == 2);
        // The same options with those arrays give the edited deck's circuit.
        const auto again =
            run_kirchnet("netlist " + layer + "--read " + edited + " --arrays " +
                         (folder / "chip-t0_1.h5") + "," + (folder / "chip-t1_0.h5") + " --json");
        CAPTURE(again.err);
        REQUIRE(again.code == 0);
        // A cell as it was designed is written by its level, one of given arrays by its number.
        CHECK(json::parse(again.out)["counts"].value("cell", 0) == 0);
        const auto compared =
            run_kirchnet("compare " + digits + " --data " + digit_images +
                         " --images 20 --array 5x8 --segment 2 --driver 30 --mapping two_column "
                         "--json --arrays " +
                         (folder / "chip-t0_1.h5") + "," + (folder / "chip-t1_0.h5"));
        CAPTURE(compared.err);
        CHECK(compared.code == 0);
    }
}

TEST_CASE("inputs and sums of a layer's deck are told and solved") {
    const TemporaryFolder folder;
    const std::string layer = digits + " --layer conv1 --tile all --array 8x8 ";
    const std::string deck = folder / "layer.cir";
    REQUIRE(run_kirchnet("netlist " + layer + "-o " + deck).code == 0);
    std::string text = read_file(deck);
    const std::size_t at = text.find("v_x_0_0_0 x_0_0_0 0 dc 0.2");
    REQUIRE(at != std::string::npos);
    text.replace(at, 26, "v_x_0_0_0 x_0_0_0 0 dc 0.1");
    const auto read = run_kirchnet("netlist " + layer + "--read " +
                                   folder.write("edited.cir", text) + " --solve --json");
    CAPTURE(read.err);
    REQUIRE(read.code == 0);
    const auto object = json::parse(read.out);
    CHECK(object["layer"] == "conv1");
    CHECK(object["counts"]["source"] == 1);
    CHECK(object["engine"] == "circuit");
    CHECK(object["outputs"].size() >= 8);
    CHECK(object["beyond_arrays"].empty());
    const auto refuse = [&](const std::string& arguments, const std::string& words) {
        const auto run = run_kirchnet("netlist " + arguments);
        CAPTURE(run.err);
        CHECK(run.code == 2);
        CHECK(is_one_line(run.err));
        CHECK(contains(run.err, words));
    };
    refuse(digits + " --layer conv2 --array 8x8 --tile all --read " + deck,
           "is no deck of this layer");
    refuse("--read " + deck + " --against " + (folder / "none.h5"), "has no arrays of tiles");
    refuse(layer + "--column 1 --read " + deck, "--column");
    text.insert(text.find("\nxc_a_0_0 ") + 1, "xnew wl_a_0_0 bl_a_0_0 cell_none g=1\n");
    const std::string broken = folder.write("broken.cir", text);
    refuse(layer + "--read " + broken, "broken.cir: line ");
}

TEST_CASE("an edited layer that tiles hold is solved here, and as ngspice solves its deck") {
    const TemporaryFolder folder;
    for (const std::string options :
         {"--readout ideal", "--readout opamp", "--readout opamp --cell 1t1r",
          "--readout opamp --set readout.subtractor=current_mode --fault-rate 0.1"}) {
        CAPTURE(options);
        const std::string layer =
            digits + " --layer conv1 --tile all --array 5x8 --segment 2 --driver 30 " + options;
        const std::string deck = folder / "layer.cir";
        REQUIRE(run_kirchnet("netlist " + layer + " -o " + deck).code == 0);
        std::string text = read_file(deck);
        const auto replace = [&](const std::string& old, const std::string& now) {
            const std::size_t at = text.find(old);
            REQUIRE(at != std::string::npos);
            text.replace(at, old.size(), now);
        };
        replace("rwl_a_2_3 wl_a_2_2 wl_a_2_3 {rwl}", "rwl_a_2_3 wl_a_2_2 wl_a_2_3 500");
        replace("v_x_0_0_1 x_0_0_1 0 dc 0.2", "v_x_0_0_1 x_0_0_1 0 dc 0.15");
        const auto read = run_kirchnet("netlist " + layer + " --read " +
                                       folder.write("edited.cir", text) + " --solve --json");
        CAPTURE(read.err);
        REQUIRE(read.code == 0);
        const auto object = json::parse(read.out);
        CHECK(object["engine"] == "circuit");
        std::vector<std::string> names;
        for (const auto& output : object["outputs"]) names.push_back(output["output"]);
        const auto before = kirchnet::run_operating_point(read_file(deck), names);
        const auto after = kirchnet::run_operating_point(text, names);
        bool is_changed = false;
        for (const auto& output : object["outputs"]) {
            const std::string name = output["output"];
            CAPTURE(name);
            CHECK(output["before"].get<double>() ==
                  doctest::Approx(before.at(name)).epsilon(1e-6).scale(0));
            CHECK(output["after"].get<double>() ==
                  doctest::Approx(after.at(name)).epsilon(1e-6).scale(0));
            is_changed |= std::abs(after.at(name) - before.at(name)) > 1e-3 * after.at(name);
        }
        CHECK(is_changed);
    }
}

TEST_CASE("a deck of one column is read back, against the network and against arrays") {
    for (const std::string law : {"linear", "sinh:4", "1t1r"})
        for (const std::string form : {"", " --flat"}) {
            CAPTURE(law);
            CAPTURE(form);
            const std::string options = tile + " --column 2 --fault-rate 0.1 --cell " + law;
            EditedDeck deck(options + form);
            CHECK(deck.read().out == "no difference\n");
            CHECK(run_kirchnet("netlist " + options + " --read " + deck.save()).out ==
                  "no difference\n");
            const auto other = deck.read("--column 1");
            CHECK(other.code == 2);
            CHECK(contains(other.err, "the deck is of output 2"));
        }
    EditedDeck deck(tile + " --column 2 --cell 1t1r");
    deck.edit("xc_a_3_2", "xc_a_3_2 wl_a_3_2 bl_a_3_2 sel_a_3 cell_1t1r g=7e-5");
    const auto read = deck.read("--solve --save-crossbar " + deck.path("edited.h5"));
    CAPTURE(read.out);
    REQUIRE(read.code == 0);
    CHECK(contains(read.out, "w3 b2 a: 1e-06 -> 7e-05 S (xc_a_3_2, line "));
    CHECK(contains(read.out, "vs_b_2"));
    CHECK_FALSE(contains(read.out, "vs_a_1"));
    // The whole arrays, with the one cell changed.
    const auto whole = run_kirchnet("netlist " + tile + " --cell 1t1r --arrays " +
                                    deck.path("edited.h5") + " -o " + deck.path("whole.cir"));
    CAPTURE(whole.err);
    CHECK(whole.code == 0);
    CHECK(contains(read_file(deck.path("whole.cir")), "cell_varied g=7.0000"));
}

TEST_CASE("decks that cannot be read are refused in one line with the file and the line") {
    const TemporaryFolder folder;
    const auto check_refused = [](const Outcome& run, const std::string& words) {
        CAPTURE(run.err);
        CHECK(run.code == 2);
        CHECK(is_one_line(run.err));
        CHECK(contains(run.err, words));
    };
    EditedDeck deck;
    const auto against = " --against " + deck.chip();
    check_refused(run_kirchnet("netlist --read no.cir" + against), "no.cir: cannot be opened");
    check_refused(run_kirchnet("netlist --read " + folder.write("e.cir", "") + against), ".end");
    check_refused(run_kirchnet("netlist --read " +
                               folder.write("g.cir", "\x01\x02 garbage\n.end\n") + against),
                  "is no deck of this tile");
    check_refused(run_kirchnet("netlist --read " + deck.save()), "--against");
    check_refused(run_kirchnet("netlist --read " + deck.save() + " --against no.h5"), "no.h5");
    check_refused(run_kirchnet("netlist " + digits + " --layer conv1 --array 16x8 --read " +
                               deck.save() + " --mapping differential --layout interleaved"),
                  "no deck of this tile");
    deck.edit("xc_a_3_2", "xc_a_3_2 wl_a_3_2 bl_a_3_2 cell_1r g={nope}");
    check_refused(deck.read(), "edited.cir: line ");
    check_refused(run_kirchnet("netlist " + digits + " --layer conv1 --json"), "--read");
}

TEST_CASE("decks of layers, columns and whole networks run in ngspice") {
    const TemporaryFolder folder;
    const std::string drive = " --array 16x8 --data " + digit_images + " --image 1 --position 20 ";
    const auto runs = [&](const std::string& path) {
        if (std::system("command -v ngspice >/dev/null") != 0) return true;
        return std::system(("ngspice -b " + path + " >" + (folder / "log") + " 2>&1").c_str()) == 0;
    };
    for (const std::string options :
         {"--layer conv2 --tile all", "--layer conv2 --tile all --readout opamp",
          "--layer conv1 --tile all --flat --mapping offset", "--layer conv2 --column 1",
          "--layer conv2 --column 1 --flat --mapping differential",
          "--layer conv1 --dialect spice3", "--layer conv1 --dialect spice3 --readout opamp",
          "--layer conv1 --tile all --dialect spice3"}) {
        CAPTURE(options);
        const auto run =
            run_kirchnet("netlist " + digits + drive + options + " -o " + (folder / "d.cir"));
        CAPTURE(run.err);
        REQUIRE(run.code == 0);
        CHECK(runs(folder / "d.cir"));
    }
    const auto all = run_kirchnet("netlist " + digits + " --array 32x16 --data " + digit_images +
                                  " --layer all -o " + (folder / "decks"));
    REQUIRE(all.code == 0);
    CHECK(std::filesystem::exists(folder / "decks/00_conv1.cir"));
    CHECK(runs(folder / "decks/00_conv1.cir"));
    CHECK(run_kirchnet("netlist " + digits + " --layer all").code == 2);
    CHECK(run_kirchnet("netlist " + digits + " --layer conv1 --column 99").code == 2);
    CHECK(run_kirchnet("netlist " + digits + " --layer conv1 --dialect pspice").code == 2);
}
