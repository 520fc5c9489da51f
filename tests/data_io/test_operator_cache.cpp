#include <cstdlib>
#include <cstring>
#include <limits>
#include <map>
#include <set>
#include <thread>

#include "circuit/ideal_solver.hpp"
#include "circuit/instruction_set.hpp"
#include "data/crossbar_file.hpp"
#include "data/detail/content_hash.hpp"
#include "data/operator_cache.hpp"
#include "support.hpp"

namespace fs = std::filesystem;
using namespace kirchnet;
using namespace kirchnet::test;

namespace {

/// An engine that counts its work. Its "transfer matrix" has awkward bits in every entry.
class CountingEngine final : public OperatingPointSolver {
  public:
    explicit CountingEngine(int& calls, std::string name = "counting")
        : calls_(calls), name_(std::move(name)) {}

    [[nodiscard]] std::string_view name() const override { return name_; }
    [[nodiscard]] OperatingPoint solve(const Crossbar& crossbar,
                                       const Eigen::Ref<const Eigen::MatrixXd>& inputs,
                                       Voltages voltages) override {
        return IdealSolver().solve(crossbar, inputs, voltages);
    }
    [[nodiscard]] Eigen::MatrixXd transfer_rows(const Crossbar& crossbar,
                                                Index bit_lines) override {
        ++calls_;
        return crossbar.conductance().leftCols(bit_lines).transpose() / 3;
    }

  private:
    int& calls_;
    std::string name_;
};

bool same_bits(const Eigen::MatrixXd& x, const Eigen::MatrixXd& y) {
    return x.rows() == y.rows() && x.cols() == y.cols() &&
           std::memcmp(x.data(), y.data(), static_cast<std::size_t>(x.size()) * sizeof(double)) ==
               0;
}

/// 2 x 3 with values at the ends of what a double holds.
CellMatrix cells() {
    CellMatrix g(2, 3);
    g << 1e-5, 0, 5e-324, 0.1, 1e300, 3e-6;
    return g;
}

Wires wires() {
    return {.word_line_segment = 1.0, .bit_line_segment = 2.0, .driver = 3.0, .sense = 4.0};
}

const Crossbar crossbar(cells(), wires());

CachedSolver solver(const TemporaryFolder& folder, int& calls) {
    return {std::make_unique<CountingEngine>(calls),
            std::make_shared<OperatorCache>(folder / "cache")};
}

/// The one file a test has stored.
fs::path entry_of(const OperatorCache& cache) {
    return cache.path_of(operator_key("counting", crossbar, 3));
}

/// As an entry has to end to be looked into.
void write_sealed(const fs::path& path, const std::string& content) {
    write_file(path, content + xxh128_digits(content));
}

/// Lets h5py change an entry; false where there is no h5py.
bool edit(const fs::path& path, const std::string& program) {
    if (!python("f = h5py.File(sys.argv[1], 'a')\n" + program + "\nf.close()", path)) return false;
    write_sealed(path, read_file(path));
    return true;
}

std::string refusal_of_folder(const fs::path& folder) {
    try {
        const OperatorCache cache(folder);
    } catch (const FileError& problem) {
        return problem.what();
    }
    FAIL_CHECK("no FileError");
    return "";
}

}  // namespace

TEST_CASE("a transfer matrix is computed once and read with the same bits ever after") {
    const TemporaryFolder folder;
    int calls = 0;
    const Eigen::MatrixXd computed = CountingEngine(calls).transfer_rows(crossbar, 3);
    calls = 0;
    for (int run = 0; run < 3; ++run) {
        CachedSolver cached = solver(folder, calls);  // as another run of the program would
        CHECK(cached.name() == "counting");
        CHECK(same_bits(cached.transfer(crossbar), computed));
        CHECK(same_bits(cached.transfer_rows(crossbar, 2), computed.topRows(2)));
        CHECK(calls == 2);
    }
}

TEST_CASE("a seal is what xxh128sum prints") {
    // xxHash's own test of no bytes, seed 0: high 0x99AA06D3014798D8, low 0x6001C324468D497F.
    CHECK(xxh128_digits("") == "99aa06d3014798d86001c324468d497f");
}

TEST_CASE("operating points are solved as ever, past the cache") {
    const TemporaryFolder folder;
    int calls = 0;
    const auto cache = std::make_shared<OperatorCache>(folder / "cache");
    CachedSolver cached(std::make_unique<CountingEngine>(calls), cache);
    const Eigen::Vector2d inputs(0.2, 0.1);
    const auto point = cached.solve(crossbar, inputs, Voltages::keep);
    CHECK(point.current == IdealSolver().solve(crossbar, inputs, Voltages::skip).current);
    CHECK(point.word_line_voltage.size() == 1);
    CHECK(cache->counts().hits + cache->counts().misses == 0);
}

TEST_CASE("hits and misses are counted") {
    const TemporaryFolder folder;
    int calls = 0;
    const auto cache = std::make_shared<OperatorCache>(folder / "cache");
    CachedSolver cached(std::make_unique<CountingEngine>(calls), cache);
    for (int i = 0; i < 3; ++i) (void)cached.transfer(crossbar);
    CHECK(cache->counts().hits == 2);
    CHECK(cache->counts().misses == 1);
    CHECK(cache->counts().damaged == 0);
    CHECK(cache->counts().unstored == 0);
    CHECK(cache->warnings().empty());
}

TEST_CASE("whatever decides a transfer matrix has a part in its key") {
    std::map<std::string, std::string> keys;
    const auto add = [&](const std::string& what, const OperatorKey& key) {
        CHECK(key.hash.size() == 32);
        CHECK(key.hash.find_first_not_of("0123456789abcdef") == std::string::npos);
        const auto [same, is_new] = keys.emplace(key.hash, what);
        CHECK_MESSAGE(is_new, what << " has the key of " << same->second);
    };
    const auto add_wires = [&](const std::string& what, const auto& change) {
        Wires changed = wires();
        change(changed);
        add(what, operator_key("nodal", Crossbar(cells(), changed), 3));
    };
    add("the array", operator_key("nodal", crossbar, 3));
    add("another engine", operator_key("transfer", crossbar, 3));
    add("fewer rows", operator_key("nodal", crossbar, 2));
    add("another law", operator_key("nodal", crossbar.with_law(CellLaw::sinh(2)), 3));
    add("another factor", operator_key("nodal", crossbar.with_law(CellLaw::sinh(2.5)), 3));
    CellMatrix one_bit = cells();
    one_bit(1, 2) = std::nextafter(one_bit(1, 2), 1.0);
    add("one bit of one cell", operator_key("nodal", Crossbar(one_bit, wires()), 3));
    CellMatrix swapped = cells();
    std::swap(swapped(0, 0), swapped(0, 1));
    add("two cells swapped", operator_key("nodal", Crossbar(swapped, wires()), 3));
    const CellMatrix other_shape = Eigen::Map<const CellMatrix>(cells().data(), 3, 2);
    add("another shape", operator_key("nodal", Crossbar(other_shape, wires()), 2));
    add_wires("word-line segment", [](Wires& w) { w.word_line_segment = 2.0; });
    add_wires("bit-line segment", [](Wires& w) { w.bit_line_segment = 1.0; });
    add_wires("segments swapped", [](Wires& w) {
        w.word_line_segment = 2.0;
        w.bit_line_segment = 1.0;
    });
    add_wires("driver", [](Wires& w) { w.driver = 4.0; });
    add_wires("sense", [](Wires& w) { w.sense = 3.0; });
    add_wires("one driver",
              [](Wires& w) { w.driver = LineResistance(Eigen::VectorXd(Eigen::Vector2d(3, 5))); });
    add_wires("the other driver",
              [](Wires& w) { w.driver = LineResistance(Eigen::VectorXd(Eigen::Vector2d(5, 3))); });
    add_wires("open segment",
              [](Wires& w) { w.word_line_segment = std::numeric_limits<double>::infinity(); });
    add_wires("end segments", [](Wires& w) { w.end_segments = false; });
    add_wires("driven right", [](Wires& w) { w.drive = DriveSide::right; });
    add_wires("driven left and right", [](Wires& w) { w.drive = DriveSide::both; });
    add_wires("sensed at the top", [](Wires& w) { w.sense_at = SenseSide::top; });
    add_wires("sensed at both ends", [](Wires& w) { w.sense_at = SenseSide::both; });
}

TEST_CASE("kernels of another instruction set, whose last bits differ, have keys of their own") {
    if (available_instruction_sets().size() < 2) return;
    const std::string widest = operator_key("transfer", crossbar, 3).hash;
    setenv("KIRCHNET_INSTRUCTION_SET", "baseline", 1);
    const std::string baseline = operator_key("transfer", crossbar, 3).hash;
    unsetenv("KIRCHNET_INSTRUCTION_SET");
    CHECK(baseline != widest);
}

TEST_CASE("what leaves a transfer matrix alone leaves its key alone") {
    FaultMatrix faults = FaultMatrix::Constant(2, 3, Fault::none);
    faults(1, 0) = Fault::stuck_on;
    CellMatrix intended = cells();
    intended(1, 0) = 1e-6;
    const Crossbar faulty(intended, cells(), faults, wires(), ColumnPattern::interleaved);
    CHECK(operator_key("nodal", faulty, 3).hash == operator_key("nodal", crossbar, 3).hash);
}

TEST_CASE("an array whose cells follow a caller's law goes past the cache") {
    // Two laws may share a name; only the caller knows what they do.
    class Ohmic final : public CustomCellLaw {
        [[nodiscard]] std::string name() const override { return "mine"; }
        void current(std::span<const double> g, std::span<const double> v,
                     std::span<double> i) const override {
            for (std::size_t k = 0; k < g.size(); ++k) i[k] = g[k] * v[k];
        }
        void derivative(std::span<const double> g, std::span<const double>,
                        std::span<double> slope) const override {
            std::copy(g.begin(), g.end(), slope.begin());
        }
    };
    const TemporaryFolder folder;
    int calls = 0;
    CachedSolver cached = solver(folder, calls);
    const Crossbar theirs = crossbar.with_law(CellLaw::custom(std::make_shared<Ohmic>()));
    for (int i = 0; i < 2; ++i) (void)cached.transfer(theirs);
    CHECK(calls == 2);
    CHECK(fs::is_empty(folder / "cache"));
}

TEST_CASE("a matrix that is not finite is not kept") {
    const TemporaryFolder folder;
    OperatorCache cache(folder / "cache");
    Eigen::MatrixXd T = Eigen::MatrixXd::Ones(3, 2);
    T(2, 1) = std::numeric_limits<double>::quiet_NaN();
    cache.store(operator_key("nodal", crossbar, 3), T);
    CHECK(fs::is_empty(folder / "cache"));
}

TEST_CASE("an entry that was cut, or has one byte flipped, is not used") {
    const TemporaryFolder folder;
    int calls = 0;
    const auto cache = std::make_shared<OperatorCache>(folder / "cache");
    CachedSolver cached(std::make_unique<CountingEngine>(calls), cache);
    (void)cached.transfer(crossbar);
    const OperatorKey key = operator_key("counting", crossbar, 3);
    const fs::path path = cache->path_of(key);
    const std::string bytes = read_file(path);
    std::size_t flips = 0;
    for (std::size_t at = 0; at < bytes.size(); at += 17) {
        CAPTURE(at);
        std::string damaged = bytes;
        damaged[at] = static_cast<char>(~damaged[at]);
        write_file(path, damaged);
        CHECK_FALSE(cache->find(key));
        ++flips;
    }
    CHECK(cache->counts().damaged == flips);
    for (std::size_t size = 0; size < bytes.size(); size += 101) {
        write_file(path, bytes.substr(0, size));
        CHECK_FALSE(cache->find(key));
    }
}

TEST_CASE("a damaged or foreign entry is computed and written anew, with one warning") {
    const TemporaryFolder folder;
    int calls = 0;
    const auto cache = std::make_shared<OperatorCache>(folder / "cache");
    CachedSolver cached(std::make_unique<CountingEngine>(calls), cache);
    const Eigen::MatrixXd computed = cached.transfer(crossbar);
    const fs::path path = entry_of(*cache);
    const Crossbar other(CellMatrix::Constant(2, 3, 1e-5), wires());
    std::string reason;
    SUBCASE("no HDF5") {
        write_sealed(path, "not HDF5");
        reason = "cannot be read as an HDF5 file";
    }
    SUBCASE("a file of another kind") {
        write_crossbar(path, crossbar);
        write_sealed(path, read_file(path));
        reason = "is a 'kirchnet crossbar' file";
    }
    SUBCASE("the matrix of another array") {
        (void)cached.transfer(other);
        fs::copy_file(cache->path_of(operator_key("counting", other, 3)), path,
                      fs::copy_options::overwrite_existing);
        reason = "attribute 'key' is '";
    }
    SUBCASE("another value, its HDF5 checksum right") {
        if (!python("f = h5py.File(sys.argv[1], 'a'); f['transfer'][1, 1] = 1e-7; f.close()", path))
            return;
        reason = "does not end in the checksum of its content";
    }
    SUBCASE("nothing") {
        write_file(path, "");
        reason = "does not end in the checksum of its content";
    }
    SUBCASE("far too much") {
        write_file(path, std::string(1 << 20, 'x'));
        reason = "holds more than";
    }
    SUBCASE("another shape") {
        if (!edit(path, "del f['transfer']; f['transfer'] = np.ones((2, 3))")) return;
        reason = "has shape 2x3, not 3x2";
    }
    SUBCASE("another engine") {
        if (!edit(path, "f.attrs['engine'] = 'ideal'")) return;
        reason = "attribute 'engine' is 'ideal'";
    }
    SUBCASE("a version of the future") {
        if (!edit(path, "f.attrs['format_version'] = 2")) return;
        reason = "format_version 2";
    }
    calls = 0;
    CHECK(same_bits(cached.transfer(crossbar), computed));
    CHECK(same_bits(cached.transfer(crossbar), computed));
    CHECK(calls == 1);
    CHECK(cache->counts().damaged == 1);
    REQUIRE(cache->warnings().size() == 1);
    const std::string warning = cache->warnings().front();
    CHECK_MESSAGE(warning.find(path.string()) != std::string::npos, warning);
    CHECK_MESSAGE(warning.find(reason) != std::string::npos, warning);
    CHECK(warning.find("1 damaged or foreign") != std::string::npos);
}

TEST_CASE("a disk that refuses costs the entry, not the result") {
    const TemporaryFolder folder;
    int calls = 0;
    const auto cache = std::make_shared<OperatorCache>(folder / "cache");
    CachedSolver cached(std::make_unique<CountingEngine>(calls), cache);
    write_file(entry_of(*cache).parent_path(), "a file where a folder should be");
    for (int i = 0; i < 2; ++i) CHECK(cached.transfer(crossbar)(1, 1) == 1e300 / 3);
    CHECK(cache->counts().misses == 2);
    CHECK(cache->counts().unstored == 2);
    REQUIRE(cache->warnings().size() == 1);
    CHECK(cache->warnings().front().find("2 could not be stored") != std::string::npos);
    CHECK(cache->warnings().front().find("Not a directory") != std::string::npos);
}

TEST_CASE("a folder that cannot be made or written to is refused at once, by name") {
    const TemporaryFolder folder;
    write_file(folder / "file", "");
    const std::string below = (folder / "file" / "cache").string();
    CHECK(refusal_of_folder(below) == below + ": operator cache cannot be made: Not a directory");
    CHECK(refusal_of_folder(folder / "file").starts_with((folder / "file").string() + ": "));
    // Not even root can make a file here.
    if (fs::exists("/proc/self"))
        CHECK(refusal_of_folder("/proc").starts_with("/proc: operator cache cannot be used: "));
    const OperatorCache made(folder / "a" / "b");
    CHECK(fs::is_empty(made.folder()));
}

TEST_CASE("an entry is an HDF5 file with checksums that h5py reads") {
    const TemporaryFolder folder;
    int calls = 0;
    const auto cache = std::make_shared<OperatorCache>(folder / "cache");
    CachedSolver cached(std::make_unique<CountingEngine>(calls), cache);
    (void)cached.transfer(Crossbar((CellMatrix(2, 3) << 3, 6, 9, 12, 15, 18).finished(), wires()));
    const OperatorKey key = operator_key(
        "counting", Crossbar((CellMatrix(2, 3) << 3, 6, 9, 12, 15, 18).finished(), wires()), 3);
    CHECK(cache->path_of(key) == folder / "cache" / key.hash.substr(0, 2) / (key.hash + ".h5"));
    const auto output = python(
        "f = h5py.File(sys.argv[1]); t = f['transfer']\n"
        "print(t[:].tolist(), t.dtype, t.fletcher32, t.attrs['units'])\n"
        "print(f.attrs['format'], f.attrs['format_version'], f.attrs['engine'], f.attrs['key'])",
        cache->path_of(key));
    if (output)
        CHECK(*output ==
              "[[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]] float64 True S\n"
              "kirchnet transfer matrix 1 counting " +
                  key.hash + "\n");
}

TEST_CASE("two threads share a cache, and each gets what it asked for") {
    const TemporaryFolder folder;
    constexpr int arrays = 60;
    const auto array = [](int i) {
        return Crossbar(CellMatrix::Constant(7, 5, 1e-6 * (i + 1)), wires());
    };
    const auto cache = std::make_shared<OperatorCache>(folder / "cache");
    const auto work = [&](bool backwards, int& wrong) {
        int calls = 0;
        CachedSolver cached(std::make_unique<CountingEngine>(calls), cache);
        for (int round = 0; round < 2; ++round)
            for (int k = 0; k < arrays; ++k) {
                const int i = backwards ? arrays - 1 - k : k;
                const Eigen::MatrixXd T = cached.transfer(array(i));
                wrong += (T.array() == 1e-6 * (i + 1) / 3).all() && T.rows() == 5 ? 0 : 1;
            }
    };
    int wrong_here = 0;
    int wrong_there = 0;
    std::thread other(work, true, std::ref(wrong_there));
    work(false, wrong_here);
    other.join();
    CHECK(wrong_here + wrong_there == 0);
    const OperatorCacheCounts counts = cache->counts();
    CHECK(counts.hits + counts.misses == 4 * arrays);
    CHECK(counts.misses >= arrays);
    CHECK(counts.misses <= 2 * arrays);  // at worst each thread computes all of them once
    CHECK(counts.damaged == 0);
    std::set<std::string> endings;
    for (const auto& file : fs::recursive_directory_iterator(folder / "cache"))
        if (file.is_regular_file()) endings.insert(file.path().extension());
    CHECK(endings == std::set<std::string>{".h5"});
}
