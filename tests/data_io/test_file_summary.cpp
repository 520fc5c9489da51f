#include <algorithm>

#include "data/network_file.hpp"
#include "data/pruning.hpp"
#include "data/result_file.hpp"
#include "support.hpp"

using namespace kirchnet;
using namespace kirchnet::test;

namespace {

bool has_line(const FileSummary& summary, const std::string& words) {
    return std::any_of(summary.lines.begin(), summary.lines.end(), [&](const std::string& line) {
        return line.find(words) != std::string::npos;
    });
}

}  // namespace

TEST_CASE("the summary of a network lists layers with shape, weights and zeros") {
    const TemporaryFolder folder;
    Network network = small_network();
    prune_by_magnitude(network, 0.5);
    write_network(folder / "net.h5", network);
    const FileSummary summary = summarize_file(folder / "net.h5");
    CHECK(summary.format == "kirchnet network");
    CHECK(summary.format_version == 1);
    CHECK(summary.producer.starts_with("kirchnet "));
    CHECK(has_line(summary, "network small, input 2x5x4, 10 nodes"));
    CHECK(has_line(summary, "licence: none"));
    CHECK(has_line(
        summary,
        "conv stride 2 padding 1 groups 2        4x1x3x2         24         12   50.0 %  pruned to "
        "0.5"));
    CHECK(has_line(summary, "48         24   50.0 %"));
}

TEST_CASE("every kind of file has a summary") {
    CHECK(has_line(summarize_file(fixture("h5py_files/crossbar.h5")), "2x3 array"));
    CHECK(has_line(summarize_file(fixture("h5py_files/crossbar.h5")),
                   "2 faulty cells, 0 bridges between lines"));
    CHECK(has_line(summarize_file(fixture("h5py_files/crossbar.h5")),
                   "word lines driven: left, bit lines sensed: bottom"));
    CHECK(has_line(summarize_file(fixture("h5py_files/fault_map.h5")), "origin: by hand"));
    CHECK(has_line(summarize_file(fixture("h5py_files/images.h5")), "/test/pixels [2x3x4x2]"));
    const TemporaryFolder folder;
    ComparisonHeader header;
    header.labels = header.software = {1};
    ComparisonArm arm;
    arm.mapping = "offset";
    arm.predicted = {1};
    arm.accuracy = 0.5;
    ComparisonFile(folder / "r.h5", header).add(arm);
    const FileSummary summary = summarize_file(folder / "r.h5.partial");
    CHECK(has_line(summary, "1 images, seed 0, incomplete"));
    CHECK(has_line(summary, "accuracy  50.00 %"));
    AgreementRecord record;
    record.worst_column = "out_a_7";
    write_agreement(folder / "a.h5", {record}, "");
    CHECK(has_line(summarize_file(folder / "a.h5"), "worst 0 at out_a_7"));
}

TEST_CASE("a file that is not ours is said to be so") {
    CHECK(refusal([] {
              summarize_file(fixture("state_dicts/padded.h5"));
          }).find("no kirchnet file") != std::string::npos);
    CHECK(refusal([] {
              summarize_file(fixture("h5py_files/make.py"));
          }).find("make.py: cannot be read as an HDF5 file") != std::string::npos);
    CHECK(!is_network_file(fixture("state_dicts/padded.h5")));
    CHECK(!is_network_file(fixture("h5py_files/images.h5")));
}
