#include "data/power_file.hpp"
#include "data/result_file.hpp"
#include "support.hpp"

using namespace kirchnet;
using namespace kirchnet::test;

TEST_CASE("power is stored per array with its units, and only what there is") {
    PowerTable table{.name = "differential",
                     .layers = {"conv1", "fc"},
                     .places = {"0,0 a", "0,0 b"},
                     .reads = {1024, 1},
                     .delivered = {2e-3, 3e-3},
                     .drivers = {1e-5, 0},
                     .word_lines = {2e-5, 1e-5},
                     .cells = {1.9e-3, 2.9e-3},
                     .bit_lines = {3e-5, 4e-5},
                     .sense = {4e-5, 5e-5},
                     .word_line_segment = {"rwl_a_3_0", "rwl_b_1_0"},
                     .word_line_current = {1e-3, 2e-3},
                     .bit_line_segment = {"rbl_a_7_2", "rbl_b_7_5"},
                     .bit_line_current = {3e-4, 4e-4},
                     .readout_tiles = {},
                     .feedback = {},
                     .bridge = {},
                     .amplifiers = {}};
    PowerRecord record;
    record.settings = "images = 3\n";
    record.network = "net.h5";
    record.data = "digits.h5";
    record.images = 3;
    record.read_time = 1e-7;
    const TemporaryFolder folder;
    const auto path = folder / "power.h5";
    // By a second route: h5py, where Python has it.
    const auto read = [&](const std::string& expression) {
        return python(
            "f = h5py.File(sys.argv[1]); t = f['tables/differential']\nprint(" + expression + ")",
            path);
    };
    SUBCASE("ideal read-out") {
        record.tables = {table};
        write_power(path, record);
        const FileSummary summary = summarize_file(path);
        CHECK(summary.format == "kirchnet power");
        CHECK(summary.lines.size() == 13);
        const auto stored = read(
            "f.attrs['read_time'], f.attrs['images'], list(t['delivered']), list(t['cells']), "
            "t['delivered'].attrs['units'], t['bit_line_current'].attrs['units'], "
            "list(t['bit_line_segment'].asstr()), 'readout' in t");
        if (!stored) return;
        CHECK(*stored ==
              "1e-07 3.0 [0.002, 0.003] [0.0019, 0.0029] W A "
              "['rbl_a_7_2', 'rbl_b_7_5'] False\n");
    }
    SUBCASE("amplifiers") {
        table.readout_tiles = {"conv1 0,0"};
        table.feedback = {1e-3};
        table.bridge = {2e-3};
        table.amplifiers = {3e-3};
        record.tables = {table};
        write_power(path, record);
        const auto stored = read(
            "[list(t['readout'][k]) for k in ('feedback', 'bridge', 'amplifiers')], "
            "t['readout/tiles'].asstr()[0]");
        if (!stored) return;
        CHECK(*stored == "[[0.001], [0.002], [0.003]] conv1 0,0\n");
    }
}
