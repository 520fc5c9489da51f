#pragma once

#include <vector>

#include "nn/inference.hpp"

namespace kirchnet::test {

/// Values of the network's last node, image by image, as software computes them.
inline std::vector<float> software_outputs(const Graph& graph, const LabelledImages& images) {
    const Drivers drivers = software_drivers(graph);
    std::vector<FeatureMaps> maps(graph.size());
    DriverWorkspace workspace;
    AdcCount count;
    load_images(graph.network(), images, 0, images.size(), maps[0]);
    std::size_t layer = 0;
    for (std::size_t i = 1; i < graph.size(); ++i) {
        std::vector<const FeatureMaps*> inputs;
        for (const std::size_t input : graph.inputs(i)) inputs.push_back(&maps[input]);
        if (layer < drivers.size() && graph.layers()[layer] == i)
            run_layer(drivers[layer++], *inputs[0], maps[i], workspace, count);
        else
            apply(graph.node(i).operation, inputs, maps[i]);
    }
    std::vector<float> outputs;
    for (std::size_t image = 0; image < images.size(); ++image)
        for (std::size_t c = 0; c < maps.back().shape.channels; ++c)
            outputs.push_back(maps.back().channel(c)[image]);
    return outputs;
}

}  // namespace kirchnet::test
