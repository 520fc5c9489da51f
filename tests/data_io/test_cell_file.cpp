#include <doctest/doctest.h>

#include "circuit/error.hpp"
#include "data/cell_file.hpp"
#include "data/detail/hdf5_writer.hpp"
#include "data/result_file.hpp"
#include "tests/scratch_folder.hpp"

using namespace kirchnet;

namespace {

CellRecord record() {
    CellRecord cell;
    cell.source = "own.cir";
    cell.surface.cell = {
        "own", ".subckt own te be gate w=1\n.ends\n", {"te", "be", "gate"}, "te", "be", "gate", "w",
        1.5};
    cell.surface.voltage.resize(5);
    cell.surface.voltage << -0.2, -0.1, 0, 0.1, 0.2;
    cell.surface.state.resize(4);
    cell.surface.state << 1, 0.7, 0.3, 0;
    cell.surface.current.resize(4, 5);
    for (Eigen::Index k = 0; k < 4; ++k)
        cell.surface.current.row(k) =
            1e-5 * static_cast<double>(k + 1) * cell.surface.voltage.transpose();
    cell.largest_error = 3e-7;
    cell.rms_error = 1e-8;
    cell.held_out = 12;
    return cell;
}

}  // namespace

TEST_CASE("a characterised cell reads back as it was written") {
    const test::ScratchFolder folder;
    write_cell(folder / "cell.h5", record());
    const CellRecord cell = read_cell(folder / "cell.h5");
    CHECK(cell.surface == record().surface);
    CHECK(cell.source == "own.cir");
    CHECK(cell.largest_error == 3e-7);
    CHECK(cell.held_out == 12);
    const FileSummary summary = summarize_file(folder / "cell.h5");
    CHECK(summary.format == "kirchnet cell");
    CHECK(summary.lines.front() == "subcircuit own of own.cir, state w");
}

TEST_CASE("a cell file that misses something, or is another kind of file, is refused by key") {
    const test::ScratchFolder folder;
    auto other = hdf5::OutputGroup::create("kirchnet crossbar", 1);
    other.save(folder / "other.h5");
    CHECK_THROWS_WITH_AS((void)read_cell(folder / "other.h5"), doctest::Contains("crossbar"),
                         InvalidInput);
    auto bare = hdf5::OutputGroup::create("kirchnet cell", 1);
    bare.save(folder / "bare.h5");
    CHECK_THROWS_WITH_AS((void)read_cell(folder / "bare.h5"), doctest::Contains("source"),
                         InvalidInput);
    CellRecord ragged = record();
    ragged.surface.state.conservativeResize(3);
    write_cell(folder / "ragged.h5", ragged);
    CHECK_THROWS_WITH_AS((void)read_cell(folder / "ragged.h5"),
                         doctest::Contains("4x5 for 3 states"), InvalidInput);
}
