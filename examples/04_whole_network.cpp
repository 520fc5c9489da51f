// The embedded digit network on 200 images: software, idealised crossbars, real circuits.
//
//   build/release/bin/example_04_whole_network        (from the project's root folder)
#include <fmt/format.h>

#include "data/network_file.hpp"
#include "nn/comparison.hpp"
#include "solver/transfer_solver.hpp"

using namespace kirchnet;

int main() {
    const Graph graph(read_network("data/embedded/digits.h5"));
    const auto images = subset(read_test_images("data/embedded/digits-images.h5"), 0, 200);
    const auto calibration = read_calibration_images("data/embedded/digits-images.h5", 64);

    const auto software = run_inference(graph, software_drivers(graph), images);
    fmt::print("software: {:.1f} %\n", 100 * software.accuracy(images.labels));

    ComparisonSettings settings;
    settings.tile.array = {64, 64};
    settings.tile.wires.word_line_segment = 1.0;  // [ohm]
    settings.tile.wires.bit_line_segment = 1.0;
    ComparisonObserver observer;
    observer.finished = [&](const ArmResult& arm) {
        fmt::print("{} {}: {:.1f} %\n", to_string(arm.mapping), to_string(arm.operators),
                   100 * arm.inference.accuracy(images.labels));
    };
    run_comparison(
        graph, images, *calibration, settings, [] { return std::make_unique<TransferSolver>(); },
        observer);
}
