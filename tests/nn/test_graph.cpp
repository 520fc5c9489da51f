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
