// Networks of other programs against the outputs that PyTorch computes for them; the README files
// in tests/data/onnx and tests/data/architectures say how those were made.
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "circuit/error.hpp"
#include "data/import.hpp"
#include "tests/nn/software_outputs.hpp"

using namespace kirchnet;

namespace {

const std::filesystem::path cases = KIRCHNET_TEST_CASES;

/// Pixel i of image m is (29 i + 83 m + i^2) mod 256, as in `make.py`.
LabelledImages formula_images(const ImageShape& shape, std::size_t count) {
    LabelledImages images{shape, {}, std::vector<std::int32_t>(count, 0)};
    for (std::size_t m = 0; m < count; ++m)
        for (std::size_t i = 0; i < shape.size(); ++i)
            images.pixels.push_back(static_cast<std::uint8_t>((i * 29 + m * 83 + i * i) % 256));
    return images;
}

/// PyTorch's sums of some hundred float32 products run in another order than ours: relative to the
/// largest output, differences of some hundred roundings of 6e-8 are expected.
void check_outputs(const Network& network, const std::vector<float>& expected) {
    const Graph graph(network);
    const std::size_t images = expected.size() / graph.classes();
    const auto outputs = test::software_outputs(graph, formula_images(network.input, images));
    REQUIRE(outputs.size() == expected.size());
    float largest = 0;
    for (const float value : expected) largest = std::max(largest, std::abs(value));
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        CAPTURE(i);
        CHECK(std::abs(outputs[i] - expected[i]) <= 1e-5F * largest);
    }
}

std::vector<float> read_outputs(const std::filesystem::path& path) {
    std::ifstream file(path);
    REQUIRE(file);
    std::vector<float> outputs;
    for (float value = 0; file >> value;) outputs.push_back(value);
    return outputs;
}

/// An architecture file: image shape, tensors, outputs.
struct ArchitectureCase {
    StateDict::Tensors tensors;
    std::string image;
    std::vector<float> outputs;
};

/// Number i of tensor n, as in `make.py`.
float formula_weight(const std::string& name, const Tensor& tensor, std::size_t n, std::size_t i,
                     float divisor) {
    const auto residue = static_cast<float>((37 * i + i * i + 11 * n) % 101);
    const float value = (residue - 50) / divisor;
    const bool scale =
        name.ends_with("running_var") || (name.ends_with("weight") && tensor.shape.size() == 1);
    return scale ? value / 4 + 1 : value;
}

Tensor formula_tensor(const std::string& name, std::vector<std::size_t> shape, std::size_t n,
                      float divisor) {
    Tensor tensor{std::move(shape), {}};
    std::size_t count = 1;
    for (const std::size_t extent : tensor.shape) count *= extent;
    for (std::size_t i = 0; i < count; ++i)
        tensor.values.push_back(formula_weight(name, tensor, n, i, divisor));
    return tensor;
}

ArchitectureCase read_case(const std::string& name) {
    std::ifstream file(cases / "architectures" / (name + ".txt"));
    REQUIRE(file);
    ArchitectureCase result;
    float divisor = 64;
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        std::string kind;
        words >> kind;
        if (kind == "divisor") words >> divisor;
        if (kind == "image") words >> result.image;
        for (float value = 0; kind == "output" && words >> value;) result.outputs.push_back(value);
        if (kind != "tensor") continue;
        std::string tensor;
        words >> tensor;
        std::vector<std::size_t> shape;
        for (std::size_t extent = 0; words >> extent;) shape.push_back(extent);
        result.tensors[tensor] = formula_tensor(tensor, shape, result.tensors.size(), divisor);
    }
    return result;
}

}  // namespace

TEST_CASE("ONNX models give PyTorch's outputs") {
    for (const char* name : {"activations", "activations_opset11", "pools", "padded_shortcuts",
                             "padded_shortcuts_folded", "perceptron"}) {
        CAPTURE(name);
        check_outputs(import_network(cases / "onnx" / (std::string(name) + ".onnx")),
                      read_outputs(cases / "onnx" / (std::string(name) + ".txt")));
    }
}

TEST_CASE("state dicts of known architectures give PyTorch's outputs") {
    for (const char* name : {"resnet_basic", "resnet_bottleneck", "resnet_groups", "vgg",
                             "vgg_norm", "squeezenet1_0", "squeezenet1_1", "squeezenet_caffe",
                             "mobilenet_v1", "mobilenet_v2", "lenet", "perceptron"}) {
        CAPTURE(name);
        ArchitectureCase reference = read_case(name);
        StateDict tensors(std::string(name) + ".pth", std::move(reference.tensors));
        tensors.set_attribute("input_shape", reference.image);
        check_outputs(build_network(std::move(tensors)), reference.outputs);
    }
}

TEST_CASE("layers of an ONNX model have PyTorch's names, with and without their weights' names") {
    for (const char* name : {"padded_shortcuts", "padded_shortcuts_folded"}) {
        CAPTURE(name);
        const Graph graph(import_network(cases / "onnx" / (std::string(name) + ".onnx")));
        std::vector<std::string> layers;
        for (std::size_t layer = 0; layer < graph.layers().size(); ++layer)
            layers.push_back(graph.layer_name(layer));
        CHECK(layers == std::vector<std::string>{"conv1", "layer1.0.conv1", "layer1.0.conv2",
                                                 "layer2.0.conv1", "layer2.0.conv2", "linear"});
    }
}

TEST_CASE("options for the input replace what a file leaves open") {
    const ImportOptions options{
        .mean = {0.5F, 0.25F}, .deviation = {2, 4}, .input = ImageShape{2, 6, 5}};
    const Network network = import_network(cases / "onnx" / "activations.onnx", options);
    CHECK(network.mean == options.mean);
    CHECK(network.deviation == options.deviation);
    CHECK_FALSE(network.provenance.contains("assumed_normalisation"));
    CHECK_THROWS_WITH_AS(import_network(cases / "onnx" / "activations.onnx",
                                        ImportOptions{.mean = {1}, .deviation = {}, .input = {}}),
                         "mean: 1 values are given for 2 input channels", InvalidInput);
}
