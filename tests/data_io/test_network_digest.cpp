#include <doctest/doctest.h>

#include "data/network_digest.hpp"
#include "data/network_file.hpp"
#include "tests/scratch_folder.hpp"

using namespace kirchnet;

namespace {

Network small() {
    Network network;
    network.name = "small";
    network.input = {1, 4, 4};
    network.mean = {0.5F};
    network.deviation = {0.25F};
    ConvOp conv;
    conv.weight = {{2, 1, 1, 1}, {0.5F, -0.25F}};
    network.nodes = {{"image", InputOp{}, {}},
                     {"conv", conv, {"image"}},
                     {"relu", ReluOp{}, {"conv"}},
                     {"pool", PoolOp{}, {"relu"}}};
    return network;
}

}  // namespace

TEST_CASE("names, provenance and a file's journey leave a network's digest alone") {
    const test::ScratchFolder folder;
    Network other = small();
    other.name = "other";
    other.provenance["source"] = "elsewhere";
    CHECK(digest_of(other) == digest_of(small()));
    write_network(folder / "n.h5", small());
    CHECK(digest_of(read_network(folder / "n.h5")) == digest_of(small()));
    CHECK(digest_of(small()).size() == 32);
}

TEST_CASE("whatever changes what a network computes changes its digest") {
    const auto differs = [](const auto& change) {
        Network network = small();
        change(network);
        return digest_of(network) != digest_of(small());
    };
    CHECK(differs([](Network& n) { std::get<ConvOp>(n.nodes[1].operation).weight.values[1] = 0; }));
    CHECK(differs([](Network& n) { std::get<ConvOp>(n.nodes[1].operation).stride = 2; }));
    CHECK(differs([](Network& n) { std::get<PoolOp>(n.nodes[3].operation).kernel = 2; }));
    CHECK(differs([](Network& n) { n.nodes[2].operation = ActivationOp{}; }));
    CHECK(differs([](Network& n) { n.nodes[3].inputs = {"conv"}; }));
    CHECK(differs([](Network& n) { n.mean = {0}; }));
    CHECK(differs([](Network& n) { n.input.width = 8; }));
}
