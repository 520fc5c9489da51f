#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "data/sweep_file.hpp"
#include "program.hpp"

using namespace kirchnet::test;
using nlohmann::json;

namespace {

std::string write_plan(const TemporaryFolder& folder, const std::string& more = "") {
    return folder.write("plan.toml", "name = 'digits'\ntrials = 3\nout = '" + (folder / "r.h5") +
                                         "'\n" + more + "[experiment]\nnetwork = '" + digits +
                                         "'\ndata = '" + digit_images +
                                         "'\nimages = 20\ncalibration_images = 8\n"
                                         "[experiment.array]\nsize = '32x32'\n"
                                         "[axes]\nmapping = ['two_column', 'differential']\n"
                                         "'faults.rate' = [0, 0.01]\n"
                                         "operators = ['ideal', 'circuit']\n");
}

}  // namespace

TEST_CASE("sweep: units are the same in one run, in shards, resumed and replayed") {
    const TemporaryFolder folder;
    const std::string plan = write_plan(folder);
    const auto whole = run_kirchnet("sweep " + plan + " --json");
    REQUIRE(whole.code == 0);
    const auto object = json::parse(whole.out);
    // 4 points without faults have one trial, 4 with faults three.
    CHECK(object["points"].size() == 8);
    const auto record = kirchnet::read_sweep(folder / "r.h5");
    CHECK(record.complete);
    REQUIRE(record.units.size() == 16);
    CHECK(record.metric == "accuracy");
    CHECK(record.networks.at(0).software_accuracy > 0.5);
    for (const auto& point : object["points"])
        CHECK(point["trials"] == (point["axes"]["faults.rate"] == "0" ? 1 : 3));

    SUBCASE("shards merge into the same") {
        for (const char* shard : {"1/3", "2/3", "3/3"})
            REQUIRE(run_kirchnet("sweep " + plan + " -o " + (folder / "s.h5") + " --shard " + shard)
                        .code == 0);
        const std::string shards = (folder / "s-shard1of3.h5") + " " + (folder / "s-shard3of3.h5");
        REQUIRE(run_kirchnet("merge " + shards + " " + (folder / "s-shard2of3.h5") + " -o " +
                             (folder / "m.h5"))
                    .code == 0);
        const auto merged = kirchnet::read_sweep(folder / "m.h5");
        CHECK(merged.complete);
        REQUIRE(merged.units.size() == record.units.size());
        for (std::size_t i = 0; i < merged.units.size(); ++i) {
            CHECK(merged.units[i].point == record.units[i].point);
            CHECK(merged.units[i].digest == record.units[i].digest);
            CHECK(merged.units[i].right == record.units[i].right);
        }
        const auto part = run_kirchnet("merge " + shards + " -o " + (folder / "p.h5"));
        CHECK(part.code == 0);
        CHECK(contains(part.err, "some units are missing"));
    }
    SUBCASE("a run goes on where another stopped, and more trials can be asked for") {
        const auto fewer = run_kirchnet("sweep " + plan + " --trials 1 -o " + (folder / "f.h5"));
        REQUIRE(fewer.code == 0);
        CHECK(kirchnet::read_sweep(folder / "f.h5").units.size() == 8);
        const auto more = run_kirchnet("sweep " + plan + " --resume -o " + (folder / "f.h5"));
        REQUIRE(more.code == 0);
        CHECK(contains(more.err, "8 units are finished, 8 are to do"));
        const auto resumed = kirchnet::read_sweep(folder / "f.h5");
        REQUIRE(resumed.units.size() == record.units.size());
        for (std::size_t i = 0; i < resumed.units.size(); ++i)
            CHECK(resumed.units[i].digest == record.units[i].digest);
    }
    SUBCASE("one unit alone, on another number of threads") {
        const auto replay = run_kirchnet("sweep " + plan + " --replay 7/2 --threads 1");
        CHECK(replay.code == 0);
        CHECK(contains(replay.out, "the same, bit for bit"));
    }
    SUBCASE("h5py's view and info know the file") {
        CHECK(contains(run_kirchnet("info " + (folder / "r.h5")).out, "kirchnet sweep"));
    }
}

TEST_CASE("sweep: bad input is refused before any work, and nothing finished is touched") {
    const TemporaryFolder folder;
    const std::string plan = write_plan(folder);
    const auto refused = [&](const std::string& arguments, const std::string& words) {
        CAPTURE(arguments);
        const auto run = run_kirchnet(arguments);
        CHECK(run.code == 2);
        CAPTURE(run.err);
        CHECK(contains(run.err, words));
    };
    refused("sweep " + (folder / "none.toml"), "none.toml");
    refused("sweep " + plan + " --shard 4/3", "4/3");
    refused("sweep " + plan + " --trials 0", "trial");
    refused("sweep " + plan + " --set network=" + (folder / "gone.h5"), "gone.h5");
    refused("sweep " + plan + " --images 1000000", "images");
    refused("sweep " + plan + " --replay 99/0", "8 points");
    refused("sweep " + plan + " --replay x", "POINT/TRIAL");
    refused("sweep " + write_plan(folder, "until = 0.01\n") + " --shard 1/2", "until");
    CHECK(!std::filesystem::exists(folder / "r.h5"));
    (void)write_plan(folder);

    REQUIRE(run_kirchnet("sweep " + plan + " --trials 1").code == 0);
    const std::string before = read_file(folder / "r.h5");
    refused("sweep " + plan, "--resume");
    refused("sweep " + plan + " --resume --set array.segment=7", "another plan");
    refused("sweep " + plan + " --resume --images 10", "another plan");
    refused("merge " + digits + " -o " + (folder / "m.h5"), "kirchnet network");
    REQUIRE(
        run_kirchnet("sweep " + plan + " --trials 1 --images 10 -o " + (folder / "o.h5")).code ==
        0);
    refused("merge " + (folder / "r.h5") + " " + (folder / "o.h5") + " -o " + (folder / "m.h5"),
            "another plan");
    // A checkpoint cut short.
    folder.write("cut.h5", before.substr(0, before.size() / 2));
    refused("sweep " + plan + " --resume -o " + (folder / "cut.h5"), "cut.h5");
    CHECK(read_file(folder / "r.h5") == before);
    // Two processes on one file.
    {
        const kirchnet::SweepLock lock(folder / "r.h5");
        refused("sweep " + plan + " --resume", "another process");
    }
    CHECK(run_kirchnet("sweep " + plan + " --resume --trials 1").code == 0);
}

TEST_CASE("sweep: a full disk ends the run and keeps what was finished") {
    const TemporaryFolder folder;
    const std::string plan = write_plan(folder);
    REQUIRE(run_kirchnet("sweep " + plan + " --trials 1").code == 0);
    const std::string before = read_file(folder / "r.h5");
    // No file of this process may grow beyond 4 blocks of 1024 bytes.
    const std::string command = "ulimit -f 4; trap '' XFSZ; exec " + std::string(KIRCHNET_PROGRAM) +
                                " sweep " + plan + " --resume >/dev/null 2>" + (folder / "err");
    const std::string script = folder.write("full.sh", command);
    const int status = std::system(("bash " + script).c_str());
    CHECK(WEXITSTATUS(status) == 1);
    CHECK(contains(read_file(folder / "err"), "r.h5"));
    CHECK(read_file(folder / "r.h5") == before);
}
