#include "support.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
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

std::string run(const std::string& command) {
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
    REQUIRE(pipe);
    std::string output;
    std::array<char, 4096> part{};
    while (const std::size_t size = fread(part.data(), 1, part.size(), pipe.get()))
        output.append(part.data(), size);
    return output;
}

bool has_h5py() {
    const std::string path = KIRCHNET_PYTHON;
    return fs::exists(path) && run(path + " -c 'import h5py, numpy; print(1)' 2>&1") == "1\n";
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "kirchnet-test-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

std::size_t TemporaryFolder::entries() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(path_), fs::directory_iterator()));
}

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
    const TemporaryFolder folder;
    write_file(folder / "program.py", "import h5py, json, sys\nimport numpy as np\n" + program);
    return run(fmt::format("{} '{}' '{}' 2>&1", KIRCHNET_PYTHON, (folder / "program.py").string(),
                           argument.string()));
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

Network small_network() {
    Network network{.name = "small",
                    .input = {2, 5, 4},
                    .mean = {0.1F, 0.2F},
                    .deviation = {0.3F, 0.4F},
                    .nodes = {},
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
