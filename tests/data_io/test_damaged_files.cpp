// Files cut short at many places: whatever the place, reading is refused with the file's name.
#include <cstdlib>
#include <functional>

#include "data/crossbar_file.hpp"
#include "data/dataset.hpp"
#include "data/fault_map_file.hpp"
#include "data/import.hpp"
#include "data/matrix_file.hpp"
#include "data/network_file.hpp"
#include "data/result_file.hpp"
#include "data/state_dict.hpp"
#include "support.hpp"

namespace fs = std::filesystem;
using namespace kirchnet;
using namespace kirchnet::test;

namespace {

using Read = std::function<void(const fs::path&)>;

/// Every byte of short files and of both ends of long ones, a hundred places between.
std::vector<std::size_t> places(std::size_t size) {
    std::vector<std::size_t> found;
    const std::size_t step = std::max<std::size_t>(1, size / 100);
    for (std::size_t at = 0; at < size;
         at += (at < 40 || size - at <= 40) ? 1 : std::min(step, size - 40 - at))
        found.push_back(at);
    return found;
}

void check_truncations(const fs::path& source, const std::string& name, const Read& read) {
    const TemporaryFolder folder;
    const std::string bytes = read_file(source);
    const fs::path path = folder / name;
    write_file(path, bytes);
    CHECK_NOTHROW(read(path));
    for (const std::size_t size : places(bytes.size())) {
        CAPTURE(size);
        write_file(path, bytes.substr(0, size));
        const std::string message = refusal([&] { read(path); });
        CHECK_MESSAGE(message.find(name) != std::string::npos, message);
    }
}

/// Any outcome but a crash is right: a flipped byte may well make another valid file.
void check_flips(const fs::path& source, const std::string& name, const Read& read) {
    const TemporaryFolder folder;
    const std::string bytes = read_file(source);
    const fs::path path = folder / name;
    for (const std::size_t at : places(bytes.size())) {
        std::string damaged = bytes;
        damaged[at] = static_cast<char>(~damaged[at]);
        write_file(path, damaged);
        try {
            read(path);
        } catch (const InvalidInput&) {
        }
    }
}

Read matrix_reader() {
    return [](const fs::path& path) { read_matrix(path); };
}

Read image_reader() {
    return [](const fs::path& path) { read_test_images(path); };
}

Read parameter_reader() {
    return [](const fs::path& path) { read_state_dict(path); };
}

std::string packed(const TemporaryFolder& folder, const std::string& program,
                   const std::string& ending) {
    std::string record(3073, '\3');
    for (std::size_t i = 1; i < record.size(); ++i) record[i] = static_cast<char>(i * i % 127);
    write_file(folder / "batch.bin", record);
    const std::string command = program + " '" + (folder / "batch.bin").string() + "'";
    return std::system(command.c_str()) == 0 ? (folder / ("batch.bin" + ending)).string() : "";
}

}  // namespace

TEST_CASE("truncated HDF5 files are refused by name") {
    SUBCASE("network") {
        check_truncations(fixture("h5py_files/network.h5"), "net.h5",
                          [](const fs::path& path) { read_network(path); });
    }
    SUBCASE("state dict") {
        check_truncations(fixture("state_dicts/padded.h5"), "state.h5",
                          [](const fs::path& path) { import_network(path); });
    }
    SUBCASE("crossbar") {
        check_truncations(fixture("h5py_files/crossbar.h5"), "x.h5",
                          [](const fs::path& path) { read_crossbar(path); });
    }
    SUBCASE("fault map") {
        check_truncations(fixture("h5py_files/fault_map.h5"), "f.h5",
                          [](const fs::path& path) { read_fault_map(path); });
    }
    SUBCASE("images") {
        check_truncations(fixture("h5py_files/images.h5"), "i.h5", image_reader());
    }
    SUBCASE("matrix") {
        check_truncations(fixture("numpy_matrices/one.h5"), "m.h5", matrix_reader());
    }
    SUBCASE("summary of one of our own") {
        const TemporaryFolder folder;
        ComparisonFile(folder / "r.h5", ComparisonHeader{}).finish(true);
        check_truncations(folder / "r.h5", "cut.h5",
                          [](const fs::path& path) { summarize_file(path); });
    }
}

TEST_CASE("truncated NumPy files are refused by name") {
    check_truncations(fixture("numpy_matrices/c_order_f8.npy"), "m.npy", matrix_reader());
    check_truncations(fixture("numpy_matrices/version_2.npy"), "m.npy", matrix_reader());
}

TEST_CASE("truncated and damaged parameter files are refused by name") {
    for (const char* name :
         {"tensors.pth", "protocol4.pth", "legacy.pth", "checkpoint.pth", "padded.safetensors"}) {
        CAPTURE(name);
        const fs::path path = fixture(std::string("parameters/") + name);
        check_truncations(path, name, parameter_reader());
        check_flips(path, name, parameter_reader());
    }
}

TEST_CASE("truncated image files are refused by name") {
    const TemporaryFolder folder;
    SUBCASE("CIFAR-10 batch") {
        write_file(folder / "one.bin", std::string(3073, '\1'));
        check_truncations(folder / "one.bin", "batch.bin", image_reader());
    }
    SUBCASE("xz") {
        const std::string path = packed(folder, "xz -k", ".xz");
        if (path.empty()) return;
        check_truncations(path, "batch.bin.xz", image_reader());
        check_flips(path, "batch.bin.xz", image_reader());
    }
    SUBCASE("IDX, gzip") {
        const fs::path images = folder / "t10k-images-idx3-ubyte";
        write_file(images, std::string("\0\0\10\3\0\0\0\2\0\0\0\1\0\0\0\3", 16) + "abcdef");
        write_file(folder / "t10k-labels-idx1-ubyte", std::string("\0\0\10\1\0\0\0\2\1\2", 10));
        if (std::system(("gzip '" + images.string() + "'").c_str()) != 0) return;
        const std::string bytes = read_file(images.string() + ".gz");
        CHECK(read_test_images(folder / "").size() == 2);
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            CAPTURE(size);
            write_file(images.string() + ".gz", bytes.substr(0, size));
            CHECK(refusal([&] {
                      read_test_images(folder / "");
                  }).find("t10k-images-idx3-ubyte.gz") != std::string::npos);
        }
    }
}

TEST_CASE("damaged bytes never crash a reader of ours") {
    check_flips(fixture("numpy_matrices/c_order_f8.npy"), "m.npy", matrix_reader());
    const TemporaryFolder folder;
    write_file(folder / "m.csv", "1,2.5\n3,-4e-3\n");
    check_flips(folder / "m.csv", "m.csv", matrix_reader());
}
