#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>

#include "data/dataset.hpp"
#include "data/network_file.hpp"
#include "nn/training/trainer.hpp"

using namespace kirchnet;

namespace {

const std::filesystem::path folder = KIRCHNET_EMBEDDED;

}  // namespace

TEST_CASE("the embedded network is pruned to at least 60 % in every layer") {
    const auto layers = sparsity_of(read_network(folder / "digits.h5"));
    REQUIRE(layers.size() == 5);
    for (const LayerSparsity& layer : layers) {
        INFO(layer.layer);
        CHECK(layer.fraction() >= 0.6);
        CHECK(layer.fraction() < 0.9);
    }
}

TEST_CASE("the embedded network recognises its test images as its file says") {
    const auto network = read_network(folder / "digits.h5");
    const auto images = read_test_images(folder / "digits-images.h5");
    const double accuracy = classification_accuracy(network, images);
    CHECK(accuracy >= 0.97);
    // Rounding may turn a single image on another processor.
    CHECK(accuracy == doctest::Approx(std::stod(network.provenance.at("accuracy"))).epsilon(1e-3));
}

TEST_CASE("the embedded network says where it comes from") {
    const auto provenance = read_network(folder / "digits.h5").provenance;
    CHECK(provenance.at("licence") == "MIT");
    CHECK(provenance.at("seed") == "1");
    CHECK(provenance.count("images") == 1);
}

TEST_CASE("the embedded files stay small") {
    const auto size = std::filesystem::file_size(folder / "digits.h5") +
                      std::filesystem::file_size(folder / "digits-images.h5");
    CHECK(size < 4'000'000);
}
