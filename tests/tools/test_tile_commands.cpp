#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "program.hpp"

using namespace kirchnet::test;
using nlohmann::json;

TEST_CASE("info lists the layers of a network") {
    const auto run = run_kirchnet("info " + digits);
    REQUIRE(run.code == 0);
    CHECK(contains(run.out, "kirchnet network"));
    CHECK(contains(run.out, "conv1"));
    CHECK(json::parse(run_kirchnet("info " + digits + " --json").out)["format"] ==
          "kirchnet network");
}

TEST_CASE("import reads PyTorch and safetensors files, and refuses code") {
    const TemporaryFolder folder;
    const std::string parameters = std::string(KIRCHNET_TEST_CASES) + "/parameters/";
    const auto import = [&](const std::string& name) {
        return run_kirchnet("import " + parameters + name + " -o " + (folder / "n.h5"));
    };
    for (const std::string name : {"padded.pth", "padded.safetensors"}) {
        const auto run = import(name);
        CHECK(run.code == 0);
        CHECK(contains(run.out, "layer2.0.conv2"));
    }
    const auto refused = import("whole_module.pth");
    CHECK(refused.code == 2);
    CHECK(is_one_line(refused.err));
    CHECK(contains(refused.err, "torch.save(model.state_dict(), path)"));
}

TEST_CASE("import prunes by magnitude and counts tiles") {
    const TemporaryFolder folder;
    const auto run = run_kirchnet("import " + digits + " -o " + (folder / "n.h5") +
                                  " --prune 0.9 --array 64x64 --json");
    REQUIRE(run.code == 0);
    const auto summary = json::parse(run.out);
    for (const auto& layer : summary["layers"]) {
        const double zeros = layer["zeros"].get<double>() / layer["weights"].get<double>();
        CHECK(zeros == doctest::Approx(0.9).epsilon(0.01));
        CHECK(layer["tiles"].get<int>() >= 1);
    }
}

TEST_CASE("netlist writes a deck that ngspice runs unmodified") {
    const TemporaryFolder folder;
    for (const std::string options :
         {"--readout ideal", "--readout opamp --fault-rate 0.05", "--flat --layout interleaved",
          "--flat --mapping differential", "--mapping offset --readout opamp",
          "--driver 50 --sense 20 --drive both --sense-at both --readout opamp",
          "--flat --drive right --sense-at top"}) {
        CAPTURE(options);
        const auto deck = folder / "tile.cir";
        const auto run =
            run_kirchnet("netlist " + digits + " --layer conv1 --array 16x8 --data " +
                         digit_images + " --image 2 --position 300 " + options + " -o " + deck);
        REQUIRE(run.code == 0);
        if (std::system("command -v ngspice >/dev/null") != 0) {
            MESSAGE("skipped: no ngspice program");
            return;
        }
        const std::string log = folder / "log";
        CHECK(std::system(("ngspice -b " + deck + " >" + log + " 2>&1").c_str()) == 0);
        CHECK_FALSE(contains(read_file(log), "rror"));
    }
}

TEST_CASE("netlist writes the deck of one slice, and one read of its inputs") {
    const std::string netlist = "netlist " + digits +
                                " --layer conv2 --array 16x8 --mapping differential "
                                "--bits-per-cell 2 --slice 1 --data " +
                                digit_images +
                                " --set converters.input_bits=8 --set converters.dac_bits=1 "
                                "--input-read 7 --image 2 --position 20";
    const auto run = run_kirchnet(netlist);
    REQUIRE(run.code == 0);
    CHECK(contains(run.out, "slice 1 of 4, digits 0..3 that count 4 levels each"));
    CHECK(contains(run.out, "slice=1"));
    CHECK(contains(run.out, "digit="));
    CHECK(contains(run.out, "/3*(gmax_c-gmin_c)"));
    CHECK(contains(run.out, "read 7 of 8 (a step counts 128)"));
    CHECK(contains(run.out, "bsub_0"));
    const auto apart = run_kirchnet(netlist + " --set converters.subtract=after");
    REQUIRE(apart.code == 0);
    CHECK_FALSE(contains(apart.out, "bsub_0"));
}

TEST_CASE("slices have tiles of their own in import, faults and check") {
    const TemporaryFolder folder;
    const auto tiles = [&](const std::string& bits) {
        const auto run = run_kirchnet("import " + digits + " -o " + (folder / "n.h5") +
                                      " --array 64x64 --json --bits-per-cell " + bits);
        REQUIRE(run.code == 0);
        return json::parse(run.out)["layers"][0]["tiles"].get<int>();
    };
    CHECK(tiles("2") == 4 * tiles("0"));  // 7 bits
    const auto cells = [&](const std::string& options) {
        const auto run = run_kirchnet("faults " + digits + " --fault-rate 0.01 --array 64x64 " +
                                      options + " --json -o " + (folder / "f.h5"));
        REQUIRE(run.code == 0);
        return json::parse(run.out)["cells"].get<int>();
    };
    CHECK(cells("--bits-per-cell 4") == 2 * cells(""));
    const auto check = run_kirchnet("check " + digits +
                                    " --layer conv1 --tile 0,0 --array 9x8 --bits-per-cell 3 "
                                    "--mapping two_column --fault-rate 0.05 --engines "
                                    "nodal,transfer,ngspice --json");
    REQUIRE(check.code == 0);  // the engines agree on every slice
    const auto records = json::parse(check.out)["records"];
    CHECK(records.size() == 3 * 2 * 2);  // slices, arrays, engines
    CHECK(contains(check.out, "conv1 tile 0,0 slice 2 two_column b"));
}

TEST_CASE("netlist: the deck says image, layer, weight and fault") {
    const auto run =
        run_kirchnet("netlist " + digits + " --layer conv1 --array 16x8 --fault-rate 0.1 --data " +
                     digit_images + " --image 2 --position 300");
    REQUIRE(run.code == 0);
    CHECK(contains(run.out, "image 2"));
    CHECK(contains(run.out, "conv1"));
    CHECK(contains(run.out, "cell_stuck_on"));
    CHECK(contains(run.out, "ky=0 kx=1"));
}

TEST_CASE("netlist and solve speak of the same arrays") {
    const TemporaryFolder folder;
    REQUIRE(run_kirchnet("netlist " + digits + " --layer conv1 --array 16x8 -o " +
                         (folder / "t.cir") + " --save-crossbar " + (folder / "x.h5"))
                .code == 0);
    const auto run = run_kirchnet("check --conductance " + (folder / "x-a.h5"));
    CHECK(run.code == 0);
    CHECK(run_kirchnet("check --conductance " + (folder / "x-b.h5")).code == 0);
    CHECK(run_kirchnet("check --conductance " + (folder / "x-b.h5") + " --wl-segment 3").code == 2);
    CHECK(run_kirchnet("check --conductance " + (folder / "x-b.h5") + " --drive left").code == 2);
}

TEST_CASE("faults draws a map that gives the same chip as the law it was drawn by") {
    const TemporaryFolder folder;
    const std::string chip = " --array 32x32 --mapping differential";
    const auto map = folder / "chip.h5";
    const auto drawn = run_kirchnet(
        "faults " + digits + " --fault-rate 0.02 --seed 7 --trial 3 -o " + map + chip + " --json");
    REQUIRE(drawn.code == 0);
    const auto counts = json::parse(drawn.out);
    const double rate = (counts["stuck_on"].get<double>() + counts["stuck_off"].get<double>()) /
                        counts["cells"].get<double>();
    CHECK(rate == doctest::Approx(0.02).epsilon(0.15));
    const std::string tail = " --layer conv2 --tile 0,0";
    const auto by_law = run_kirchnet("netlist " + digits + chip + tail +
                                     " --flat --fault-rate 0.02 --seed 7 --trial 3");
    const auto by_map = run_kirchnet("netlist " + digits + chip + tail + " --flat --faults " + map);
    REQUIRE(by_law.code == 0);
    REQUIRE(by_map.code == 0);
    // Comments name law or map; the elements are the same.
    const auto elements = [](const std::string& deck) {
        std::istringstream lines(deck);
        std::string kept;
        for (std::string line; std::getline(lines, line);)
            if (!line.empty() && line.front() != '*') kept += line + "\n";
        return kept;
    };
    CHECK(elements(by_law.out) == elements(by_map.out));
}
