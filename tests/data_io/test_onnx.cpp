#include <fmt/format.h>

#include <limits>

#include "data/import.hpp"
#include "onnx_models.hpp"
#include "support.hpp"

using namespace kirchnet;
using namespace kirchnet::test;
using Integers = std::vector<std::int64_t>;

namespace {

const std::vector<float> kernel{1, 2, 3, 4, 5, 6};  // [3, 2, 1, 1]

/// y = 1x1 convolution of x; its node is handed to `change`.
template <class Change>
std::string refused_conv(const Change& change, const Integers& shape = {3, 2, 1, 1}) {
    OnnxModel model;
    model.initialiser("w", shape, kernel);
    change(model.add("Conv", {"x", "w"}, {"y"}), model);
    return model.refused();
}

void check_holds(const std::string& message, const std::string& words) {
    CHECK_MESSAGE(message.find(words) != std::string::npos, message);
}

const Node& last(const Network& network) {
    return network.nodes.back();
}

}  // namespace

TEST_CASE("a convolution comes out of ONNX as it went in") {
    OnnxModel model;
    model.initialiser("block.conv.weight", {3, 2, 1, 1}, kernel);
    model.initialiser("block.conv.bias", {3}, {7, 8, 9});
    onnx::NodeProto& node = model.add("Conv", {"x", "block.conv.weight", "block.conv.bias"}, {"y"});
    set(node, "strides", Integers{2, 2});
    set(node, "pads", Integers{1, 1, 1, 1});
    const Network network = model.read();
    CHECK(network.input == ImageShape{2, 4, 4});
    CHECK(last(network).name == "block.conv");
    CHECK(last(network).inputs == Names{"input"});
    const auto& conv = std::get<ConvOp>(last(network).operation);
    CHECK(conv == ConvOp{{{3, 2, 1, 1}, kernel}, {{3}, {7, 8, 9}}, 2, 1, 1});
}

TEST_CASE("numbers of every type ONNX keeps weights in are read") {
    // The same six numbers as float16 (sign, 5 bits of exponent, 10 of fraction), double and raw.
    OnnxModel model;
    onnx::TensorProto& tensor = model.initialiser("w", {3, 2, 1, 1}, {});
    SUBCASE("double") {
        tensor.set_data_type(onnx::TensorProto::DOUBLE);
        for (const float value : kernel) tensor.add_double_data(value);
    }
    SUBCASE("float16 in the field of int32") {
        tensor.set_data_type(onnx::TensorProto::FLOAT16);
        for (const int bits : {0x3C00, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600})
            tensor.add_int32_data(bits);
    }
    SUBCASE("raw float") {
        tensor.set_raw_data(std::string(reinterpret_cast<const char*>(kernel.data()), 24));
    }
    model.add("Conv", {"x", "w"}, {"y"});
    CHECK(std::get<ConvOp>(last(model.read()).operation).weight.values == kernel);
}

TEST_CASE("nodes run in an order that their inputs allow, whatever the file's order") {
    OnnxModel model;
    model.add("Sigmoid", {"a"}, {"y"});
    model.add("Relu", {"x"}, {"a"});
    model.add("Relu", {"nowhere_needed"}, {"unused"});
    const Network network = model.read();
    REQUIRE(network.nodes.size() == 3);
    CHECK(std::holds_alternative<ReluOp>(network.nodes[1].operation));
    CHECK(last(network).inputs == Names{network.nodes[1].name});
}

TEST_CASE("graphs that make no sense are refused by node and tensor") {
    OnnxModel model;
    SUBCASE("circles") {
        model.add("Add", {"x", "y"}, {"a"});
        model.add("Relu", {"a"}, {"y"});
        check_holds(model.refused(),
                    "node 'the_Add' (Add, gives 'a'): reads what it has a part in");
    }
    SUBCASE("missing inputs") {
        model.add("Relu", {"a"}, {"y"});
        check_holds(model.refused(), "its input 'a' is given by no node and no initialiser");
    }
    SUBCASE("two nodes of one output") {
        model.add("Relu", {"x"}, {"y"});
        model.add("Tanh", {"x"}, {"y"});
        check_holds(model.refused(), "node 'the_Tanh' (Tanh, gives 'y'): another node gives 'y'");
    }
    SUBCASE("two initialisers of one name") {
        model.initialiser("w", {1}, {1});
        model.initialiser("w", {1}, {2});
        check_holds(model.refused(), "has two initialisers 'w'");
    }
    SUBCASE("an output that nothing gives") {
        model.add("Relu", {"x"}, {"z"});
        check_holds(model.refused(), "no node gives its output 'y'");
    }
    SUBCASE("several outputs") {
        model.add("Relu", {"x"}, {"y"});
        model.graph().add_output()->set_name("z");
        check_holds(model.refused(), "has 2 outputs (y, z); a classifier has one");
    }
    SUBCASE("no output name") {
        model.add("Relu", {"x"}, {});
        check_holds(model.refused(), "has no output");
    }
    SUBCASE("an input of open size") {
        auto& shape = *model.graph().mutable_input(0)->mutable_type()->mutable_tensor_type();
        shape.mutable_shape()->mutable_dim(2)->set_dim_param("height");
        model.add("Relu", {"x"}, {"y"});
        check_holds(model.refused(), "input 'x': leaves dimension 2 open");
    }
    SUBCASE("an old operator set") {
        model.proto().mutable_opset_import(0)->set_version(6);
        check_holds(model.refused(), "uses operator set 6; export it for 7 or later");
    }
    SUBCASE("a constant output") {
        model.initialiser("w", {1}, {1});
        model.add("Identity", {"w"}, {"y"});
        check_holds(model.refused(), "its output 'y' is a constant");
    }
}

TEST_CASE("operators that are not known are named with their node") {
    OnnxModel model;
    onnx::NodeProto& node = model.add("Gelu", {"x"}, {"y"});
    CHECK(model.refused() ==
          "m.onnx: node 'the_Gelu' (Gelu, gives 'y'): the operator Gelu is not supported");
    node.set_op_type("Relu");
    node.set_domain("com.example");
    check_holds(model.refused(), "the operator com.example.Relu is not supported");
}

TEST_CASE("weights that are wrong are refused by name") {
    const auto nothing = [](onnx::NodeProto&, OnnxModel&) {};
    const auto tensor = [](OnnxModel& model) -> onnx::TensorProto& {
        return *model.graph().mutable_initializer(0);
    };
    using Proto = onnx::NodeProto;
    check_holds(refused_conv(nothing, {3, 2, 1, 2}), "has shape 3x2x1x2, which needs 48 bytes");
    check_holds(refused_conv(nothing, {3, -2, 1, 1}), "initialiser 'w': has an extent of -2");
    const std::int64_t huge = std::numeric_limits<std::int64_t>::max();
    check_holds(refused_conv(nothing, {huge, huge, 1, 1}), "is too large");
    check_holds(refused_conv(nothing, {2, 3, 1, 1}), "do not fit 2 input channels");
    check_holds(refused_conv(nothing, {3, 2}), "2-D convolutions are known alone");
    check_holds(refused_conv([&](Proto&, OnnxModel& model) {
                    tensor(model).set_float_data(4, std::numeric_limits<float>::infinity());
                }),
                "value 4 of its input 'w' is inf");
    check_holds(refused_conv([&](Proto&, OnnxModel& model) {
                    tensor(model).set_data_location(onnx::TensorProto::EXTERNAL);
                }),
                "initialiser 'w': keeps its numbers in another file");
    check_holds(refused_conv([&](Proto&, OnnxModel& model) {
                    tensor(model).set_data_type(onnx::TensorProto::STRING);
                }),
                "holds numbers of type STRING");
}

TEST_CASE("convolutions beyond ours are refused") {
    const auto with = [](const std::string& attribute, const Integers& values) {
        return refused_conv(
            [&](onnx::NodeProto& node, OnnxModel&) { set(node, attribute, values); });
    };
    check_holds(with("dilations", {2, 2}), "is dilated by 2");
    check_holds(with("strides", {2, 1}), "its stride is 2 in rows and 1 in columns");
    check_holds(with("strides", {0, 0}), "attribute 'strides' holds 0");
    check_holds(with("pads", {0, 0, 1, 1}), "pads rows by 0 and 1, columns by 0 and 1");
    check_holds(with("pads", {0, 0}), "attribute 'pads' holds 2 numbers, 4 are needed");
    check_holds(with("group", {1}), "attribute 'group' is of type INTS, INT is needed");
}

TEST_CASE("padding that the last window does not reach is taken as even") {
    // 4 pixels, kernel 1, stride 2: windows at -1, 1, 3 with a zero before, and no zero after.
    OnnxModel model;
    model.initialiser("w", {3, 2, 1, 1}, kernel);
    onnx::NodeProto& node = model.add("Conv", {"x", "w"}, {"y"});
    set(node, "strides", Integers{2, 2});
    set(node, "pads", Integers{1, 1, 0, 0});
    CHECK(std::get<ConvOp>(last(model.read()).operation).padding == 1);
}

TEST_CASE("a Softmax is dropped at the end and refused elsewhere") {
    OnnxModel model;
    model.add("GlobalAveragePool", {"x"}, {"p"});
    model.add("Flatten", {"p"}, {"f"});
    model.add("Softmax", {"f"}, {"s"});
    model.graph().mutable_output(0)->set_name("s");
    const Network network = model.read();
    CHECK(std::holds_alternative<PoolOp>(last(network).operation));
    CHECK(network.provenance.contains("dropped_softmax"));
    model.add("Relu", {"s"}, {"y"});
    model.graph().mutable_output(0)->set_name("y");
    check_holds(model.refused(), "Softmax, which is known as the last operator alone");
}

TEST_CASE("halves of patterns are refused where the other half is missing") {
    OnnxModel model;
    SUBCASE("Softplus") {
        model.add("Softplus", {"x"}, {"a"});
        model.add("Relu", {"a"}, {"y"});
        check_holds(model.refused(), "its input 'a' is the output of Softplus");
    }
    SUBCASE("a product of different maps") {
        model.add("Sigmoid", {"x"}, {"a"});
        model.add("Relu", {"x"}, {"b"});
        model.add("Mul", {"a", "b"}, {"y"});
        check_holds(model.refused(), "multiplies feature maps");
    }
    SUBCASE("Pad before an activation") {
        model.integers("pads", {0, 0, 1, 1, 0, 0, 1, 1});
        model.add("Pad", {"x", "pads"}, {"a"});
        model.add("Relu", {"a"}, {"y"});
        check_holds(model.refused(), "known before a convolution or pool alone");
    }
    SUBCASE("zeros among negative pixels of a max pool") {
        model.integers("pads", {0, 0, 1, 1, 0, 0, 1, 1});
        model.add("Pad", {"x", "pads"}, {"a"});
        set(model.add("MaxPool", {"a"}, {"y"}), "kernel_shape", Integers{2, 2});
        check_holds(model.refused(), "largest values among zeros");
    }
    SUBCASE("a part of the image") {
        model.integers("first", {1});
        model.integers("last", {3});
        model.integers("axis", {2});
        model.add("Slice", {"x", "first", "last", "axis"}, {"y"});
        check_holds(model.refused(), "cuts the image");
    }
}

TEST_CASE("shapes that do not fit are refused where they meet") {
    OnnxModel model;
    SUBCASE("a sum") {
        set(model.add("MaxPool", {"x"}, {"a"}), "kernel_shape", Integers{2, 2});
        model.add("Add", {"x", "a"}, {"y"});
        check_holds(model.refused(), "adds shapes 1x2x4x4 and 1x2x3x3");
    }
    SUBCASE("a linear layer") {
        model.initialiser("w", {3, 2}, kernel);
        model.add("Flatten", {"x"}, {"a"});
        set(model.add("Gemm", {"a", "w"}, {"y"}), "transB", std::int64_t{1});
        check_holds(model.refused(), "its weights 'w' take 2 features, its input has shape 1x32");
    }
    SUBCASE("a reshaping that is more than flattening") {
        model.integers("shape", {1, 4, 2, 4});
        model.add("Reshape", {"x", "shape"}, {"y"});
        check_holds(model.refused(), "flattening all of them is known alone");
    }
    SUBCASE("a linear layer on pixels") {
        model.initialiser("w", {4, 1}, {1, 2, 3, 4});
        model.add("MatMul", {"x", "w"}, {"y"});
        check_holds(model.refused(), "its input has shape 1x2x4x4");
    }
}

TEST_CASE("a small file cannot ask for large memory") {
    OnnxModel model;
    SUBCASE("a filled shape") {
        model.integers("shape", {1 << 20, 1 << 10});
        model.add("ConstantOfShape", {"shape"}, {"c"});
        model.add("Mul", {"x", "c"}, {"y"});
        check_holds(model.refused(), "far larger than their file");
    }
    SUBCASE("a constant doubled again and again") {
        model.integers("c0", Integers(1000, 1));
        for (int i = 0; i < 40; ++i) {
            const std::string name = fmt::format("c{}", i);
            set(model.add("Concat", {name, name}, {fmt::format("c{}", i + 1)}), "axis",
                std::int64_t{0});
        }
        model.add("Reshape", {"x", "c40"}, {"y"});
        check_holds(model.refused(), "far larger than their file");
    }
    SUBCASE("one weight in many layers") {
        model.initialiser("w", {1024, 2, 1, 1}, std::vector<float>(2048, 1));
        model.add("Conv", {"x", "w"}, {"a0"});
        for (int i = 0; i < 10000; ++i) {
            const std::string next = i == 9999 ? "y" : fmt::format("a{}", i + 1);
            model.add("Conv", {"x", "w"}, {fmt::format("b{}", i)});
            model.add("Add", {fmt::format("a{}", i), fmt::format("b{}", i)}, {next});
        }
        check_holds(model.refused(), "far larger than their file");
    }
}

TEST_CASE("what is no ONNX model, or half of one, is refused") {
    OnnxModel model;
    model.initialiser("w", {3, 2, 1, 1}, kernel);
    model.add("Conv", {"x", "w"}, {"y"});
    const std::string bytes = model.bytes();
    TemporaryFolder folder;
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        write_file(folder / "part.onnx", bytes.substr(0, size));
        CAPTURE(size);
        // A file may end between two of its parts, and then lacks weights, nodes or graph.
        const std::string message =
            refusal([&] { static_cast<void>(import_network(folder / "part.onnx")); });
        CHECK(message.find("part.onnx") != std::string::npos);
    }
}
