#include <doctest/doctest.h>

#include "circuit/error.hpp"
#include "data/sweep_file.hpp"
#include "support.hpp"

using namespace kirchnet;

namespace {

SweepRecord example_sweep() {
    SweepRecord record;
    record.name = "example";
    record.plan = "trials = 2\n";
    record.identity = "0123";
    record.settings = "images = 10\n";
    record.shard = "2/3";
    record.seed = 18446744073709551615ULL;
    record.trials = 2;
    record.images = 10;
    record.axes = {"mapping", "faults.rate"};
    record.networks = {{"a.h5", "a", "0a", 0.25, 0.9}, {"b.h5", "b", "0b", 0, 0.8}};
    record.points = {{{"offset", "0"}, 1, false}, {{"offset", "0.01"}, 0, true}};
    record.units = {{0, 0, 0.3, {0xE0, 0x00}, 18446744073709551615ULL, 0.25, 1.5, 0.125},
                    {1, 0, 0.2, {0x00, 0xC0}, 1, 0.5, 2.5, 0},
                    {1, 1, 0.1, {0x01, 0x00}, 2, 0.75, 3.5, 1}};
    record.complete = true;
    return record;
}

}  // namespace

TEST_CASE("bits are packed as numpy.unpackbits reads them") {
    const std::vector<bool> bits{true, false, true, false, false, false, false, false, true};
    CHECK(pack_bits(bits) == std::vector<std::uint8_t>{0xA0, 0x80});
    CHECK(unpack_bits({0xA0, 0x80}, 9) == bits);
    CHECK(pack_bits({}).empty());
    CHECK_THROWS_AS((void)unpack_bits({0xA0}, 9), InvalidInput);
}

TEST_CASE("a sweep reads back as it was written, with and without units") {
    const test::TemporaryFolder folder;
    SweepRecord record = example_sweep();
    write_sweep(folder / "s.h5", record);
    CHECK(read_sweep(folder / "s.h5") == record);
    record.units.clear();
    record.complete = false;
    write_sweep(folder / "s.h5", record);
    CHECK(read_sweep(folder / "s.h5") == record);
    // A detector has scores and no images that are right or wrong.
    record = example_sweep();
    for (SweepUnit& unit : record.units) unit.right.clear();
    write_sweep(folder / "s.h5", record);
    CHECK(read_sweep(folder / "s.h5") == record);
}

TEST_CASE("h5py sees axes by name, and the images each chip has right") {
    const test::TemporaryFolder folder;
    write_sweep(folder / "s.h5", example_sweep());
    const auto seen = test::python(
        "f = h5py.File(sys.argv[1])\n"
        "right = np.unpackbits(f['units/right'][()], axis=1)[:, :f.attrs['images']]\n"
        "print(f['points/faults.rate'].asstr()[1], right.sum(axis=1).tolist(), "
        "f['units/score'].attrs['units'], f.attrs['complete'])",
        folder / "s.h5");
    if (seen) CHECK(*seen == "0.01 [3, 2, 1] 1 yes\n");
}

TEST_CASE("shards of one plan merge in order, others are refused by name") {
    SweepRecord first = example_sweep();
    SweepRecord second = first;
    first.units = {first.units[2]};
    second.units = {second.units[0], second.units[1]};
    const SweepRecord merged = merge_sweeps({first, second}, {"1.h5", "2.h5"});
    CHECK(merged.units == example_sweep().units);
    CHECK(merged.complete);
    CHECK(merged.shard == "1/1");
    CHECK(!merge_sweeps({second}, {"2.h5"}).complete);

    SweepRecord other = second;
    other.identity = "4567";
    CHECK(test::refusal([&] {
              (void)merge_sweeps({first, other}, {"1.h5", "2.h5"});
          }) == "2.h5: is a shard of another plan than 1.h5: 'example' and 'example'");
    SweepRecord lying = second;
    lying.units = {first.units[0]};
    lying.units[0].digest ^= 1;
    const std::string message = test::refusal([&] {
        (void)merge_sweeps({first, lying}, {"1.h5", "2.h5"});
    });
    CHECK(message.find("unit 1/1") != std::string::npos);
    CHECK_THROWS_AS((void)merge_sweeps({}, {}), InvalidInput);
}

TEST_CASE("a second writer of a results file is refused while the first lives") {
    const test::TemporaryFolder folder;
    {
        const SweepLock lock(folder / "r.h5");
        CHECK_THROWS_AS(SweepLock(folder / "r.h5"), InvalidInput);
    }
    const SweepLock again(folder / "r.h5");
    CHECK_THROWS_AS(SweepLock(folder / "missing" / "r.h5"), FileError);
}
