// Kills a sweep at random moments until it is done.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <random>

#include "data/sweep_file.hpp"
#include "program.hpp"

using namespace kirchnet;
using namespace kirchnet::test;

TEST_CASE("a sweep killed at 60 random moments repeats the unit in flight at most") {
    const TemporaryFolder folder;
    const auto plan = [&](const std::string& out) {
        return folder.write(out + ".toml",
                            "trials = 60\nout = '" + (folder / out) +
                                "'\n[experiment]\nnetwork = '" + digits + "'\ndata = '" +
                                digit_images +
                                "'\nimages = 100\ncalibration_images = 8\n"
                                "[axes]\nmapping = ['two_column', 'offset', 'differential']\n"
                                "'faults.rate' = [0.002, 0.01]\n");
    };
    REQUIRE(run_kirchnet("sweep " + plan("whole.h5")).code == 0);
    const SweepRecord whole = read_sweep(folder / "whole.h5");
    REQUIRE(whole.units.size() == 360);

    const std::string killed = plan("killed.h5");
    std::mt19937 random(7);
    std::uniform_int_distribution<int> milliseconds(20, 700);
    std::size_t finished = 0;
    bool done = false;
    for (int kill = 0; kill < 60; ++kill) {
        const bool exists = std::filesystem::exists(folder / "killed.h5");
        const std::string command =
            fmt::format("timeout -s KILL 0.{:03} {} sweep {} {} >/dev/null 2>&1",
                        milliseconds(random), KIRCHNET_PROGRAM, killed, exists ? "--resume" : "");
        done = std::system(command.c_str()) == 0 || done;
        if (!std::filesystem::exists(folder / "killed.h5")) continue;
        const SweepRecord record = read_sweep(folder / "killed.h5");  // never damaged
        CHECK(record.units.size() >= finished);
        finished = record.units.size();
        for (const SweepUnit& unit : record.units) {
            const SweepUnit& same =
                whole
                    .units[static_cast<std::size_t>(unit.trial) * whole.points.size() + unit.point];
            REQUIRE(same.digest == unit.digest);
        }
    }
    CHECK(finished > 0);
    REQUIRE(run_kirchnet("sweep " + killed + " --resume").code == 0);
    const SweepRecord end = read_sweep(folder / "killed.h5");
    CHECK(end.complete);
    REQUIRE(end.units.size() == whole.units.size());
    for (std::size_t i = 0; i < end.units.size(); ++i) {
        CHECK(end.units[i].digest == whole.units[i].digest);
        CHECK(end.units[i].right == whole.units[i].right);
    }
}
