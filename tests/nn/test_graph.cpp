#include <doctest/doctest.h>

#include <limits>

#include "circuit/error.hpp"
#include "nn/graph.hpp"
#include "small_networks.hpp"

using namespace kirchnet;
using doctest::Contains;

namespace {

/// The message `Graph` refuses a network with.
std::string refusal(const Network& network) {
    try {
        const Graph graph(network);
    } catch (const InvalidInput& error) {
        return error.what();
    }
    return "accepted";
}

bool refuses(const Network& network, const std::string& words) {
    return refusal(network).find(words) != std::string::npos;
}

template <typename Op>
Op& operation(Network& network, std::size_t node) {
    return std::get<Op>(network.nodes[node].operation);
}

}  // namespace

TEST_CASE("shapes follow from kernels, strides, padding and groups") {
    const Graph graph(test::small_network());
    // (6 + 2 - 3) / 2 + 1 = 3 high, (5 + 2 - 2) / 2 + 1 = 3 wide
    CHECK(graph.shape(1) == ImageShape{4, 3, 3});
    CHECK(graph.shape(3) == ImageShape{6, 3, 2});
    CHECK(graph.shape(4) == ImageShape{3, 1, 1});
    CHECK(graph.classes() == 3);
    CHECK(graph.layers() == std::vector<std::size_t>{1, 3, 4});
}

TEST_CASE("a layer is found by name, and a wrong name lists the right ones") {
    const Graph graph(test::small_network());
    CHECK(graph.find_layer("grouped") == 1);
    CHECK_THROWS_WITH_AS((void)graph.find_layer("relu"), Contains("first, grouped, classify"),
                         InvalidInput);
}

TEST_CASE("a fully connected layer is a convolution over the whole input") {
    const LayerGeometry geometry = Graph(test::small_network()).geometry(2);
    CHECK(geometry.kernel_height == 3);
    CHECK(geometry.kernel_width == 2);
    CHECK(geometry.rows_per_group() == 36);
    CHECK(geometry.positions() == 1);
}

TEST_CASE("what does not fit is refused with the node's name") {
    Network network = test::small_network();
    SUBCASE("an input that is no earlier node") {
        network.nodes[2].inputs = {"classify"};
        CHECK(refuses(network, "node relu"));
    }
    SUBCASE("two nodes of one name") {
        network.nodes[2].name = "first";
        CHECK(refuses(network, "second node"));
    }
    SUBCASE("a weight of another shape") {
        operation<ConvOp>(network, 1).weight = test::random_tensor({4, 3, 3, 2}, 1);
        CHECK(refuses(network, "node first: weight has shape [4, 3, 3, 2]"));
    }
    SUBCASE("fewer values than the shape says") {
        operation<ConvOp>(network, 1).weight.values.pop_back();
        CHECK(refuses(network, "47 values, expected 48"));
    }
    SUBCASE("a weight that is not finite") {
        operation<LinearOp>(network, 4).weight.values[5] = std::numeric_limits<float>::quiet_NaN();
        CHECK(refuses(network, "node classify"));
    }
    SUBCASE("a kernel larger than its input") {
        operation<ConvOp>(network, 1).weight = test::random_tensor({4, 2, 9, 2}, 1);
        CHECK(refuses(network, "does not fit"));
    }
    SUBCASE("groups that do not divide the channels") {
        operation<ConvOp>(network, 3).groups = 3;
        CHECK(refuses(network, "3 groups"));
    }
    SUBCASE("a stride of nothing") {
        operation<ConvOp>(network, 1).stride = 0;
        CHECK(refuses(network, "stride"));
    }
    SUBCASE("a sum of two shapes") {
        network.nodes[4] = {"sum", AddOp{}, {"relu", "grouped"}};
        CHECK(refuses(network, "adds 4x3x3 to 6x3x2"));
    }
    SUBCASE("no nodes, no image, no normalisation") {
        network.nodes.clear();
        CHECK(refuses(network, "no nodes"));
        network.mean.pop_back();
        CHECK(refuses(network, "mean and deviation"));
        network.input = {};
        CHECK(refuses(network, "input shape"));
    }
    SUBCASE("as it was, it is accepted") {
        CHECK(refusal(network) == "accepted");
    }
}

namespace {

/// A 3 x 6 x 5 image through one node that reads it `times` times.
Network one_node(const Operation& operation, std::size_t times = 1) {
    Network network;
    network.name = "one";
    network.input = {3, 6, 5};
    network.mean.assign(3, 0.0F);
    network.deviation.assign(3, 1.0F);
    network.nodes = {{"image", InputOp{}, {}},
                     {"node", operation, std::vector<std::string>(times, "image")}};
    return network;
}

ImageShape shape_behind(const Operation& operation, std::size_t times = 1) {
    return Graph(one_node(operation, times)).shape(1);
}

PoolOp largest(std::size_t kernel, std::size_t stride, std::size_t padding, std::size_t extra) {
    return {PoolOp::Kind::maximum, kernel, stride, padding, extra};
}

/// Two heads of 2 classes: one with 1 anchor on the image, one with 2 on its concatenation.
Network two_heads() {
    Network network = one_node(ConcatOp{}, 2);
    network.input = {7, 6, 5};
    network.mean.assign(7, 0.0F);
    network.deviation.assign(7, 1.0F);
    network.detection_classes = 2;
    network.heads = {{"node", {{1, 2}, {3, 4}}, 1}, {"image", {{5, 6}}, 1.1F}};
    return network;
}

}  // namespace

TEST_CASE("shapes behind operators without weights") {
    CHECK(shape_behind(ActivationOp{}) == ImageShape{3, 6, 5});
    CHECK(shape_behind(ConcatOp{}, 3) == ImageShape{9, 6, 5});
    CHECK(shape_behind(SliceOp{1, 2}) == ImageShape{2, 6, 5});
    CHECK(shape_behind(UpsampleOp{2}) == ImageShape{3, 12, 10});
    // (6 + 1 - 3) / 2 + 1 = 3 and (5 + 1 - 3) / 2 + 1 = 2
    CHECK(shape_behind(largest(3, 2, 0, 1)) == ImageShape{3, 3, 2});
    CHECK(shape_behind(largest(2, 1, 0, 1)) == ImageShape{3, 6, 5});
    CHECK(shape_behind(largest(5, 1, 2, 0)) == ImageShape{3, 6, 5});
}

TEST_CASE("operators without weights are refused where they do not fit") {
    CHECK(refuses(one_node(SliceOp{2, 2}), "takes 2 channels from 2 on, its input has 3"));
    CHECK(refuses(one_node(SliceOp{0, 0}), "takes 0 channels"));
    CHECK(refuses(one_node(UpsampleOp{0}), "the factor 0"));
    CHECK(refuses(one_node(UpsampleOp{65}), "the factor 65"));
    CHECK(refuses(one_node(largest(2, 2, 1, 1)), "in the padding alone"));
    CHECK(refuses(one_node(ConcatOp{}, 0), "has 0 inputs"));
    const float infinity = std::numeric_limits<float>::infinity();
    CHECK(refuses(one_node(ActivationOp{ActivationOp::Kind::leaky_relu, infinity}), "slope"));
    Network network = one_node(largest(2, 2, 0, 0));
    network.nodes.push_back({"both", ConcatOp{}, {"image", "node"}});
    CHECK(refuses(network, "node both: concatenates 3x6x5 and 3x3x2"));
}

TEST_CASE("a detector's outputs are those its heads name") {
    const Graph graph(two_heads());
    CHECK(graph.is_detector());
    CHECK(graph.classes() == 2);
    CHECK(graph.outputs() == std::vector<std::size_t>{1, 0});
}

TEST_CASE("heads that do not fit their maps are refused") {
    Network network = two_heads();
    SUBCASE("channels for other classes") {
        network.detection_classes = 3;
        CHECK(refuses(network, "2 anchors of 3 classes need 16 channels, its map has 14"));
    }
    SUBCASE("no classes") {
        network.detection_classes = 0;
        CHECK(refuses(network, "of 0 classes"));
    }
    SUBCASE("a node that is missing") {
        network.heads[0].node = "ghost";
        CHECK(refuses(network, "reads node ghost"));
    }
    SUBCASE("an anchor without extent") {
        network.heads[1].anchors[0].width = 0;
        CHECK(refuses(network, "an anchor of 0 x 6 pixels"));
    }
    SUBCASE("a scale below 1") {
        network.heads[1].scale_xy = 0.5F;
        CHECK(refuses(network, "scale_xy 0.5"));
    }
}
