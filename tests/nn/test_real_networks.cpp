// Trained networks on real images; needs KIRCHNET_TEST_DATA.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

#include "circuit/ideal_solver.hpp"
#include "data/import.hpp"
#include "data/network_file.hpp"
#include "data/pruning.hpp"
#include "nn/comparison.hpp"

using namespace kirchnet;

namespace {

std::filesystem::path test_data() {
    const char* folder = std::getenv("KIRCHNET_TEST_DATA");
    if (folder == nullptr) MESSAGE("skipped: KIRCHNET_TEST_DATA is not set");
    return folder == nullptr ? "" : folder;
}

Graph import(const std::filesystem::path& data, const std::string& name, double prune = 0) {
    Network network = import_network(data / "networks" / name);
    prune_by_magnitude(network, prune);
    return Graph(std::move(network));
}

}  // namespace

TEST_CASE("imported networks reach the accuracy their authors measured") {
    const auto data = test_data();
    if (data.empty()) return;
    const auto images = read_test_images(data / "cifar10");
    const auto accuracy = [&](const std::string& name) {
        const Graph graph = import(data, name);
        return 100 * run_inference(graph, software_drivers(graph), images).accuracy(images.labels);
    };
    // Measured by others in float32 on the same 10,000 images; ± 0.02 allows two rounding ties.
    CHECK(std::abs(accuracy("cifar10_resnet20_optA.h5") - 91.73) <= 0.02);
    CHECK(std::abs(accuracy("cifar10_resnet20_optB.h5") - 90.65) <= 0.02);
}

TEST_CASE("a pruned ResNet-20 without wires, converters and faults agrees on every image") {
    const auto data = test_data();
    if (data.empty()) return;
    const Graph graph = import(data, "cifar10_resnet20_optA.h5", 0.5);
    const auto images = subset(read_test_images(data / "cifar10"), 0, 500);
    const auto software = run_inference(graph, software_drivers(graph), images);
    ComparisonSettings settings;
    settings.tile.array = {64, 64};
    settings.tile.weight_bits = 0;
    settings.converters = {0, 0, Operators::ideal};
    ComparisonObserver observer;
    std::size_t arms = 0;
    observer.finished = [&](const ArmResult& arm) {
        ++arms;
        CAPTURE(to_string(arm.mapping));
        CHECK(arm.inference.predicted == software.predicted);
    };
    run_comparison(
        graph, images, subset(images, 0, 8), settings,
        [] { return std::make_unique<IdealSolver>(); }, observer);
    CHECK(arms == 6);
}

TEST_CASE("ImageNet networks reach the top-1 accuracy measured elsewhere") {
    const auto data = test_data();
    if (data.empty()) return;
    const auto accuracy = [&](const std::string& name) {
        const Graph graph = import(data, name);
        const auto images = read_test_images(data / "imagenet1000", graph.network().input);
        REQUIRE(images.size() == 1000);
        return 100 * run_inference(graph, software_drivers(graph), images).accuracy(images.labels);
    };
    // Another program, float32, the same 1,000 images; 0.2 is two images.
    CHECK(std::abs(accuracy("imagenet_resnet18_pq_small.h5") - 74.9) <= 0.2);
    CHECK(std::abs(accuracy("imagenet_squeezenet10_pruned.h5") - 61.2) <= 0.2);
}

TEST_CASE("YOLO-Fastest reaches the mean average precision measured elsewhere") {
    const auto data = test_data();
    if (data.empty()) return;
    const Graph graph(import_darknet(data / "coco128" / "yolo-fastest-1.1-xl.cfg",
                                     data / "networks" / "coco_yolo_fastest_1.1_xl.h5"));
    const auto images = read_test_images(data / "coco128", graph.network().input);
    REQUIRE(images.size() == 128);
    const auto result = run_inference(graph, software_drivers(graph), images);
    // 44.34 % in another program, float32; 0.3 for another JPEG decoder and its resizing.
    CHECK(std::abs(100 * score(result, images) - 44.34) <= 0.3);
}
