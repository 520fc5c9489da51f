#include "support.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <numeric>

namespace kirchnet::test {
namespace fs = std::filesystem;
namespace {

Tensor ramp(std::vector<std::size_t> shape, float start) {
    std::size_t count = 1;
    for (const std::size_t extent : shape) count *= extent;
    Tensor tensor{std::move(shape), std::vector<float>(count)};
    for (std::size_t i = 0; i < count; ++i) tensor.values[i] = start + 0.1F * static_cast<float>(i);
    return tensor;
}

/// Python that stays: importing h5py takes longer than any of our programs.
class PythonServer {
  public:
    PythonServer() {
        write_file(folder_ / "server.py", R"(
import contextlib, os, sys, traceback
import h5py, json
import numpy as np
open(sys.argv[1], 'w').close()
for line in sys.stdin:
    program, argument, output = line.rstrip('\n').split('\t')
    sys.argv = [program, argument]
    with open(output + '.part', 'w') as file, contextlib.redirect_stdout(file):
        try:
            exec(open(program).read(), {'h5py': h5py, 'json': json, 'np': np, 'sys': sys})
        except BaseException:
            traceback.print_exc(file=file)
    os.rename(output + '.part', output)
)");
        const std::string started = (folder_ / "started").string();
        pipe_.reset(popen(fmt::format("{} '{}' '{}' 2>/dev/null", KIRCHNET_PYTHON,
                                      (folder_ / "server.py").string(), started)
                              .c_str(),
                          "w"));
        available_ = wait_for(started);
    }

    [[nodiscard]] bool is_available() const { return available_; }

    std::string run(const std::string& program, const fs::path& argument) {
        const fs::path script = folder_ / fmt::format("{}.py", ++count_);
        const fs::path output = folder_ / fmt::format("{}.txt", count_);
        write_file(script, program);
        fmt::print(pipe_.get(), "{}\t{}\t{}\n", script.string(), argument.string(),
                   output.string());
        std::fflush(pipe_.get());
        REQUIRE(wait_for(output));
        return read_file(output);
    }

  private:
    static bool wait_for(const fs::path& path) {
        for (int i = 0; i < 60'000; ++i) {
            if (fs::exists(path)) return true;
            usleep(1000);
        }
        return false;
    }

    TemporaryFolder folder_;
    std::unique_ptr<FILE, int (*)(FILE*)> pipe_{nullptr, pclose};
    bool available_ = false;
    int count_ = 0;
};

bool has_h5py() {
    const std::string path = KIRCHNET_PYTHON;
    const std::string probe = path + " -c 'import h5py, numpy' 2>/dev/null";
    return fs::exists(path) && std::system(probe.c_str()) == 0;
}

}  // namespace

fs::path fixture(const std::string& name) {
    return fs::path(KIRCHNET_TEST_CASES) / name;
}

std::optional<fs::path> external(const std::string& name) {
    const char* folder = std::getenv("KIRCHNET_TEST_DATA");
    if (folder != nullptr && fs::exists(fs::path(folder) / name)) return fs::path(folder) / name;
    MESSAGE("skipped: ", name, " needs KIRCHNET_TEST_DATA to name the folder that holds it");
    return std::nullopt;
}

std::optional<std::string> python(const std::string& program, const fs::path& argument) {
    static const bool available = has_h5py();
    if (!available) {
        MESSAGE("skipped: reading back needs python3-h5py");
        return std::nullopt;
    }
    static PythonServer server;
    REQUIRE(server.is_available());
    return server.run(program, argument);
}

std::string read_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    REQUIRE(file);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const fs::path& path, const std::string& bytes) {
    std::ofstream file(path, std::ios::binary);
    file << bytes;
    REQUIRE(file.flush());
}

const Node& node(const Network& network, const std::string& name) {
    for (const Node& candidate : network.nodes)
        if (candidate.name == name) return candidate;
    FAIL("no node " << name);
    return network.nodes.front();
}

Network small_network() {
    Network network{.name = "small",
                    .input = {2, 5, 4},
                    .mean = {0.1F, 0.2F},
                    .deviation = {0.3F, 0.4F},
                    .nodes = {},
                    .heads = {},
                    .detection_classes = 0,
                    .provenance = {{"licence", "none"}}};
    network.nodes = {
        {"zero", InputOp{}, {}},
        {"layer1.0.conv1", ConvOp{ramp({4, 1, 3, 2}, -1), ramp({4}, 2), 2, 1, 2}, {"zero"}},
        {"bn",
         BatchNormOp{ramp({4}, 1), ramp({4}, 2), ramp({4}, 3), ramp({4}, 4), 1e-3F},
         {"layer1.0.conv1"}},
        {"relu", ReluOp{}, {"bn"}},
        {"again", ReluOp{}, {"bn"}},
        {"add", AddOp{}, {"relu", "again"}},
        {"pad", PadShortcutOp{3, 8}, {"add"}},
        {"pool", PoolOp{PoolOp::Kind::maximum, 3, 2, 1}, {"pad"}},
        {"mean", PoolOp{PoolOp::Kind::average, 0, 1, 0}, {"pool"}},
        {"fc", LinearOp{ramp({3, 8}, 5), {}}, {"mean"}}};
    return network;
}

}  // namespace kirchnet::test
