// Cells of several laws, and cells of users, from the command line.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "program.hpp"

using namespace kirchnet::test;
using nlohmann::json;

namespace {

const std::string own_cell =
    "* rectifies a little\n.subckt own te be w=0.5\nrs te x 300\n"
    "bx x be i={2e-6*100^w}*0.25*sinh(v(x,be)/0.25)*(1+0.1*tanh(v(x,be)/0.1))\n.ends own\n";

std::string characterise(const TemporaryFolder& folder, const std::string& more = "") {
    return "characterise " + folder.write("own.cir", own_cell) +
           " --subckt own --pins te,be --state w --range 0:1 -o " + (folder / "own.h5") + " " +
           more;
}

std::string array(const TemporaryFolder& folder) {
    return " --conductance " + folder.write("G.csv", "1e-4,2e-5\n5e-6,1.2e-4\n8e-5,1e-5\n") +
           " --input " + folder.write("V.csv", "0.2,0.1,-0.15\n0.2,0.2,0.2\n") +
           " --wl-segment 20 --bl-segment 20 ";
}

}  // namespace

TEST_CASE("characterise: a user's cell becomes a file that solve, check and info take") {
    const TemporaryFolder folder;
    const auto made = run_kirchnet(characterise(folder, "--json"));
    REQUIRE_MESSAGE(made.code == 0, made.err);
    const auto report = json::parse(made.out);
    CHECK(report["table_error"]["largest_of_read"].get<double>() <= 1e-7);
    CHECK(report["table_error"]["held_out"].get<int>() >= 32 * 60);
    CHECK(report["asymmetry"].get<double>() > 0.1);
    const std::string cell = " --cell byo:" + (folder / "own.h5");
    const auto check = run_kirchnet("check --json" + array(folder) + cell);
    CHECK_MESSAGE(check.code == 0, check.err);
    CHECK(json::parse(check.out)["worst"].get<double>() <= 1e-6);
    CHECK(contains(run_kirchnet("info " + (folder / "own.h5")).out, "subcircuit own of"));
    const auto text = run_kirchnet(characterise(folder));
    CHECK(contains(text.out, "not odd:"));
    CHECK(contains(text.out, "use it as --cell byo:"));
}

TEST_CASE("every law's cells agree in check and can be read as decks of a network's tile") {
    const TemporaryFolder folder;
    REQUIRE(run_kirchnet(characterise(folder)).code == 0);
    for (const std::string& law : {std::string("stanford"), std::string("1s1r:is=1e-7"),
                                   std::string("1t1r:vg=1.2"), "byo:" + (folder / "own.h5")}) {
        CAPTURE(law);
        const auto check = run_kirchnet("check" + array(folder) + " --cell " + law);
        const std::string said = check.out + check.err;
        CHECK_MESSAGE(check.code == 0, said);
        for (const char* form : {"", " --flat"}) {
            const auto deck = run_kirchnet("netlist " + digits +
                                           " --layer fc2 --array 32x32 --g-off 3e-6 --fault-rate "
                                           "0.1 --cell " +
                                           law + form);
            CHECK_MESSAGE(deck.code == 0, deck.err);
            CHECK(contains(deck.out, ".end"));
        }
    }
    const auto study = run_kirchnet("nonlinear " + digits + " --data " + digit_images +
                                    " --cell 1t1r --array 32x32 --mapping two_column --layers fc2 "
                                    "--positions 4 --nonlinear-images 1 --json");
    CHECK_MESSAGE(study.code == 0, study.err);
}

TEST_CASE("solve tells what a read would do to cells that move, and leaves them") {
    const TemporaryFolder folder;
    const auto run = run_kirchnet("solve --json --read-time 1u --cell stanford" + array(folder));
    REQUIRE(run.code == 0);
    const auto disturb = json::parse(run.out)["read_disturb"];
    CHECK(disturb["read_time"] == 1e-6);
    CHECK(disturb["voltage"] == 0.2);
    // Linear in the pulse's length: 100 times the 1.7e-7 of 10 ns at 1e-4 S is the order.
    CHECK(disturb["relative_conductance_change"].get<double>() > 1e-6);
    CHECK(disturb["relative_conductance_change"].get<double>() < 1e-3);
    CHECK(contains(run.err, "read disturb: 1e-06 s at 0.2 V would move the gap of xc_a_"));
}

TEST_CASE("an access resistance is in series with given conductances, and made up for in chips") {
    const TemporaryFolder folder;
    const std::string one = " --conductance " + folder.write("g.csv", "1e-4\n") + " --input " +
                            folder.write("v.csv", "0.2\n");
    const auto run = run_kirchnet("solve --access-resistance 1k" + one);
    REQUIRE(run.code == 0);
    CHECK(std::stod(run.out) == doctest::Approx(0.2e-4 / 1.1).epsilon(1e-14));
    const std::string tile = "netlist " + digits + " --layer fc2 --array 32x32 --set ";
    const auto compensated = run_kirchnet(tile + "cells.access_resistance=1k");
    CHECK(contains(compensated.out, "rcell wl x {(1-g*ron)/g}"));
    const auto bare = run_kirchnet(tile +
                                   "cells.access_resistance=15k --set "
                                   "cells.precompensate=false");
    CHECK(contains(bare.out, "* g is the memory element's"));
    const auto refused = run_kirchnet(tile + "cells.access_resistance=15k");
    CHECK(refused.code == 2);
    CHECK(contains(refused.err, "no memory element that shows the target of 100 uS"));
    CHECK(run_kirchnet(tile + "cells.precompensate=maybe").code == 2);
}

TEST_CASE("characterise: wrong options and files end with code 2 and one line") {
    const TemporaryFolder folder;
    const std::string file = folder.write("own.cir", own_cell);
    const auto fails = [&](const std::string& arguments, const std::string& words) {
        const auto run = run_kirchnet("characterise " + arguments + " -o " + (folder / "x.h5"));
        CHECK(run.code == 2);
        CHECK_MESSAGE(contains(run.err, words), run.err);
        CHECK_MESSAGE(is_one_line(run.err), run.err);
        CHECK_FALSE(std::filesystem::exists(folder / "x.h5"));
    };
    const std::string good = file + " --subckt own --state w ";
    fails("none.cir --subckt own --pins te,be --state w --range 0:1", "cannot be opened");
    fails(good + "--pins te,bo --range 0:1", "has no pin 'bo'; its pins are te, be");
    fails(good + "--pins te,be --range 1", "no range LO:HI");
    fails(good + "--pins te,be --range 0:1 --voltage -0.1:0.1", "has to hold 0 V");
    fails(good + "--pins te,be --range 0:1 --time-limit 0", "--time-limit");
    fails(folder.write("falls.cir",
                       ".subckt c p n w=1\nbx p n i={1e-5*(1+w)}*(v(p,n)-4*v(p,n)^3)\n.ends\n") +
              " --subckt c --pins p,n --state w --range 0:1",
          "has a negative slope");
    const auto missing =
        run_kirchnet("solve" + array(folder) + " --cell byo:" + (folder / "no.h5"));
    CHECK(missing.code == 2);
    CHECK(contains(missing.err, "no.h5"));
}
