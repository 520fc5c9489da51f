#include <doctest/doctest.h>
#include <tbb/global_control.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "circuit/ideal_solver.hpp"
#include "nn/inference.hpp"
#include "small_networks.hpp"

// GCC 12 takes `free` for the end of memory that `operator new` below got from aligned_alloc.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace {

std::atomic<std::size_t> allocations{0};

void* counted(std::size_t size, std::size_t alignment) {
    ++allocations;
    const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
    if (void* const memory = std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded))
        return memory;
    throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t size) {
    return counted(size, alignof(std::max_align_t));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return counted(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t /*size*/) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::align_val_t /*alignment*/) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t /*size*/, std::align_val_t /*alignment*/) noexcept {
    std::free(memory);
}

using namespace kirchnet;

namespace {

BatchNormOp norm(std::size_t channels) {
    const auto constant = [&](float value) {
        return Tensor{{channels}, std::vector<float>(channels, value)};
    };
    return {constant(1), constant(0.5F), constant(0), constant(1)};
}

/// Every operation there is, and a batch norm that no layer takes along.
Network many_operations() {
    Network network;
    network.name = "many operations";
    network.input = {2, 12, 10};
    network.mean = {0.5F, 0.25F};
    network.deviation = {0.25F, 0.5F};
    const ConvOp first{test::random_tensor({4, 2, 3, 3}, 1), {}, 1, 1, 1};
    const ConvOp second{test::random_tensor({4, 4, 3, 3}, 2), {}, 1, 1, 1};
    const ConvOp strided{test::random_tensor({8, 4, 3, 3}, 3), {}, 2, 1, 1};
    const LinearOp classify{test::random_tensor({3, 8 * 3 * 2}, 4), test::random_tensor({3}, 5)};
    network.nodes = {{"image", InputOp{}, {}},
                     {"first", first, {"image"}},
                     {"first.bn", norm(4), {"first"}},
                     {"first.relu", ReluOp{}, {"first.bn"}},
                     {"second", second, {"first.relu"}},
                     {"add", AddOp{}, {"second", "first.relu"}},
                     {"add.relu", ReluOp{}, {"add"}},
                     {"strided", strided, {"add.relu"}},
                     {"shortcut", PadShortcutOp{2, 8}, {"add.relu"}},
                     {"sum", AddOp{}, {"strided", "shortcut"}},
                     {"pool", PoolOp{PoolOp::Kind::maximum, 2, 2, 0}, {"sum"}},
                     {"pool.bn", norm(8), {"pool"}},
                     {"pool.relu", ReluOp{}, {"pool.bn"}},
                     {"classify", classify, {"pool.relu"}}};
    return network;
}

Drivers converted(const Graph& graph, Mapping mapping) {
    TileSettings tile;
    tile.mapping = mapping;
    tile.array = {16, 16};
    auto operators = extract_operators(graph, tile, std::nullopt,
                                       [] { return std::make_unique<IdealSolver>(); });
    Drivers drivers;
    for (std::size_t layer = 0; layer < operators.size(); ++layer) {
        drivers.push_back(crossbar_driver(graph, layer, std::move(operators[layer])));
        set_dac(drivers.back(), {8, 4.0, true});
        drivers.back().adc = {{8, 4.0, true}};
    }
    return drivers;
}

std::size_t allocations_of_run(const Graph& graph, const Drivers& drivers,
                               const LabelledImages& images) {
    const std::size_t before = allocations;
    (void)run_inference(graph, drivers, images);
    return allocations - before;
}

}  // namespace

TEST_CASE("inference allocates for the run, not for its images") {
    const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
    const Graph graph(many_operations());
    const auto few = test::random_images(graph.network().input, 2 * images_per_block);
    const auto many = test::random_images(graph.network().input, 20 * images_per_block);
    const auto check = [&](const Drivers& drivers) {
        (void)run_inference(graph, drivers, few);  // what the libraries set up once
        const std::size_t of_few = allocations_of_run(graph, drivers, few);
        CHECK(of_few > 0);
        CHECK(allocations_of_run(graph, drivers, many) == of_few);
    };
    SUBCASE("software") {
        check(software_drivers(graph));
    }
    SUBCASE("pairs") {
        check(converted(graph, Mapping::two_column));
    }
    SUBCASE("offset, which sums inputs too") {
        check(converted(graph, Mapping::offset));
    }
}
