// `kirchnet check` of whole decks: layers and columns.
#include <nlohmann/json.hpp>
#include <set>

#include "program.hpp"

using namespace kirchnet::test;
using nlohmann::json;

namespace {

const std::string check = "check " + digits + " --segment 2 --driver 30 --mapping two_column ";

json report_of(const std::string& options) {
    const auto run = run_kirchnet(check + options + " --json");
    CAPTURE(options);
    CAPTURE(run.err);
    REQUIRE(run.code == 0);
    return json::parse(run.out);
}

}  // namespace

TEST_CASE("check: a layer's whole deck agrees net by net, ideal read-out and amplifiers") {
    for (const std::string readout : {"ideal", "opamp"})
        for (const std::string options :
             {"", "--bits-per-cell 3", "--set converters.subtract=after",
              "--cell 1t1r --fault-rate 0.05", "--set correction.kind=reference_column"}) {
            if (contains(options, "correction") && readout == "opamp") continue;
            const json report = report_of("--array 5x9 --layer conv1 --tile all " + options +
                                          " --set readout.kind=" + readout);
            REQUIRE(report["records"].size() == 1);
            const json& record = report["records"][0];
            CHECK(record["reference"] == "circuit");
            CHECK(record["engine"] == "ngspice");
            CHECK(record["gated"] == true);
            const bool is_linear = readout == "ideal" && options.find("1t1r") == std::string::npos;
            CHECK(record["tolerance"] == (is_linear ? 1e-9 : 1e-6));
            CHECK(record["worst"].get<double>() <= (is_linear ? 1e-9 : 1e-6));
            CHECK(contains(record["circuit"], "conv1 two_column, "));
            CHECK(contains(record["circuit"], " with read-out") == (readout == "opamp"));
        }
}

TEST_CASE("check: --layer all goes through the network, driven by an image's activations") {
    const TemporaryFolder folder;
    const auto run = run_kirchnet(
        "check " + digits + " --array 64x64 --segment 0 --driver 50 --mapping offset --layer all " +
        "--tile all --data " + digit_images + " --json --out " + (folder / "a.h5"));
    CAPTURE(run.err);
    REQUIRE(run.code == 0);
    std::set<std::string> layers;
    const json report = json::parse(run.out);
    for (const auto& record : report["records"]) {
        const std::string name = record["circuit"];
        layers.insert(name.substr(0, name.find(' ')));
        CHECK(record["worst"].get<double>() <= 1e-9);
    }
    CHECK(layers.contains("conv1"));
    CHECK(std::filesystem::file_size(folder / "a.h5") > 0);
    // What ngspice would need minutes for is left out and said.
    CHECK(report["records"].size() + report["notes"].size() == 5);
    CHECK(contains(run.err, "left out; ask with --large"));
}

TEST_CASE("check: a column's whole deck agrees, of arrays that ngspice cannot solve whole too") {
    for (const std::string options :
         {"--array 16x16 --sense 20 --column 5", "--array 64x64 --column 5",
          "--array 16x16 --column 3 --set readout.kind=opamp --cell sinh:4",
          "--array 16x16 --column 3 --bits-per-cell 4"}) {
        const json report = report_of("--layer conv2 --tile 0,0 " + options);
        CHECK(report["agree"] == true);
        CHECK(report["notes"].empty());
        CHECK(report["records"].size() == (contains(options, "bits") ? 2 : 1));
        for (const auto& record : report["records"]) {
            CHECK(record["reference"] == "circuit");
            CHECK(contains(record["circuit"], " output "));
        }
    }
}

TEST_CASE("check: whole decks that disagree, or are asked for wrongly, are said") {
    const auto strict =
        run_kirchnet(check + "--array 9x8 --layer conv1 --tile all --tolerance 1e-30");
    CHECK(strict.code == 1);
    CHECK(contains(strict.out, "DISAGREE"));
    CHECK(contains(strict.err, "disagree"));
    CHECK(refuses(check + "--layer all", "--tile all"));
    CHECK(refuses(check + "--tile all", "needs --layer"));
    CHECK(refuses(check + "--layer nope --tile all", "nope"));
    CHECK(refuses(check + "--layer conv1 --column 2", "--tile R,C"));
    CHECK(refuses(check + "--layer conv1 --tile all --column 2", "--tile R,C"));
    CHECK(refuses(check + "--layer conv1 --tile 0,0 --column 999", "output 999"));
    CHECK(refuses(check + "--layer conv1 --tile all --engines nodal,ngspice", "--engines"));
    CHECK(
        refuses(check + "--array 9x8 --layer conv1 --tile all --cell sinh:4 --access-resistance 1k",
                "access resistance"));
    const TemporaryFolder folder;
    const auto g = folder.write("G.csv", "1e-5,3e-5\n");
    CHECK(refuses("check --conductance " + g + " --layer conv1", "--conductance"));
    const auto large =
        run_kirchnet("check " + digits + " --array 64x64 --mapping offset --layer fc1 --tile all");
    CHECK(large.code != 0);
    CHECK(contains(large.err, "left out"));
}
