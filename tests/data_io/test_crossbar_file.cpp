#include <limits>

#include "data/crossbar_file.hpp"
#include "data/fault_map_file.hpp"
#include "support.hpp"

using namespace kirchnet;
using namespace kirchnet::test;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// 2 x 3, nothing symmetric, every kind of resistance.
Crossbar crossbar() {
    CellMatrix intended(2, 3);
    intended << 1e-6, 2e-6, 3e-6, 4e-6, 5e-6, 0.1;
    CellMatrix actual = intended;
    actual(0, 1) = 1e-4;
    actual(1, 0) = 0;
    FaultMatrix faults = FaultMatrix::Constant(2, 3, Fault::none);
    faults(0, 1) = Fault::stuck_on;
    faults(1, 0) = Fault::open;
    CellMatrix per_segment(3, 2);
    per_segment << 1, 2, 3, 4, 5, infinity;
    Wires wires{.word_line_segment = 1.5,
                .bit_line_segment = LineResistance(per_segment),
                .driver = LineResistance(Eigen::VectorXd((Eigen::VectorXd(2) << 10, 0).finished())),
                .sense = 0.25,
                .end_segments = false,
                .bridges = {{Bridge::Lines::word, 0, 2, 12.5}, {Bridge::Lines::bit, 1, 0, 1e3}}};
    return {intended, actual, faults, wires, ColumnPattern::interleaved};
}

FaultMap fault_map() {
    FaultMap map;
    map.set("conv1", CellAddress{7, 3, 1, 2, 0, Polarity::b}, Fault::stuck_off);
    map.set("fc", CellAddress{0, 5, 0, 0, 4, Polarity::a}, Fault::stuck_on);
    map.set("fc", PaddingCell{2, 3, 64, 5, Polarity::b}, Fault::open);
    map.set("fc", PaddingCell{2, 3, 64, 5, Polarity::b, 1}, Fault::stuck_on);
    map.set("fc", CellAddress{0, 6, 0, 0, 4, Polarity::a}, {Fault::stuck_at, 3.3e-5});
    map.set("fc", CellAddress{0, 7, 0, 0, 4, Polarity::a}, Fault::shorted_transistor);
    map.add("fc", {{2, 3, 1, Polarity::b}, LineDefect::word_line_open, 64, 128});
    map.add("lines only", {{0, 1, 0, Polarity::a}, LineDefect::bit_line_bridge, 3, 0, 47.0});
    map.set_array({128, 96});
    return map;
}

std::string refusal_after(const std::string& name, const std::string& edit, const auto& read) {
    const TemporaryFolder folder;
    const auto path = folder / name;
    write_file(path, read_file(fixture("h5py_files/" + name)));
    const auto output = python("f = h5py.File(sys.argv[1], 'a')\n" + edit + "\nf.close()", path);
    if (!output) return "";
    CHECK(*output == "");
    const std::string message = refusal([&] { read(path); });
    CHECK_MESSAGE(message.starts_with(path.string()), message);
    return message;
}

void check_crossbar(const std::string& edit, const std::string& words) {
    const std::string message = refusal_after("crossbar.h5", edit, read_crossbar);
    if (!message.empty()) CHECK_MESSAGE(message.find(words) != std::string::npos, message);
}

void check_fault_map(const std::string& edit, const std::string& words) {
    const std::string message = refusal_after("fault_map.h5", edit, read_fault_map);
    if (!message.empty()) CHECK_MESSAGE(message.find(words) != std::string::npos, message);
}

}  // namespace

TEST_CASE("a crossbar is read back exactly as it was written") {
    const TemporaryFolder folder;
    write_crossbar(folder / "x.h5", crossbar());
    CHECK(read_crossbar(folder / "x.h5") == crossbar());
    CHECK(is_crossbar_file(folder / "x.h5"));
    CHECK(!is_crossbar_file(fixture("h5py_files/images.h5")));
}

TEST_CASE("driven and sensed ends are read back, with the segments they need") {
    const TemporaryFolder folder;
    for (const DriveSide drive : {DriveSide::left, DriveSide::right, DriveSide::both})
        for (const SenseSide side : {SenseSide::bottom, SenseSide::top, SenseSide::both}) {
            Wires wires{.driver = 3.0, .drive = drive, .sense_at = side};
            wires.word_line_segment = LineResistance(
                CellMatrix(CellMatrix::Random(2, wires.drives_right() ? 4 : 3).cwiseAbs()));
            wires.bit_line_segment = LineResistance(
                CellMatrix(CellMatrix::Random(3, wires.senses_top() ? 3 : 2).cwiseAbs()));
            const Crossbar written(CellMatrix::Constant(2, 3, 1e-5), wires);
            write_crossbar(folder / "x.h5", written);
            CHECK(read_crossbar(folder / "x.h5") == written);
        }
    const auto output =
        python("f = h5py.File(sys.argv[1]); print(f.attrs['drive'], f.attrs['sense_at'])",
               folder / "x.h5");
    if (output) CHECK(*output == "both both\n");
}

TEST_CASE("a crossbar file that names no ends is driven at the left and sensed at the bottom") {
    const TemporaryFolder folder;
    write_crossbar(folder / "x.h5", crossbar());
    const auto output = python(
        "f = h5py.File(sys.argv[1], 'a'); del f.attrs['drive'], f.attrs['sense_at']; f.close()",
        folder / "x.h5");
    if (!output) return;
    CHECK(read_crossbar(folder / "x.h5") == crossbar());
    // The fixture is of the first version of the format.
    CHECK(read_crossbar(fixture("h5py_files/crossbar.h5")).wires().drive == DriveSide::left);
}

TEST_CASE("a written crossbar reads as intended in h5py") {
    const TemporaryFolder folder;
    write_crossbar(folder / "x.h5", crossbar());
    const auto output = python(R"(
f = h5py.File(sys.argv[1])
print(f['conductance'].shape, f['conductance'][0, 1], f['conductance'][0, 2], f['conductance'].attrs['units'])
print(f['intended_conductance'][0, 1], f['fault'][()].tolist(), f['fault'].attrs['codes'])
print(f['bit_line_segment_resistance'][()].tolist(), f['driver_resistance'][()].tolist())
print(f['word_line_segment_resistance'][()].tolist(), f['sense_resistance'][()].tolist())
print(f.attrs['column_pattern'], f.attrs['end_segments'], f['sense_resistance'].attrs['units'])
)",
                               folder / "x.h5");
    if (output)
        CHECK(*output ==
              "(2, 3) 0.0001 3e-06 S\n"
              "2e-06 [[0, 2, 0], [3, 0, 0]] 0 none, 1 stuck_off, 2 stuck_on, 3 open, 4 stuck_at, 5 "
              "open_via, 6 open_transistor, 7 shorted_transistor\n"
              "[[1.0, 2.0], [3.0, 4.0], [5.0, inf]] [[10.0], [0.0]]\n"
              "[[1.5]] [[0.25]]\n"
              "interleaved no ohm\n");
}

TEST_CASE("a crossbar written by h5py is understood") {
    const Crossbar found = read_crossbar(fixture("h5py_files/crossbar.h5"));
    CHECK(found.shape() == ArrayShape{2, 3});
    CHECK(found.intended_conductance()(1, 0) == 1e-6 * 4);
    CHECK(found.conductance()(0, 1) == 1e-4);
    CHECK(found.faults()(0, 1) == Fault::stuck_on);
    CHECK(found.faults()(1, 2) == Fault::open);
    CHECK(found.pattern() == ColumnPattern::interleaved);
    CHECK(!found.wires().end_segments);
    CHECK(found.bit_line_resistance(0, 1) == 3);    // bit line 1, segment 0
    CHECK(found.word_line_resistance(1, 0) == 20);  // driver 1, no end segment
}

TEST_CASE("a wrong crossbar file is refused by file and key") {
    SUBCASE("negative conductance") {
        check_crossbar("f['conductance'][1, 1] = -1e-6", "cell xc_b_1_1");
    }
    SUBCASE("NaN") {
        check_crossbar("f['conductance'][0, 0] = np.nan", "nan");
    }
    SUBCASE("shape") {
        check_crossbar("del f['conductance']; f['conductance'] = np.ones((3, 2))", "3 x 2");
    }
    SUBCASE("rank") {
        check_crossbar("del f['conductance']; f['conductance'] = np.ones(6)", ":/conductance: ");
    }
    SUBCASE("missing") {
        check_crossbar("del f['driver_resistance']", ":/driver_resistance: ");
    }
    SUBCASE("fault code") {
        check_crossbar("f['fault'][0, 0] = 9", ":/fault: holds code 9");
    }
    SUBCASE("open but conducting") {
        check_crossbar("f['fault'][0, 0] = 3", "is open");
    }
    SUBCASE("resistance per line of another array") {
        check_crossbar("del f['sense_resistance']; f['sense_resistance'] = np.ones((2, 1))",
                       "sense resistance");
    }
    SUBCASE("empty resistance") {
        check_crossbar("del f['sense_resistance']; f['sense_resistance'] = np.ones((0, 1))",
                       "sense resistance");
    }
    SUBCASE("pattern") {
        check_crossbar("f.attrs['column_pattern'] = 'abba'", "abba");
    }
    SUBCASE("driven side") {
        check_crossbar("f.attrs['drive'] = 'upwards'", "driven side 'upwards'");
    }
    SUBCASE("sensed side") {
        check_crossbar("f.attrs['sense_at'] = 'left'", "sensed side 'left'");
    }
    SUBCASE("a driven end without its segment") {
        // Without end segments the file's [bit_lines x word_lines] values would do.
        check_crossbar("f.attrs['sense_at'] = 'both'; f.attrs['end_segments'] = 'yes'",
                       "above word line 0");
    }
    SUBCASE("end segments") {
        check_crossbar("f.attrs['end_segments'] = 'maybe'", "maybe");
    }
}

TEST_CASE("a fault map is read back exactly as it was written") {
    const TemporaryFolder folder;
    for (const FaultMap& map : {fault_map(), FaultMap()}) {
        write_fault_map(folder / "f.h5", map, "rate 0.5 %, seed 3, trial 0");
        CHECK(read_fault_map(folder / "f.h5") == map);
    }
}

TEST_CASE("a large drawn fault map survives packing") {
    FaultMap map;
    const FaultDraw draw{.law = {.rate = 0.5}, .seed = 3};
    for (std::int32_t i = 0; i < 4000; ++i) {
        const CellAddress cell{i % 40, i / 40, 0, i % 3, 0, Polarity::a};
        map.set("conv", cell, draw_fault(draw, "conv", cell));
    }
    REQUIRE(map.cells() > 1000);
    const TemporaryFolder folder;
    write_fault_map(folder / "f.h5", map, "");
    CHECK(read_fault_map(folder / "f.h5") == map);
    const auto output = python(
        "f = h5py.File(sys.argv[1]); c = f['weight_cells/cell']; print(c.compression, c.shuffle, "
        "c.shape[1], len(f['weight_cells/fault']) == c.shape[0])",
        folder / "f.h5");
    if (output) CHECK(*output == "gzip True 7 True\n");
}

TEST_CASE("a fault map written by h5py is understood") {
    FaultMap expected;
    expected.set("conv1", CellAddress{7, 3, 1, 2, 0, Polarity::b}, Fault::stuck_off);
    expected.set("fc", CellAddress{0, 5, 0, 0, 4, Polarity::a}, Fault::stuck_on);
    expected.set("fc", PaddingCell{2, 3, 64, 5, Polarity::b}, Fault::open);
    CHECK(read_fault_map(fixture("h5py_files/fault_map.h5")) == expected);
}

TEST_CASE("a wrong fault map is refused by file and key") {
    SUBCASE("layer") {
        check_fault_map("f['weight_cells/cell'][0, 0] = 2", ":/weight_cells/cell: names layer 2");
    }
    SUBCASE("negative index") {
        check_fault_map("f['padding_cells/cell'][0, 3] = -1", "holds index -1");
    }
    SUBCASE("polarity") {
        check_fault_map("f['weight_cells/cell'][1, 6] = 2", "holds polarity 2");
    }
    SUBCASE("code") {
        check_fault_map("f['weight_cells/fault'][0] = 9", "holds code 9");
    }
    SUBCASE("no fault") {
        check_fault_map("f['weight_cells/fault'][1] = 0", "row 1");
    }
    SUBCASE("cell twice") {
        check_fault_map("f['weight_cells/cell'][1] = f['weight_cells/cell'][0]", "repeats a cell");
    }
    SUBCASE("columns") {
        check_fault_map("del f['weight_cells/cell']; f['weight_cells/cell'] = [[1, 2], [3, 4]]",
                        "has shape 2x2, 2x7 is needed");
    }
    SUBCASE("index too large") {
        check_fault_map(
            "del f['padding_cells/cell']\nf['padding_cells/cell'] = [[0, 1, 2, 3, 1 << 40, 0]]",
            "value 1099511627776 is out of range");
    }
}

TEST_CASE("node voltages are written as batch, word line, bit line") {
    const CellMatrix first = (CellMatrix(2, 3) << 1, 2, 3, 4, 5, 6).finished();
    const TemporaryFolder folder;
    write_voltages(folder / "u.h5", {first, 10 * first}, {-first, -10 * first});
    const auto output = python(
        "f = h5py.File(sys.argv[1]); w = f['word_line_voltage']; b = f['bit_line_voltage']\n"
        "print(w.shape, w[1, 0, 2], w[0, 1, 1], b[1, 1, 0], w.attrs['units'])",
        folder / "u.h5");
    if (output) CHECK(*output == "(2, 2, 3) 30.0 5.0 -40.0 V\n");
    CHECK_THROWS_AS(write_voltages(folder / "u.h5", {first}, {}), InvalidInput);
    CHECK_THROWS_AS(write_voltages(folder / "u.h5", {first}, {first.transpose()}), InvalidInput);
}

TEST_CASE("a crossbar file does not take cells of another law") {
    const TemporaryFolder folder;
    CHECK_THROWS_WITH_AS(write_crossbar(folder / "sinh.h5", crossbar().with_law(CellLaw::sinh(2))),
                         doctest::Contains("ohmic"), InvalidInput);
}

TEST_CASE("a tile's arrays come back as they were written, one file or two") {
    const TemporaryFolder folder;
    const CrossbarOrigin origin{
        {"layer1.0.conv1", 2, 1, 3}, Mapping::differential, Eigen::Vector2d(0.2, -0.05)};
    const Crossbar shared = crossbar();
    CHECK(write_tile_arrays(folder / "one.h5", {{shared}, origin}).size() == 1);
    const TileArraysFile one = read_tile_arrays(folder / "one.h5");
    REQUIRE(one.arrays.size() == 1);
    CHECK(one.arrays[0] == shared);
    CHECK(one.origin == origin);

    const Crossbar a(CellMatrix::Constant(2, 3, 1e-5), {}, ColumnPattern::all_a);
    const Crossbar b(CellMatrix::Constant(2, 3, 2e-5), {}, ColumnPattern::all_b);
    const auto files = write_tile_arrays(folder / "two.h5", {{a, b}, std::nullopt});
    REQUIRE(files.size() == 2);
    CHECK(files[1].filename() == "two-b.h5");
    const TileArraysFile two = read_tile_arrays(folder / "two.h5");
    CHECK(two.arrays == std::vector{a, b});
    CHECK_FALSE(two.origin);

    write_tile_arrays(folder / "x.h5", {{a, b}, origin});
    std::filesystem::copy_file(folder / "two-b.h5", folder / "x-b.h5",
                               std::filesystem::copy_options::overwrite_existing);
    CHECK_THROWS_WITH_AS((void)read_tile_arrays(folder / "x.h5"), doctest::Contains("another tile"),
                         InvalidInput);
    CHECK_THROWS_WITH_AS((void)read_tile_arrays(folder / "no.h5"), doctest::Contains("no-a.h5"),
                         InvalidInput);
}
