#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "readers.hpp"

namespace fs = std::filesystem;
using namespace kirchnet::fuzz;

namespace {

std::string read_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    REQUIRE(file);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("every file of the corpus is accepted or refused, never anything else") {
    for (const Reader& reader : readers()) {
        CAPTURE(reader.name);
        std::size_t files = 0;
        for (const auto& entry : fs::directory_iterator(fs::path(KIRCHNET_CORPUS) / reader.name)) {
            CAPTURE(entry.path().string());
            const std::string bytes = read_file(entry.path());
            CHECK_NOTHROW(feed(reader, bytes));
            ++files;
        }
        CHECK(files > 0);
    }
}

TEST_CASE("a reader in the list has a fuzz program") {
    const std::string programs = fmt::format(",{},", KIRCHNET_FUZZED_READERS);
    for (const Reader& reader : readers())
        CHECK(programs.find(fmt::format(",{},", reader.name)) != std::string::npos);
}
