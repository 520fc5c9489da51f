#include <fmt/format.h>
#include <fmt/ranges.h>

#include "data/detail/safetensors_reader.hpp"
#include "support.hpp"

using namespace kirchnet;
using namespace kirchnet::test;

namespace {

std::string file_of(const std::string& header, std::size_t numbers) {
    std::string bytes(8, '\0');
    for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(header.size() >> 8 * i & 255U);
    return bytes + header + std::string(numbers, '\0');
}

void check_refused(const std::string& bytes, const std::string& words) {
    const std::string message = refusal([&] { parse_safetensors(bytes, "x.safetensors"); });
    CHECK_MESSAGE(message.starts_with("x.safetensors:"), message);
    CHECK_MESSAGE(message.find(words) != std::string::npos, message);
}

void check_refused_header(const std::string& header, const std::string& words) {
    check_refused(file_of(header, 8), words);
}

/// A header of these entries.
std::string header_of(const std::vector<std::string>& entries) {
    return fmt::format("{{{}}}", fmt::join(entries, ","));
}

std::string entry(const std::string& name, const std::string& shape, const std::string& offsets) {
    return fmt::format(R"("{}":{{"dtype":"F32","shape":{},"data_offsets":{}}})", name, shape,
                       offsets);
}

}  // namespace

TEST_CASE("safetensors of several types are read") {
    // Values as make.py writes them; 1/3 rounded to float32.
    StateDict tensors = read_state_dict(fixture("parameters/types.safetensors"));
    CHECK(tensors.take("a", 2) == Tensor{{1, 2}, {0.5F, -2}});
    CHECK(tensors.take("b", 1) == Tensor{{1}, {1.0F / 3}});
    CHECK(tensors.take("c", 0) == Tensor{{}, {7}});
    CHECK(std::get<std::string>(tensors.attributes().at("format")) == "pt");
}

TEST_CASE("numbers in a safetensors file's texts are numbers where they are asked for") {
    const StateDict tensors = parse_safetensors(
        file_of(R"({"__metadata__":{"bn_eps":"1e-3","normalisation_mean":"[0.5, 0.25,-1]",)"
                R"("bad":"[0.5, x]","open":"1,"},)" +
                    entry("w", "[2]", "[0,8]") + "}",
                8),
        "x.safetensors");
    CHECK(tensors.number("bn_eps") == 1e-3);
    CHECK(tensors.numbers("normalisation_mean") == std::vector<double>{0.5, 0.25, -1});
    for (const char* name : {"bad", "open"})
        CHECK(refusal([&] { (void)tensors.numbers(name); }).find("holds text") !=
              std::string::npos);
}

TEST_CASE("a damaged safetensors file is refused") {
    SUBCASE("length") {
        check_refused("", "truncated");
        check_refused(std::string("\xff\xff\xff\xff\xff\xff\xff\xff{}", 10), "announces a header");
        check_refused(std::string("\x40\0\0\0\0\0\0\0{}", 10), "truncated within its header");
    }
    SUBCASE("header") {
        check_refused_header("{", "no JSON object");
        check_refused_header("[]", "no JSON object");
        check_refused_header("{}", "its tensors take 0 bytes, the file has 8");
        check_refused(file_of("{}", 0), "holds no tensor");
        check_refused_header(R"({"w":1})", "x.safetensors:/w: is no description of a tensor");
        check_refused_header("{\"w\":" + std::string(100'000, '['), "nested too deep");
        check_refused_header(header_of({entry("w", "[1]", "[0,4]"), entry("w", "[1]", "[4,8]")}),
                             "describes 'w' twice");
        check_refused_header(R"({"__metadata__":{"a":1}})", "metadata 'a' is no text");
        check_refused_header("{\"\xff\":1}", "no JSON object");
    }
    SUBCASE("tensor") {
        const auto check = [](const std::string& shape, const std::string& offsets,
                              const std::string& words) {
            check_refused_header(header_of({entry("w", shape, offsets)}), words);
        };
        check("[3]", "[0,8]", "of shape 3 does not fit its 8 bytes");
        check("[2]", "[8,0]", "no begin and end");
        check("[2]", "[0,8,9]", "no begin and end");
        check("[-2]", "[0,8]", "'shape' is not of whole numbers");
        check("2", "[0,8]", "has no list 'shape'");
        check("[9223372036854775807,8]", "[0,8]", "too large");
        check("[4611686018427387904]", "[0,0]", "too large");
        check("[1]", "[4,8]", "begins at byte 4, the tensor before ends at 0");
        check("[1]", "[0,4]", "its tensors take 4 bytes, the file has 8");
        check("[3]", "[0,12]", "its tensors take 12 bytes, the file has 8");
        check_refused_header(R"({"w":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}})",
                             "type F8_E4M3, which is not supported");
    }
    SUBCASE("overlap") {
        check_refused_header(header_of({entry("a", "[2]", "[0,8]"), entry("b", "[1]", "[4,8]")}),
                             "x.safetensors:/b: begins at byte 4, the tensor before ends at 8");
    }
}
