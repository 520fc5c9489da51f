#include <fmt/format.h>
#include <fmt/ranges.h>

#include <fstream>
#include <sstream>

#include "data/detail/pth_reader.hpp"
#include "data/import.hpp"
#include "data/state_dict.hpp"
#include "pth_files.hpp"
#include "support.hpp"

using namespace kirchnet;
using namespace kirchnet::test;

namespace {

/// `tensors.txt`: a tensor's name, shape and values a line, as PyTorch printed them.
struct Listed {
    std::string name;
    std::string shape;
    std::vector<double> values;
};

std::vector<Listed> read_listed() {
    std::vector<Listed> all;
    std::ifstream file(fixture("parameters/tensors.txt"));
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        Listed listed;
        words >> listed.name >> listed.shape;
        for (double value = 0; words >> value;) listed.values.push_back(value);
        all.push_back(std::move(listed));
    }
    REQUIRE(all.size() == 19);
    return all;
}

std::string shape_text(const std::vector<std::size_t>& shape) {
    return shape.empty() ? "scalar" : fmt::format("{}", fmt::join(shape, "x"));
}

/// Every tensor is what PyTorch listed; both sides are float32 values, hence equal.
void check_listed(StateDict tensors) {
    const auto all = read_listed();
    CHECK(tensors.unused().size() == all.size());
    for (const Listed& listed : all) {
        CAPTURE(listed.name);
        REQUIRE(tensors.has(listed.name));
        const auto shape = tensors.shape(listed.name);
        CHECK(shape_text(shape) == listed.shape);
        if (listed.values.empty()) continue;
        const Tensor tensor = tensors.take(listed.name, shape.size());
        CHECK(std::vector<double>(tensor.values.begin(), tensor.values.end()) == listed.values);
    }
}

StateDict read_parameters(const std::string& name) {
    return read_state_dict(fixture("parameters/" + name));
}

void check_refused(const std::string& bytes, const std::string& words) {
    const std::string message = refusal([&] { parse_pth(bytes, "x.pth"); });
    CHECK_MESSAGE(message.starts_with("x.pth"), message);
    CHECK_MESSAGE(message.find(words) != std::string::npos, message);
    CHECK_MESSAGE(message.find('\n') == std::string::npos, message);
}

void check_refused_pickle(const std::string& program, const std::string& words) {
    check_refused(pth_of(pickled(program)), words);
}

/// A state dict of one tensor `w` over 12 float32 numbers.
void check_refused_tensor(std::int64_t offset, const std::vector<std::int64_t>& size,
                          const std::vector<std::int64_t>& strides, const std::string& words) {
    const auto view = tensor(storage("FloatStorage", 12), offset, size, strides);
    check_refused(pth_of(pickled(dictionary({text("w"), view})), floats(12)), words);
}

const std::string never_run = "never run here";

}  // namespace

TEST_CASE("tensors saved by PyTorch have the values that PyTorch lists") {
    SUBCASE("zip") {
        check_listed(read_parameters("tensors.pth"));
    }
    SUBCASE("pickle protocol 4") {
        check_listed(read_parameters("protocol4.pth"));
    }
    SUBCASE("before PyTorch 1.6") {
        check_listed(read_parameters("legacy.pth"));
    }
    SUBCASE("checkpoint of a parallel model, with its optimizer") {
        check_listed(read_parameters("checkpoint.pth"));
    }
}

TEST_CASE("a checkpoint's words and numbers become attributes") {
    const StateDict tensors = read_parameters("checkpoint.pth");
    CHECK(tensors.number("epoch") == 164);
    CHECK(tensors.number("bn_eps") == 1e-3);
    CHECK(tensors.numbers("normalisation_mean") == std::vector<double>{0.5, 0.25, 0.125});
    CHECK(tensors.numbers("size") == std::vector<double>{3, 32, 32});
    CHECK(std::get<std::string>(tensors.attributes().at("arch")) == "resnet20");
    CHECK(!tensors.has_attribute("best_acc"));  // NumPy's scalars are not looked into
    CHECK(!tensors.has_attribute("optimizer"));
    CHECK(!tensors.has_attribute("state_dict"));
}

TEST_CASE("a network is the same from HDF5, PyTorch and safetensors") {
    Network expected = import_network(fixture("state_dicts/padded.h5"));
    for (const char* name : {"parameters/padded.pth", "parameters/padded.safetensors"}) {
        CAPTURE(name);
        CHECK(import_network(fixture(name)) == expected);
    }
}

TEST_CASE("an empty or infinite tensor is refused when it is taken") {
    StateDict tensors = read_parameters("tensors.pth");
    CHECK(
        refusal([&] { (void)tensors.take("empty", 2); }).ends_with("tensors.pth:/empty: is empty"));
    const auto view = tensor(storage("FloatStorage", 1), 0, {1}, {1});
    const std::string infinity("\0\0\x80\x7f", 4);
    StateDict infinite =
        parse_pth(pth_of(pickled(dictionary({text("w"), view})), infinity), "x.pth");
    CHECK(refusal([&] { (void)infinite.take("w", 1); }) ==
          "x.pth:/w: value 0 is inf, not a finite number");
}

TEST_CASE("code in a PyTorch file is never run") {
    SUBCASE("a command") {
        check_refused_pickle(global("os", "system") + tuple({text("touch pwned")}) + "R",
                             "names 'os.system'");
        check_refused_pickle(global("posix", "system") + tuple({text("id")}) + "R", never_run);
    }
    SUBCASE("a command in pickle protocol 4") {
        check_refused_pickle(text("os") + text("system") + "\x93" + tuple({text("id")}) + "R",
                             "names 'os.system'");
    }
    SUBCASE("a command in the format before PyTorch 1.6") {
        std::string legacy = read_file(fixture("parameters/legacy.pth")).substr(0, 15);
        legacy += pickled(integer(1001)) + pickled("}") + pickled(global("os", "system"));
        check_refused(legacy, "names 'os.system'");
    }
    SUBCASE("what an allowed module has beside") {
        check_refused_pickle(global("torch", "load"), "names 'torch.load'");
        check_refused_pickle(global("collections", "OrderedDict.__class__"), never_run);
        check_refused_pickle(global("builtins", "eval"), "names 'builtins.eval'");
    }
    SUBCASE("calls of what is no function") {
        check_refused_pickle(text("os") + ")R", "needs a function");
        check_refused_pickle(global("torch", "FloatStorage") + ")R", "makes a storage");
        check_refused_pickle(global("collections", "OrderedDict") + text("a") + "R", "arguments");
    }
    SUBCASE("instances") {
        check_refused_pickle(global("collections", "OrderedDict") + ")\x81", "opcode 0x81");
        check_refused_pickle("(" + text("a") + "ios\nsystem\n", "opcode 0x69");
    }
    SUBCASE("a name that would break the line") {
        check_refused_pickle(text("o\ns") + text("sys\ntem") + "\x93", "names 'o?s.sys?tem'");
    }
}

TEST_CASE("whole models are refused with what to do instead") {
    for (const char* name : {"whole_module.pth", "whole_module_legacy.pth", "torchscript.pt"}) {
        CAPTURE(name);
        const std::string message = refusal([&] { read_parameters(name); });
        CHECK_MESSAGE(message.find("whole pickled model") != std::string::npos, message);
        CHECK_MESSAGE(message.find("torch.save(model.state_dict(), path)") != std::string::npos,
                      message);
    }
}

TEST_CASE("a damaged pickle is refused") {
    SUBCASE("stack") {
        check_refused_pickle("", "empty stack");
        check_refused_pickle("(0", "empty stack");
        check_refused_pickle("t", "has no mark");
        check_refused_pickle("}a", "empty stack");
        check_refused_pickle(
            "K\x01K\x02"
            "a",
            "needs a list");
        check_refused_pickle("}(K\x01u", "a key has no value");
    }
    SUBCASE("memo") {
        check_refused_pickle("h\x05", "memo 5 was never stored");
        check_refused_pickle(std::string("j\xff\xff\xff\xff", 5), "memo 4294967295");
        check_refused_pickle("q\x01", "empty stack");
    }
    SUBCASE("end") {
        check_refused(pth_of("\x80\x02X\xff\xff\xff\x7f"), "ends too early");
        check_refused(pth_of("\x80\x02}"), "ends too early");
        check_refused(pth_of("\x80\x02"
                             "cos"),
                      "a name has no end");
    }
    SUBCASE("protocol") {
        check_refused(pth_of("\x80\x06}."), "protocol 6");
        check_refused(pth_of("(lp0\n."), "opcode 0x70");
    }
    SUBCASE("length") {
        check_refused_pickle(std::string(2'000'000, 'N'), "operations");
    }
}

TEST_CASE("nested and circular objects end in a refusal") {
    const std::string nothing = "holds no dictionary of tensors";
    check_refused_pickle(")" + std::string(500'000, '\x85'), nothing);
    std::string lists;
    for (int i = 0; i < 200'000; ++i) lists += "](";
    check_refused_pickle(lists + "e", nothing);
    // A dictionary that is its own model.
    check_refused_pickle(std::string("}q\0", 3) + text("model") + std::string("h\0s", 3), nothing);
    std::string checkpoints = "N";
    for (int i = 0; i < 1000; ++i) checkpoints = fmt::format("}}{}{}s", text("model"), checkpoints);
    check_refused_pickle(checkpoints, nothing);
    check_refused_pickle("K\x07", nothing);
    check_refused_pickle("}", nothing);
}

TEST_CASE("tensors stay within their storage and within memory") {
    check_refused_tensor(0, {3, 5}, {5, 1}, "x.pth:/w: of shape 3x5 reaches past the 12 numbers");
    check_refused_tensor(1, {3, 4}, {4, 1}, "reaches past");
    check_refused_tensor(0, {2}, {12}, "reaches past");
    check_refused_tensor(0, {2, 2}, {INT64_MAX, INT64_MAX}, "reaches past");
    check_refused_tensor(INT64_MAX, {2}, {INT64_MAX}, "reaches past");
    check_refused_tensor(0, {INT64_MAX, INT64_MAX}, {0, 0}, "too large");
    check_refused_tensor(0, {1'000'000, 1'000'000}, {0, 0}, "any amount of memory");
    check_refused_tensor(-1, {3, 4}, {4, 1}, "whole number of at least 0");
    check_refused_tensor(0, {3, 4}, {-4, 1}, "whole number of at least 0");
    check_refused_tensor(0, {-3}, {1}, "whole number of at least 0");
    check_refused_tensor(0, {3, 4}, {4}, "2 extents and 1 strides");
    check_refused_tensor(0, std::vector<std::int64_t>(17, 1), std::vector<std::int64_t>(17, 1),
                         "17 dimensions, at most 16");
}

TEST_CASE("many views of one storage may not add up to any amount of memory") {
    std::vector<std::string> items;
    for (int i = 0; i < 100; ++i) {
        items.push_back(text(fmt::format("w{}", i)));
        items.push_back(tensor(storage("FloatStorage", 12), 0, {100'000, 12}, {0, 1}));
    }
    check_refused(pth_of(pickled(dictionary(items)), floats(12)), "any amount of memory");
}

TEST_CASE("storages must be what was announced") {
    const auto file = [](const std::string& view, const std::string& numbers) {
        return pth_of(pickled(dictionary({text("w"), view})), numbers);
    };
    const auto view = [](const std::string& type, std::int64_t numbers) {
        return tensor(storage(type, numbers), 0, {2}, {1});
    };
    check_refused(file(view("FloatStorage", 12), floats(11)),
                  "x.pth:/w: storage '0' has 44 bytes, 12 numbers were announced");
    check_refused(file(view("FloatStorage", 12), floats(13)), "has 52 bytes");
    check_refused(file(view("ComplexFloatStorage", 12), floats(24)), "torch.ComplexFloatStorage");
    check_refused(pth_of(pickled(dictionary({text("a"), view("FloatStorage", 12), text("b"),
                                             view("HalfStorage", 12)})),
                         floats(12)),
                  "two types or sizes");
    check_refused(zip_of({{.name = "x/data.pkl",
                           .content = pickled(dictionary({text("w"), view("FloatStorage", 2)}))}}),
                  "x.pth:x/data/0: is missing from the zip archive");
    check_refused(pth_of(pickled(tuple({text("module"), text("a")}) + "Q")), never_run);
    check_refused(pth_of(pickled("K\x01Q")), "unknown object");
}

TEST_CASE("a damaged or hostile zip archive is refused by member") {
    const std::string object =
        pickled(dictionary({text("w"), tensor(storage("FloatStorage", 2), 0, {2}, {1})}));
    const auto file = [&](ZipMember numbers) {
        numbers.name = "x/data/0";
        numbers.content = floats(2);
        return zip_of({{.name = "x/data.pkl", .content = object}, numbers});
    };
    CHECK(parse_pth(file({}), "x.pth").take("w", 1).values == std::vector<float>{0, 1});
    CHECK(parse_pth(file({.wide = true}), "x.pth").take("w", 1).values == std::vector<float>{0, 1});
    check_refused(file({.changed_checksum = 1}), "x.pth:x/data/0: is damaged: its checksum");
    check_refused(file({.flags = 1}), "x/data/0: is encrypted");
    check_refused(file({.method = 8}), "x/data/0: is compressed (method 8)");
    check_refused(file({.added_to_size = 1U << 30U}), "announces 1073741832 bytes of 8 stored");
    check_refused(file({.added_to_size = 1U << 30U, .added_to_packed_size = 1U << 30U}),
                  "larger than the file");
    check_refused(file({.own_name = "x/data/1"}), "another name in its own header");
    check_refused(zip_of({{.name = "x/data.pkl", .content = object},
                          {.name = "x/data.pkl", .content = object}}),
                  "is twice");
    check_refused(zip_of({{.name = "x/data.pkl", .content = object},
                          {.name = "y/data.pkl", .content = object}}),
                  "holds both 'x/data.pkl' and 'y/data.pkl'");
    check_refused(zip_of({{.name = "word/document.xml", .content = "<x/>"}}),
                  "not from torch.save");
    check_refused(zip_of({{.name = "x/data.pkl", .content = object},
                          {.name = "x/byteorder", .content = "big"}}),
                  "big-endian");
}

TEST_CASE("a pickle from elsewhere is refused") {
    check_refused(pickled("}"), "not from torch.save");
}

TEST_CASE("names that cannot be a node's are refused") {
    for (const char* name : {"", "a/b", "a\nb", "\xff"}) {
        const auto view = tensor(storage("FloatStorage", 2), 0, {2}, {1});
        check_refused(pth_of(pickled(dictionary({text(name), view})), floats(2)), "tensor name");
    }
    const auto view = tensor(storage("FloatStorage", 2), 0, {2}, {1});
    check_refused(pth_of(pickled(dictionary({"K\x01", view})), floats(2)), "whose name is no text");
}
