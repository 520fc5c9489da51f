#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "data/matrix_file.hpp"
#include "data/result_file.hpp"
#include "program.hpp"

namespace fs = std::filesystem;
using namespace kirchnet::test;
using nlohmann::json;

namespace {

const std::string compare = "compare " + digits + " --data " + digit_images +
                            " --images 20 --array 64x64 --mapping differential "
                            "--fault-rate 0.01 --json --threads 1";

json run_compare(const std::string& options) {
    const Outcome run = run_kirchnet(compare + options);
    REQUIRE_MESSAGE(run.code == 0, run.err);
    return json::parse(run.out);
}

std::size_t hits(const json& object) {
    return object["operator_cache"]["hits"].get<std::size_t>();
}

std::size_t misses(const json& object) {
    return object["operator_cache"]["misses"].get<std::size_t>();
}

/// Everything that operators decide; ranges and errors carry every bit of them.
void check_same_results(const json& x, const json& y) {
    for (const char* part : {"accuracy", "agreement", "clipped", "worst_tile_error"})
        CHECK(x[part] == y[part]);
}

std::vector<std::string> entries(const std::string& folder) {
    std::vector<std::string> found;
    for (const auto& file : fs::recursive_directory_iterator(folder))
        if (file.is_regular_file()) found.push_back(file.path().string());
    return found;
}

}  // namespace

TEST_CASE("compare: a cold, a warm and no operator cache give the same bits") {
    const TemporaryFolder folder;
    const auto run = [&](const std::string& name, const std::string& options) {
        return run_compare(options + " --out " + (folder / name));
    };
    const std::string cached = " --operator-cache " + (folder / "cache");
    const json none = run("none.h5", "");
    const json cold = run("cold.h5", cached);
    const json warm = run("warm.h5", cached);
    CHECK_FALSE(none.contains("operator_cache"));
    CHECK(misses(cold) > 0);
    CHECK(misses(cold) == entries(folder / "cache").size());
    CHECK(misses(warm) == 0);
    CHECK(hits(warm) == hits(cold) + misses(cold));
    check_same_results(none, cold);
    check_same_results(none, warm);
    const auto ranges = [&](const std::string& name) {
        return kirchnet::read_matrix((folder / name) +
                                     ":/matrices/converter_ranges_differential_circuit");
    };
    CHECK(ranges("cold.h5") == ranges("none.h5"));
    CHECK(ranges("warm.h5") == ranges("none.h5"));
    for (std::size_t arm = 0; arm < 4; ++arm)
        CHECK(kirchnet::read_comparison(folder / "warm.h5").arms[arm].predicted ==
              kirchnet::read_comparison(folder / "none.h5").arms[arm].predicted);
    CHECK(contains(read_file(folder / "warm.md"), " transfer matrices from the cache, 0 computed"));
    CHECK(contains(read_file(folder / "warm.md"), "operator_cache = "));
    CHECK_FALSE(contains(read_file(folder / "none.md"), "from the cache"));
}

TEST_CASE("compare: another wire or another engine finds nothing in the cache, other faults much") {
    const TemporaryFolder folder;
    const std::string cached = " --operator-cache " + (folder / "cache");
    const json first = run_compare(cached);
    CHECK(misses(run_compare(" --segment 1.5" + cached)) == misses(first));
    CHECK(misses(run_compare(" --engine ideal" + cached)) == misses(first));
    const json other_faults = run_compare(" --seed 2" + cached);
    CHECK(misses(other_faults) > 0);
    CHECK(hits(other_faults) >= misses(first) / 2);  // the fault-free chip, at least
}

TEST_CASE("compare: a damaged entry costs a line of warning and is repaired") {
    const TemporaryFolder folder;
    const std::string cached = " --operator-cache " + (folder / "cache");
    const json cold = run_compare(cached);
    for (const std::string& entry : entries(folder / "cache"))
        fs::resize_file(entry, fs::file_size(entry) / 2);
    const Outcome repaired = run_kirchnet(compare + cached);
    REQUIRE(repaired.code == 0);
    CHECK(is_one_line(repaired.err));
    CHECK(contains(repaired.err, "damaged or foreign"));
    check_same_results(json::parse(repaired.out), cold);
    CHECK(json::parse(repaired.out)["operator_cache"]["damaged"] == misses(cold));
    const json warm = run_compare(cached);
    CHECK(misses(warm) == 0);
    check_same_results(warm, cold);
}

TEST_CASE("compare: two programs at once share a cache") {
    const TemporaryFolder folder;
    const std::string cached = " --operator-cache " + (folder / "cache");
    json there;
    std::thread other([&] {
        const Outcome run = run_kirchnet(compare + cached);
        if (run.code == 0) there = json::parse(run.out);
    });
    const Outcome run = run_kirchnet(compare + cached);
    other.join();
    REQUIRE(run.code == 0);
    REQUIRE(there.is_object());
    const json here = json::parse(run.out);
    check_same_results(here, there);
    check_same_results(here, run_compare(""));
    CHECK(here["operator_cache"]["damaged"] == 0);
    CHECK(there["operator_cache"]["damaged"] == 0);
    const json warm = run_compare(cached);
    CHECK(misses(warm) == 0);
    CHECK(entries(folder / "cache").size() <= hits(warm));
}

TEST_CASE("compare: a cache folder that cannot be used ends the program before any work") {
    const TemporaryFolder folder;
    const std::string file = folder.write("file", "");
    const Outcome run =
        run_kirchnet(compare + " --operator-cache " + file + "/cache --out " + (folder / "r.h5"));
    CHECK(run.code == 1);
    CHECK(is_one_line(run.err));
    CHECK(contains(run.err, file + "/cache: operator cache cannot be made: Not a directory"));
    CHECK_FALSE(fs::exists(folder / "r.h5"));
}

TEST_CASE("compare: a dry run names the cache and leaves the disk alone") {
    const TemporaryFolder folder;
    const Outcome run = run_kirchnet(compare + " --dry-run --operator-cache " + (folder / "cache"));
    REQUIRE(run.code == 0);
    CHECK(contains(run.out, "operator_cache = \"" + (folder / "cache") + "\"\n"));
    CHECK_FALSE(fs::exists(folder / "cache"));
}

TEST_CASE("solve: a transfer matrix comes from the cache the second time, digit by digit") {
    const TemporaryFolder folder;
    const auto g = folder.write("G.csv", "1e-5,2e-6,3e-4\n7e-5,1.1e-5,0\n");
    const auto run = [&](const std::string& engine, const std::string& options) {
        const Outcome outcome =
            run_kirchnet("solve --conductance " + g + " --transfer " + (folder / "T.csv") +
                         " --wl-segment 3 --bl-segment 2 "
                         "--json --engine " +
                         engine + options);
        REQUIRE(outcome.code == 0);
        return json::parse(outcome.out);
    };
    const std::string cached = " --operator-cache " + (folder / "cache");
    for (const std::string engine : {"transfer", "nodal"}) {
        CAPTURE(engine);
        CHECK_FALSE(run(engine, "").contains("operator_cache"));
        const std::string computed = read_file(folder / "T.csv");
        CHECK(misses(run(engine, cached)) == 1);
        CHECK(read_file(folder / "T.csv") == computed);
        const json warm = run(engine, cached);
        CHECK(hits(warm) == 1);
        CHECK(misses(warm) == 0);
        CHECK(read_file(folder / "T.csv") == computed);
    }
    const auto input = folder.write("V.csv", "0.1,0.2\n");
    const Outcome without = run_kirchnet("solve --conductance " + g + " --input " + input + cached);
    CHECK(without.code == 2);
    CHECK(contains(without.err, "--transfer"));
}

TEST_CASE("solve: whatever changes the circuit is computed") {
    const TemporaryFolder folder;
    const auto g = folder.write("G.csv", "1e-5,2e-6,3e-4\n7e-5,1.1e-5,0\n");
    const auto other = folder.write("other.csv", "1e-5,2e-6,3e-4\n7e-5,1.1e-5,1e-9\n");
    const auto run = [&](const std::string& options) {
        const Outcome outcome =
            run_kirchnet("solve --transfer " + (folder / "T.csv") + " --json --operator-cache " +
                         (folder / "cache") + options);
        REQUIRE_MESSAGE(outcome.code == 0, outcome.err);
        return json::parse(outcome.out);
    };
    const std::string array = " --conductance " + g + " --wl-segment 3 --bl-segment 2 --driver 1";
    const std::string other_array =
        " --conductance " + other + " --wl-segment 3 --bl-segment 2 --driver 1";
    for (const std::string& options :
         {array, other_array, array + " --sense 1", array + " --drive both",
          array + " --sense-at top", array + " --no-end-segments", array + " --engine nodal"}) {
        CAPTURE(options);
        CHECK(misses(run(options)) == 1);
        CHECK(hits(run(options)) == 1);
    }
}
