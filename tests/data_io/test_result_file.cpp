#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "data/result_file.hpp"
#include "support.hpp"

namespace fs = std::filesystem;
using namespace kirchnet;
using namespace kirchnet::test;

namespace {

ComparisonHeader header() {
    return {.settings = "[compare]\nimages = 3\n",
            .network = "net.h5 (small)",
            .data = "digits.h5",
            .seed = 0xFFFFFFFFFFFFFFFEULL,
            .labels = {4, 0, 9},
            .software = {4, 1, 9},
            .software_accuracy = 2.0 / 3};
}

ComparisonArm arm(std::uint32_t trial) {
    return {.mapping = "differential",
            .operators = "circuit",
            .faulty = true,
            .fault_rate = 0.005,
            .trial = trial,
            .predicted = {4, 1, static_cast<std::int32_t>(trial)},
            .accuracy = 1.0 / 3,
            .agreement = 0.1,
            .layers = {"conv1", "fc"},
            .adc_samples = {1ULL << 40U, 30},
            .clipped = {7, 0},
            .operator_seconds = 1.25,
            .inference_seconds = 0.75};
}

bool same(const ComparisonArm& x, const ComparisonArm& y) {
    return x.mapping == y.mapping && x.operators == y.operators && x.faulty == y.faulty &&
           x.fault_rate == y.fault_rate && x.trial == y.trial && x.predicted == y.predicted &&
           x.accuracy == y.accuracy && x.agreement == y.agreement && x.layers == y.layers &&
           x.adc_samples == y.adc_samples && x.clipped == y.clipped &&
           x.operator_seconds == y.operator_seconds && x.inference_seconds == y.inference_seconds;
}

/// Waits until `path` holds at least `arms` arms; the writer is another process.
bool wait_for_arms(const fs::path& path, std::size_t arms) {
    for (int i = 0; i < 2000; ++i) {
        if (fs::exists(path) && read_comparison(path).arms.size() >= arms) return true;
        usleep(5000);
    }
    return false;
}

}  // namespace

TEST_CASE("a comparison is read back exactly and has its name only when finished") {
    const TemporaryFolder folder;
    const fs::path path = folder / "result.h5";
    ComparisonFile file(path, header());
    file.add(arm(0));
    file.add_matrix("ir_drop", {1, 2, 3, 4, 5, 6}, 2, 3, "V");
    CHECK(!fs::exists(path));
    CHECK(read_comparison(folder / "result.h5.partial").arms.size() == 1);
    file.add(arm(1));
    file.add_stages({"software", "operators"}, {1.5, 0.25});
    file.finish(true);
    CHECK(folder.entries() == 1);
    const Comparison found = read_comparison(path);
    CHECK(found.complete);
    CHECK(found.header.settings == header().settings);
    CHECK(found.header.network == header().network);
    CHECK(found.header.data == header().data);
    CHECK(found.header.seed == header().seed);
    CHECK(found.header.labels == header().labels);
    CHECK(found.header.software == header().software);
    CHECK(found.header.software_accuracy == header().software_accuracy);
    REQUIRE(found.arms.size() == 2);
    CHECK(same(found.arms[0], arm(0)));
    CHECK(same(found.arms[1], arm(1)));
    const auto output = python(
        "f = h5py.File(sys.argv[1]); m = f['matrices/ir_drop']; a = f['arms/0001']\n"
        "print(f.attrs['complete'], f.attrs['seed'], m.shape, m[0, 2], m.attrs['units'])\n"
        "print(a.attrs['mapping'], a.attrs['trial'], a['predicted'][()], a['layers'].asstr()[()], "
        "a['clipped'][0], f['stages/names'].asstr()[1], f['stages/seconds'][0])",
        path);
    if (output)
        CHECK(*output ==
              "yes 18446744073709551614 (2, 3) 3.0 V\n"
              "differential 1 [4 1 1] ['conv1' 'fc'] 7 operators 1.5\n");
}

TEST_CASE("an interrupted comparison says so") {
    const TemporaryFolder folder;
    ComparisonFile file(folder / "result.h5", header());
    file.finish(false);
    CHECK(!read_comparison(folder / "result.h5").complete);
}

TEST_CASE("a run killed at any moment leaves its finished arms readable") {
    const TemporaryFolder folder;
    const fs::path path = folder / "result.h5";
    const pid_t child = fork();
    if (child == 0) {
        ComparisonFile file(path, header());
        for (std::uint32_t trial = 0;; ++trial) file.add(arm(trial));
    }
    const bool grew = wait_for_arms(folder / "result.h5.partial", 3);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    REQUIRE(grew);
    CHECK(!fs::exists(path));
    const Comparison found = read_comparison(folder / "result.h5.partial");
    CHECK(!found.complete);
    REQUIRE(found.arms.size() >= 3);
    for (std::size_t i = 0; i < found.arms.size(); ++i)
        CHECK(same(found.arms[i], arm(static_cast<std::uint32_t>(i))));
}

TEST_CASE("a comparison that cannot be written is a FileError from the start") {
    const TemporaryFolder folder;
    write_file(folder / "file", "");
    CHECK_THROWS_AS(ComparisonFile(folder / "file" / "result.h5", header()), FileError);
    CHECK_THROWS_AS(ComparisonFile("/dev/full", header()), FileError);
    CHECK(fs::is_character_file("/dev/full"));
    CHECK_THROWS_AS(ComparisonFile(folder / "", header()), FileError);
}

TEST_CASE("an arm for other images is refused") {
    const TemporaryFolder folder;
    ComparisonFile file(folder / "result.h5", header());
    ComparisonArm wrong = arm(0);
    wrong.predicted.pop_back();
    CHECK(refusal([&] { file.add(wrong); }).find("2 classes for 3 images") != std::string::npos);
}

TEST_CASE("agreement records are written with their differences") {
    const AgreementRecord record{.circuit = "conv1 tile 0,1",
                                 .reference = "nodal",
                                 .engine = "ngspice",
                                 .word_lines = 2,
                                 .bit_lines = 3,
                                 .current_difference = {1e-12, 3e-11, 2e-12},
                                 .voltage_difference = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11},
                                 .worst = 3e-11,
                                 .worst_column = "out_a_1",
                                 .worst_voltage = 11,
                                 .worst_node = "bl_a_1_2"};
    const TemporaryFolder folder;
    write_agreement(folder / "a.h5", {record}, "tolerance = 1e-9");
    const auto output = python(
        "f = h5py.File(sys.argv[1]); r = f['records/0000']; v = r['voltage_difference']\n"
        "print(f.attrs['settings'], r.attrs['engine'], r.attrs['worst'], r.attrs['worst_column'])\n"
        "print(v.shape, v[1, 0, 2], v.attrs['units'], r['current_difference'][1])",
        folder / "a.h5");
    if (output) CHECK(*output == "tolerance = 1e-9 ngspice 3e-11 out_a_1\n(2, 2, 3) 8.0 V 3e-11\n");
    AgreementRecord wrong = record;
    wrong.bit_lines = 4;
    CHECK_THROWS_AS(write_agreement(folder / "b.h5", {wrong}, ""), InvalidInput);
}

TEST_CASE("a detector's boxes are read back exactly, and h5py sees them as columns") {
    const TemporaryFolder folder;
    const fs::path path = folder / "result.h5";
    ComparisonHeader detector = header();
    detector.metric = "mAP@0.5";
    detector.software_detections = {{0, 7, 0.5F, {0.1F, 0.2F, 0.3F, 0.4F}},
                                    {2, 1, 0.25F, {-0.1F, 0, 1.5F, 1}}};
    ComparisonArm found = arm(0);
    found.detections = {{1, 3, 0.75F, {0.5F, 0.25F, 1, 0.5F}}};
    ComparisonFile file(path, detector);
    file.add(found);
    file.add(arm(1));  // finds nothing
    file.finish(true);
    const Comparison comparison = read_comparison(path);
    CHECK(comparison.header.metric == "mAP@0.5");
    CHECK(comparison.header.software_detections == detector.software_detections);
    CHECK(comparison.arms[0].detections == found.detections);
    CHECK(comparison.arms[1].detections.empty());
    const auto output = python(
        "f = h5py.File(sys.argv[1]); d = f['arms/0000/detections']\n"
        "print(d['image'][0], d['class'][0], d['confidence'][0], list(d['box'][0]))",
        path);
    if (output) CHECK(*output == "1 3 0.75 [0.5, 0.25, 1.0, 0.5]\n");
}
