#include "nn/inference.hpp"

#include <fmt/format.h>
#include <tbb/enumerable_thread_specific.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <mutex>
#include <optional>

#include "circuit/error.hpp"

namespace kirchnet {
namespace {

/// Images run together: enough columns for the matrix product, few enough for the cache.
constexpr std::size_t images_per_block = 4;
constexpr std::size_t whole_network = std::numeric_limits<std::size_t>::max();

/// A layer and the batch norm and ReLU right behind it that nobody else reads from within.
struct LayerChain {
    DigitalTail tail;
    std::size_t last_node = 0;  ///< whose map the layer writes
};

/// The only node that reads `node`, or nothing.
std::optional<std::size_t> only_reader(const Graph& graph, std::size_t node) {
    std::optional<std::size_t> reader;
    for (std::size_t i = node + 1; i < graph.size(); ++i)
        for (const auto input : graph.inputs(i)) {
            if (input != node) continue;
            if (reader) return std::nullopt;
            reader = i;
        }
    return reader;
}

LayerChain chain_behind(const Graph& graph, std::size_t node) {
    LayerChain chain{{}, node};
    auto next = only_reader(graph, node);
    if (next && std::holds_alternative<BatchNormOp>(graph.node(*next).operation)) {
        chain.tail.norm = channel_norms(std::get<BatchNormOp>(graph.node(*next).operation));
        chain.last_node = *next;
        next = only_reader(graph, *next);
    }
    if (next && std::holds_alternative<ReluOp>(graph.node(*next).operation)) {
        chain.tail.rectify = true;
        chain.last_node = *next;
    }
    return chain;
}

/// Everything one thread needs to run blocks of images; buffers are reused from block to block.
class BlockRunner {
  public:
    BlockRunner(const Graph& graph, const Drivers& drivers)
        : graph_(graph),
          drivers_(drivers),
          maps_(graph.size()),
          adc_(graph.layers().size()),
          ranges_(graph.layers().size()),
          is_done_by_layer_(graph.size(), false) {
        for (const std::size_t node : graph.layers()) {
            chains_.push_back(chain_behind(graph, node));
            for (std::size_t i = node; i != chains_.back().last_node;) {
                i = *only_reader(graph, i);
                is_done_by_layer_[i] = true;
            }
        }
    }

    /// Runs nodes up to, not including, `last_node` and returns nothing: see `maps`.
    void run(const LabelledImages& images, std::size_t first, std::size_t count, bool observe,
             std::size_t last_node = whole_network) {
        const LayerRunner by_driver = [&](std::size_t layer, const FeatureMaps& in,
                                          FeatureMaps& out, const DigitalTail& tail) {
            run_layer(drivers_[layer], in, out, workspace_, adc_[layer],
                      observe ? &ranges_[layer] : nullptr, tail);
        };
        run(images, first, count, by_driver, last_node);
    }

    /// The same, each layer by `run_one`.
    void run(const LabelledImages& images, std::size_t first, std::size_t count,
             const LayerRunner& run_one, std::size_t last_node = whole_network) {
        std::size_t layer = 0;
        for (std::size_t i = 0; i < std::min(graph_.size(), last_node); ++i) {
            const Node& node = graph_.node(i);
            if (std::holds_alternative<InputOp>(node.operation)) {
                load_images(graph_.network(), images, first, count, maps_[i]);
            } else if (layer < graph_.layers().size() && graph_.layers()[layer] == i) {
                const LayerChain& chain = chains_[layer];
                run_one(layer, maps_[graph_.inputs(i).front()], maps_[chain.last_node], chain.tail);
                ++layer;
            } else if (!is_done_by_layer_[i]) {
                arguments_.clear();
                for (const auto input : graph_.inputs(i)) arguments_.push_back(&maps_[input]);
                apply(node.operation, arguments_, maps_[i]);
            }
        }
    }

    /// The network's outputs for image `i` of the block, [classes].
    [[nodiscard]] std::vector<float> outputs(std::size_t i) const {
        const FeatureMaps& out = maps_.back();
        const std::size_t pixels = out.shape.height * out.shape.width;
        std::vector<float> values(graph_.classes());
        for (std::size_t k = 0; k < values.size(); ++k)
            values[k] = out.channel(k / pixels)[i * pixels + k % pixels];
        return values;
    }

    [[nodiscard]] const FeatureMaps& maps(std::size_t node) const { return maps_[node]; }
    [[nodiscard]] const std::vector<AdcCount>& adc() const { return adc_; }
    [[nodiscard]] const std::vector<LayerRange>& ranges() const { return ranges_; }

  private:
    const Graph& graph_;
    const Drivers& drivers_;
    std::vector<FeatureMaps> maps_;
    std::vector<const FeatureMaps*> arguments_;
    std::vector<AdcCount> adc_;
    std::vector<LayerRange> ranges_;
    std::vector<LayerChain> chains_;      ///< per mapped layer
    std::vector<bool> is_done_by_layer_;  ///< per node
    DriverWorkspace workspace_;
};

using Runners = tbb::enumerable_thread_specific<BlockRunner>;

void check_images(const Graph& graph, const LabelledImages& images) {
    const ImageShape& wanted = graph.network().input;
    if (images.shape != wanted)
        throw InvalidInput(fmt::format("the images are {}x{}x{}, but network {} takes {}x{}x{}",
                                       images.shape.channels, images.shape.height,
                                       images.shape.width, graph.network().name, wanted.channels,
                                       wanted.height, wanted.width));
    const auto classes = static_cast<std::int32_t>(graph.classes());
    for (const auto label : images.labels)
        if (label < 0 || label >= classes)
            throw InvalidInput(fmt::format("an image has label {}, but network {} has {} classes",
                                           label, graph.network().name, classes));
}

/// Runs blocks of images in parallel, calling `done(runner, first, count)` after each.
template <typename Done>
void for_each_block(const LabelledImages& images, Runners& runners, bool observe,
                    const Progress& progress, Done done) {
    const std::size_t blocks = (images.size() + images_per_block - 1) / images_per_block;
    std::mutex mutex;
    std::size_t finished = 0;
    tbb::parallel_for(std::size_t{0}, blocks, [&](std::size_t block) {
        const std::size_t first = block * images_per_block;
        const std::size_t count = std::min(images_per_block, images.size() - first);
        BlockRunner& runner = runners.local();
        runner.run(images, first, count, observe);
        done(runner, first, count);
        const std::scoped_lock lock(mutex);
        finished += count;
        if (progress) progress(finished, images.size());
    });
}

}  // namespace

double InferenceResult::accuracy(const std::vector<std::int32_t>& labels) const {
    if (labels.empty()) return 0;
    std::size_t right = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) right += predicted[i] == labels[i] ? 1 : 0;
    return static_cast<double>(right) / static_cast<double>(labels.size());
}

Drivers software_drivers(const Graph& graph) {
    Drivers drivers;
    for (std::size_t layer = 0; layer < graph.layers().size(); ++layer)
        drivers.push_back(software_driver(graph, layer));
    return drivers;
}

InferenceResult run_inference(const Graph& graph, const Drivers& drivers,
                              const LabelledImages& images, const Progress& progress) {
    check_images(graph, images);
    const auto start = std::chrono::steady_clock::now();
    InferenceResult result;
    result.predicted.resize(images.size());
    Runners runners([&] { return BlockRunner(graph, drivers); });
    for_each_block(images, runners, false, progress,
                   [&](const BlockRunner& runner, std::size_t first, std::size_t count) {
                       for (std::size_t i = 0; i < count; ++i)
                           result.predicted[first + i] = largest_output(runner.outputs(i));
                   });
    result.adc.resize(graph.layers().size());
    for (const BlockRunner& runner : runners)
        for (std::size_t layer = 0; layer < result.adc.size(); ++layer)
            result.adc[layer] += runner.adc()[layer];
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    result.seconds = elapsed.count();
    return result;
}

std::vector<float> network_outputs(const Graph& graph, const LabelledImages& images,
                                   const LayerRunner& run) {
    check_images(graph, images);
    const Drivers none;
    BlockRunner runner(graph, none);
    runner.run(images, 0, images.size(), run);
    std::vector<float> all;
    for (std::size_t i = 0; i < images.size(); ++i) {
        const std::vector<float> outputs = runner.outputs(i);
        all.insert(all.end(), outputs.begin(), outputs.end());
    }
    return all;
}

std::int32_t largest_output(std::span<const float> outputs) {
    return static_cast<std::int32_t>(std::max_element(outputs.begin(), outputs.end()) -
                                     outputs.begin());
}

std::vector<LayerRange> observe_ranges(const Graph& graph, const Drivers& drivers,
                                       const LabelledImages& images, const Progress& progress) {
    check_images(graph, images);
    Runners runners([&] { return BlockRunner(graph, drivers); });
    for_each_block(images, runners, true, progress,
                   [](const BlockRunner&, std::size_t, std::size_t) {});
    std::vector<LayerRange> ranges(graph.layers().size());
    for (const BlockRunner& runner : runners)
        for (std::size_t layer = 0; layer < ranges.size(); ++layer)
            ranges[layer].merge(runner.ranges()[layer]);
    return ranges;
}

std::vector<float> layer_inputs(const Graph& graph, const Drivers& drivers,
                                const LabelledImages& images, std::size_t image, std::size_t layer,
                                std::size_t group, std::size_t position) {
    check_images(graph, images);
    const LayerGeometry geometry = graph.geometry(layer);
    if (image >= images.size())
        throw InvalidInput(fmt::format("image {}", image),
                           fmt::format("the data set has {} images", images.size()));
    if (group >= geometry.groups || position >= geometry.positions())
        throw InvalidInput(
            fmt::format("position {} of layer {}", position, graph.layer_name(layer)),
            fmt::format("the layer has {} output positions in each of {} groups",
                        geometry.positions(), geometry.groups));
    BlockRunner runner(graph, drivers);
    const std::size_t node = graph.layers()[layer];
    runner.run(images, image, 1, false, node);
    std::vector<float> patches;
    gather_patches(geometry, runner.maps(graph.inputs(node).front()), group, 0,
                   geometry.rows_per_group(), patches);
    std::vector<float> column(geometry.rows_per_group());
    for (std::size_t row = 0; row < column.size(); ++row)
        column[row] = patches[row * geometry.positions() + position];
    return column;
}

}  // namespace kirchnet
