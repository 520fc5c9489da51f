#include <doctest/doctest.h>

#include "program.hpp"

using namespace kirchnet::test;

namespace {

void check_refused(const std::string& arguments, const std::string& words, int code = 2) {
    CAPTURE(arguments);
    const auto run = run_kirchnet(arguments);
    CHECK(run.code == code);
    CAPTURE(run.err);
    CHECK(is_one_line(run.err));
    CHECK(contains(run.err, words));
    CHECK(run.out.empty());
}

}  // namespace

TEST_CASE("wrong usage ends with code 2") {
    CHECK(run_kirchnet("").code == 2);
    CHECK(run_kirchnet("melt").code == 2);
    CHECK(run_kirchnet("solve --conductanse G.csv").code == 2);
    CHECK(run_kirchnet("netlist " + digits).code == 2);  // --layer is missing
    CHECK(run_kirchnet("--version").code == 0);
}

TEST_CASE("every subcommand explains itself with examples") {
    for (const std::string command : {"compare", "netlist", "solve", "check", "import", "prune",
                                      "faults", "sweep", "merge", "info"}) {
        CAPTURE(command);
        const auto run = run_kirchnet(command + " --help");
        CHECK(run.code == 0);
        CHECK(contains(run.out, "Examples:"));
        CHECK(contains(run.out, "kirchnet " + command));
    }
}

TEST_CASE("solve names file, line, cell or option of what is wrong") {
    const TemporaryFolder folder;
    const auto g = folder.write("G.csv", "1e-4,2e-4\n3e-4,4e-4\n");
    const auto v = folder.write("V.csv", "0.1,0.2\n");
    const std::string solve = "solve --conductance ";
    const std::string input = " --input " + v;
    check_refused(solve + "missing.csv" + input, "missing.csv");
    check_refused(solve + folder.write("n.csv", "1e-4,-2e-4\n") + input, "xc_a_0_1");
    check_refused(solve + folder.write("nan.csv", "1e-4,nan\n") + input, "nan.csv");
    check_refused(solve + folder.write("ragged.csv", "1,2\n3\n") + input, "ragged.csv");
    check_refused(solve + folder.write("words.csv", "1e-4,two\n") + input, "two");
    check_refused(solve + folder.write("empty.csv", "# nothing\n") + input, "empty.csv");
    check_refused(solve + folder.write("bad.npy", "\x93NUMPY") + input, "bad.npy");
    check_refused(solve + folder.write("bad.h5", "\x89HDF\r\n\x1a\n") + input, "bad.h5");
    check_refused(solve + g + " --input " + folder.write("long.csv", "1,2,3\n"), "long.csv");
    check_refused(solve + g + input + " --wl-segment -1", "-1");
    check_refused(solve + g + input + " --wl-segment ten", "--wl-segment");
    check_refused(solve + g + input + " --driver " + folder.write("d.csv", "1\n2\n3\n"), "driver");
    check_refused(solve + g + input + " --engine spectre", "spectre");
    check_refused(solve + g + input + " --drive up", "--drive: driven side 'up'");
    check_refused(solve + g + input + " --sense-at left", "--sense-at: sensed side 'left'");
    check_refused(solve + g, "--input");
    check_refused(solve + g + input + " --json --currents -", "--json");
}

TEST_CASE("outputs that cannot be written end with code 1 and leave nothing behind") {
    const TemporaryFolder folder;
    const auto g = folder.write("G.csv", "1e-4\n");
    const auto v = folder.write("V.csv", "0.1\n");
    const auto plain = folder.write("plain", "a file, not a folder");
    const std::string solve = "solve --conductance " + g + " --input " + v;
    check_refused(solve + " --currents " + plain + "/I.csv", "I.csv", 1);
    check_refused(solve + " --voltages " + plain + "/U.h5", "U.h5", 1);
    check_refused("import " + digits + " -o " + plain + "/n.h5", "n.h5", 1);
    check_refused("netlist " + digits + " --layer conv1 --array 8x8 -o " + plain + "/t.cir",
                  "t.cir", 1);
    CHECK(run_kirchnet(solve + " --currents /dev/full").code == 1);
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder / ""))
        files += entry.exists() ? 1 : 0;
    CHECK(files == 3);
}

TEST_CASE("networks, layers, tiles and data that do not exist are named") {
    const TemporaryFolder folder;
    const std::string netlist = "netlist " + digits;
    check_refused(netlist + " --layer conv9", "conv9");
    check_refused(netlist + " --layer conv1 --tile 7,0", "7,0");
    check_refused(netlist + " --layer conv1 --tile 7", "ROW,COLUMN");
    check_refused(netlist + " --layer conv1 --mapping complex", "complex");
    check_refused(netlist + " --layer conv1 --slice 1", "1 slice");
    check_refused(netlist + " --layer conv1 --bits-per-cell 2 --slice 4", "4 slices");
    check_refused(netlist + " --layer conv1 --data " + digit_images + " --input-read 1", "1 read");
    check_refused(netlist + " --layer conv1 --readout mirror", "mirror");
    check_refused(netlist + " --layer conv1 --data " + digit_images + " --image 99999", "99999");
    check_refused(netlist + " --layer conv1 --data " + digit_images + " --position 99999", "99999");
    check_refused(netlist + " --layer conv1 --data nowhere", "nowhere");
    check_refused(netlist + " --layer conv1 --input " + folder.write("V.csv", "0.1\n"), "V.csv");
    check_refused("compare " + digits + " --data nowhere", "nowhere");
    check_refused("compare " + digits, "--data");
    check_refused("compare nothing.h5 --data " + digit_images, "nothing.h5");
    check_refused("compare " + digit_images + " --data " + digit_images, "network");
    check_refused("compare " + digits + " --data " + digit_images + " --images 999999", "999999");
    check_refused("info " + folder.write("x.h5", "not HDF5"), "x.h5");
    check_refused("import " + folder.write("state.h5", "") + " -o " + (folder / "n.h5"),
                  "state.h5");
    check_refused("import " + digits + " -o " + (folder / "n.h5") + " --prune 1.5", "1.5");
}

TEST_CASE("settings that make no sense are refused before any work") {
    const std::string compare = "compare " + digits + " --data " + digit_images;
    check_refused(compare + " --fault-rate 2", "faults.rate");
    check_refused(compare + " --array 0x4", "array.size");
    check_refused(compare + " --g-on 1u --g-off 1m", "off");
    check_refused(compare + " --weight-bits 1", "weight bits");
    check_refused(compare + " --adc-bits 40", "ADC");
    check_refused(compare + " --set array.sice=3x3", "array.size");
    check_refused(compare + " --layout interleaved --array 8x1", "interleaved");
    check_refused(compare + " --engine magic", "magic");
    check_refused(compare + " --drive centre", "array.drive");
    check_refused(compare + " --sense-at left", "array.sense_at");
    check_refused(compare + " --set array.sense_to=top", "array.sense_at");
    check_refused(compare + " --threads -2", "threads");
    check_refused(compare + " --bits-per-cell 9", "bits per cell");
    check_refused(compare + " --bits-per-cell 2 --weight-bits 0", "continuous");
    check_refused(compare + " --input-bits 4 --dac-bits 8", "more than the 4 bits");
    check_refused(compare + " --set converters.adc_percentile=0", "adc_percentile");
    check_refused(compare + " --set converters.adc_offset_deviation=-1", "adc_offset_deviation");
    check_refused(compare + " --adc-bits 0 --set converters.adc_noise=1", "0 is no ADC");
    check_refused(compare + " --preset tpu", "prime");
    CHECK(run_kirchnet(compare + " --set nonsense").code == 2);
}

TEST_CASE("a truncated network file is refused, wherever it was cut") {
    const TemporaryFolder folder;
    const std::string whole = read_file(digits);
    for (const double share : {0.0, 0.001, 0.1, 0.5, 0.9, 0.999}) {
        const auto size = static_cast<std::size_t>(share * static_cast<double>(whole.size()));
        const auto cut = folder.write("cut.h5", whole.substr(0, size));
        const auto run = run_kirchnet("info " + cut);
        CHECK(run.code == 2);
        CHECK(contains(run.err, "cut.h5"));
    }
}
