#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "program.hpp"

using namespace kirchnet::test;
using nlohmann::json;

namespace {

const std::string faults = "faults " + digits + " --array 32x32";
const std::string wires =
    " --set faults.word_line_open=0.01 --set faults.bit_line_bridge=0.005 --set "
    "faults.open_via=0.02 --set faults.stuck_at=0.01";

}  // namespace

TEST_CASE("faults: defects of wires are told in words, saved, and read back as the same chip") {
    const TemporaryFolder folder;
    const std::string map = folder / "chip.h5";
    const auto drawn = run_kirchnet(faults + wires + " -o " + map);
    REQUIRE(drawn.code == 0);
    CHECK(contains(drawn.out, "| word line open | bit line bridge |"));
    CHECK(contains(drawn.out, "lose their driver"));
    CHECK(contains(drawn.out, "word_line_open rwl_a_"));
    CHECK(contains(drawn.out, "share currents through 10 ohm"));
    CHECK(contains(drawn.out, "more\n"));

    const json first = json::parse(run_kirchnet(faults + wires + " --json").out);
    const json again = json::parse(run_kirchnet(faults + " --faults " + map + " --json").out);
    CHECK(first["lines"].size() ==
          first["word_line_open"].get<std::size_t>() + first["bit_line_bridge"].get<std::size_t>());
    // Of 235,520 cells, 2 % and 1 %: within four deviations.
    CHECK(first["open_via"].get<double>() == doctest::Approx(0.02 * 235520).epsilon(0.06));
    CHECK(first["stuck_at"].get<double>() == doctest::Approx(0.01 * 235520).epsilon(0.09));
    const bool is_same = again == first;  // too long to print
    CHECK(is_same);
    CHECK(contains(run_kirchnet("info " + map).out, "defects of wires in 5 layers"));

    // A circuit with these wires, and the same map with arrays that it does not fit.
    const std::string compare = "compare " + digits + " --data " + digit_images +
                                " --images 20 --mapping two_column --json --faults " + map;
    const auto compared = run_kirchnet(compare + " --array 32x32");
    CHECK(compared.code == 0);
    CHECK(json::parse(compared.out)["accuracy"]["two_column"].contains("circuit_faulty"));
    CHECK(refuses(compare + " --array 64x64", "use --array 32x32"));
}

TEST_CASE("faults: clusters are counted among stuck cells") {
    const json report = json::parse(
        run_kirchnet(faults + " --set faults.clusters=2 --set faults.cluster_shape=ring --set "
                              "faults.cluster_size=3 --json")
            .out);
    // 230 arrays, two rings of 16 cells each but for those cut by an edge.
    const double stuck = report["stuck_on"].get<double>() + report["stuck_off"].get<double>();
    CHECK(stuck > 0.6 * 230 * 32);
    CHECK(stuck < 230 * 32);
}

TEST_CASE("faults: laws that make no sense are refused by key") {
    CHECK(refuses("faults " + digits, "--fault-rate"));
    CHECK(refuses(faults + " --set faults.open_via=2", "faults.open_via"));
    CHECK(refuses(faults + " --set faults.word_line_bridge=-0.1", "faults.word_line_bridge"));
    CHECK(refuses(faults + " --set faults.bridge_resistance=0", "faults.bridge_resistance"));
    CHECK(refuses(faults + " --set faults.stuck_at_range=1u", "faults.stuck_at_range"));
    CHECK(refuses(faults + " --set faults.stuck_at_range=2u,1u", "above the highest"));
    CHECK(refuses(faults + " --set faults.cluster_shape=star", "faults.cluster_shape"));
    CHECK(refuses(faults + " --set faults.clusters=1 --set faults.cluster_size=0", "size of"));
    CHECK(refuses(faults + " --set faults.open_via=0.6 --set faults.stuck_at=0.6", "together"));
    CHECK(refuses(faults + " --set faults.shorted_transistor=0.1", "cells.access_resistance"));
}
