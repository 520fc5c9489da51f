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
#include "nn/detail/map_slots.hpp"

namespace kirchnet {
namespace {

constexpr std::size_t whole_network = std::numeric_limits<std::size_t>::max();

/// A layer and the batch norm, sum and activation right behind it that nobody else reads from
/// within.
struct LayerChain {
    DigitalTail tail;
    std::optional<std::size_t> addend;  ///< node whose map the sum takes in
    std::size_t last_node = 0;          ///< whose map the layer writes
};

bool is_output(const Graph& graph, std::size_t node) {
    const auto& outputs = graph.outputs();
    return std::find(outputs.begin(), outputs.end(), node) != outputs.end();
}

/// The only node that reads `node`, or nothing; an output of the network is read from outside too.
std::optional<std::size_t> only_reader(const Graph& graph, std::size_t node) {
    if (is_output(graph, node)) return std::nullopt;
    std::optional<std::size_t> reader;
    for (std::size_t i = node + 1; i < graph.size(); ++i)
        for (const auto input : graph.inputs(i)) {
            if (input != node) continue;
            if (reader) return std::nullopt;
            reader = i;
        }
    return reader;
}

/// What a sum adds to `node`, where that is at hand before the layer `node` stands behind is run.
std::optional<std::size_t> ready_addend(const Graph& graph, std::size_t sum, std::size_t node,
                                        std::size_t layer) {
    const std::vector<std::size_t>& inputs = graph.inputs(sum);
    const std::size_t other = inputs[0] == node ? inputs[1] : inputs[0];
    return other < layer ? std::optional(other) : std::nullopt;
}

LayerChain chain_behind(const Graph& graph, std::size_t node) {
    LayerChain chain{{}, std::nullopt, node};
    auto next = only_reader(graph, node);
    if (next && std::holds_alternative<BatchNormOp>(graph.node(*next).operation)) {
        chain.tail.norm = channel_norms(std::get<BatchNormOp>(graph.node(*next).operation));
        chain.last_node = *next;
        next = only_reader(graph, *next);
    }
    if (next && std::holds_alternative<AddOp>(graph.node(*next).operation)) {
        chain.addend = ready_addend(graph, *next, chain.last_node, node);
        if (!chain.addend) return chain;
        chain.last_node = *next;
        next = only_reader(graph, *next);
    }
    if (!next) return chain;
    const Operation& operation = graph.node(*next).operation;
    chain.tail.rectify = std::holds_alternative<ReluOp>(operation);
    if (const auto* activation = std::get_if<ActivationOp>(&operation))
        chain.tail.activation = *activation;
    if (chain.tail.rectify || chain.tail.activation) chain.last_node = *next;
    return chain;
}

/// Everything one thread needs to run blocks of images; buffers are reused from block to block.
class BlockRunner {
  public:
    BlockRunner(const Graph& graph, const Drivers& drivers, Observed kept = Observed::largest,
                const LayerVisitor* visit = nullptr)
        : graph_(graph),
          drivers_(drivers),
          visit_(visit),
          adc_(graph.layers().size()),
          ranges_(graph.layers().size()),
          done_by_(graph.size()) {
        for (LayerRange& range : ranges_) range.keeps_histograms = kept == Observed::histograms;
        for (const std::size_t node : graph.layers()) {
            chains_.push_back(chain_behind(graph, node));
            for (std::size_t i = node; i != chains_.back().last_node;) {
                i = *only_reader(graph, i);
                done_by_[i] = node;
            }
        }
        slots_ = detail::share_slots(map_lives());
        maps_.resize(1 + *std::max_element(slots_.begin(), slots_.end()));
        for (LayerChain& chain : chains_)
            if (chain.addend) chain.tail.addend = &map(*chain.addend);
    }
    BlockRunner(BlockRunner&&) = default;  // tails point into `maps_`, whose memory moves along

    /// Runs nodes up to, not including, `last_node` and returns nothing: see `maps`.
    void run(const LabelledImages& images, std::size_t first, std::size_t count, bool observe,
             std::size_t last_node = whole_network) {
        const auto by_driver = [&](std::size_t layer, const FeatureMaps& in, FeatureMaps& out,
                                   const DigitalTail& tail) {
            if (visit_ != nullptr) (*visit_)(layer, in);
            run_layer(drivers_[layer], in, out, workspace_, adc_[layer],
                      observe ? &ranges_[layer] : nullptr, tail);
        };
        run_by(by_driver, images, first, count, last_node);
    }

    /// The same, each layer by `run_one`, a `LayerRunner`.
    template <typename RunOne>
    void run_by(const RunOne& run_one, const LabelledImages& images, std::size_t first,
                std::size_t count, std::size_t last_node = whole_network) {
        workspace_.set_first_image(first);
        std::size_t layer = 0;
        for (std::size_t i = 0; i < std::min(graph_.size(), last_node); ++i) {
            const Node& node = graph_.node(i);
            if (std::holds_alternative<InputOp>(node.operation)) {
                load_images(graph_.network(), images, first, count, map(i));
            } else if (layer < graph_.layers().size() && graph_.layers()[layer] == i) {
                const LayerChain& chain = chains_[layer];
                run_one(layer, map(graph_.inputs(i).front()), map(chain.last_node), chain.tail);
                ++layer;
            } else if (!done_by_[i]) {
                arguments_.clear();
                for (const auto input : graph_.inputs(i)) arguments_.push_back(&map(input));
                apply(node.operation, arguments_, map(i));
            }
        }
    }

    /// The network's outputs for image `i` of the block, [classes]; valid until the next call.
    [[nodiscard]] std::span<const float> outputs(std::size_t i) {
        const FeatureMaps& out = maps(graph_.size() - 1);
        const std::size_t pixels = out.shape.height * out.shape.width;
        outputs_.resize(graph_.classes());
        for (std::size_t k = 0; k < outputs_.size(); ++k)
            outputs_[k] = out.channel(k / pixels)[i * pixels + k % pixels];
        return outputs_;
    }

    /// What a detector found in image `i` of the block.
    [[nodiscard]] Detections detections(std::size_t i) const {
        std::vector<const FeatureMaps*> heads;
        for (const std::size_t node : graph_.outputs()) heads.push_back(&maps(node));
        return find_objects(graph_.network(), heads, i);
    }

    /// A node's output, until it has been read for the last time.
    [[nodiscard]] const FeatureMaps& maps(std::size_t node) const { return maps_[slots_[node]]; }
    [[nodiscard]] const std::vector<AdcCount>& adc() const { return adc_; }
    [[nodiscard]] const std::vector<LayerRange>& ranges() const { return ranges_; }

  private:
    [[nodiscard]] FeatureMaps& map(std::size_t node) { return maps_[slots_[node]]; }

    /// The step at which a node is run: its layer's, where one does it.
    [[nodiscard]] std::size_t step(std::size_t node) const { return done_by_[node].value_or(node); }

    [[nodiscard]] std::vector<detail::MapLife> map_lives() const {
        std::vector<detail::MapLife> lives(graph_.size());
        for (std::size_t i = 0; i < lives.size(); ++i) {
            lives[i] = {graph_.shape(i).size(), step(i), 0};
            for (const auto input : graph_.inputs(i))
                lives[input].last_read = std::max(lives[input].last_read, step(i));
        }
        for (const LayerChain& chain : chains_)
            for (std::size_t i = step(chain.last_node); i != chain.last_node;
                 i = *only_reader(graph_, i))
                lives[i].size = 0;
        for (const auto output : graph_.outputs()) lives[output].last_read = whole_network;
        return lives;
    }

    const Graph& graph_;
    const Drivers& drivers_;
    const LayerVisitor* visit_;
    std::vector<FeatureMaps> maps_;  ///< per slot
    std::vector<const FeatureMaps*> arguments_;
    std::vector<float> outputs_;  ///< [classes] of one image
    std::vector<AdcCount> adc_;
    std::vector<LayerRange> ranges_;
    std::vector<LayerChain> chains_;                   ///< per mapped layer
    std::vector<std::optional<std::size_t>> done_by_;  ///< per node: the layer it is a tail of
    std::vector<std::size_t> slots_;                   ///< per node
    DriverWorkspace workspace_;
};

using Runners = tbb::enumerable_thread_specific<BlockRunner>;

void check_labels(const Graph& graph, const LabelledImages& images) {
    if (graph.is_detector() != !images.objects.empty())
        throw InvalidInput(
            fmt::format("network {} finds {}, but the images come with {}", graph.network().name,
                        graph.is_detector() ? "objects in boxes" : "a class per image",
                        graph.is_detector() ? "a class each" : "objects in boxes"));
    const auto classes = static_cast<std::int32_t>(graph.classes());
    const auto check = [&](std::int32_t label) {
        if (label < 0 || label >= classes)
            throw InvalidInput(fmt::format("an image has label {}, but network {} has {} classes",
                                           label, graph.network().name, classes));
    };
    if (!graph.is_detector()) std::for_each(images.labels.begin(), images.labels.end(), check);
    for (const auto& objects : images.objects)
        for (const LabelledObject& object : objects) check(object.label);
}

void check_images(const Graph& graph, const LabelledImages& images) {
    const ImageShape& wanted = graph.network().input;
    if (images.shape != wanted)
        throw InvalidInput(fmt::format("the images are {}x{}x{}, but network {} takes {}x{}x{}",
                                       images.shape.channels, images.shape.height,
                                       images.shape.width, graph.network().name, wanted.channels,
                                       wanted.height, wanted.width));
    check_labels(graph, images);
}

/// Outputs of all images of a block, [images × classes].
std::vector<float> all_outputs(BlockRunner& runner, std::size_t images) {
    std::vector<float> all;
    for (std::size_t i = 0; i < images; ++i) {
        const std::span<const float> outputs = runner.outputs(i);
        all.insert(all.end(), outputs.begin(), outputs.end());
    }
    return all;
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

double score(const InferenceResult& result, const LabelledImages& images) {
    return images.objects.empty() ? result.accuracy(images.labels)
                                  : mean_average_precision(result.detections, images.objects);
}

double agreement(const InferenceResult& a, const InferenceResult& b) {
    return a.detections.empty() ? a.accuracy(b.predicted)
                                : detection_agreement(a.detections, b.detections);
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
    const bool detects = graph.is_detector();
    result.predicted.assign(images.size(), LabelledImages::no_class);
    result.detections.resize(detects ? images.size() : 0);
    Runners runners([&] { return BlockRunner(graph, drivers); });
    for_each_block(images, runners, false, progress,
                   [&](BlockRunner& runner, std::size_t first, std::size_t count) {
                       for (std::size_t i = 0; i < count; ++i)
                           if (detects)
                               result.detections[first + i] = runner.detections(i);
                           else
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

std::vector<float> network_outputs(const Graph& graph, const Drivers& drivers,
                                   const LabelledImages& images) {
    check_images(graph, images);
    BlockRunner runner(graph, drivers);
    runner.run(images, 0, images.size(), false);
    return all_outputs(runner, images.size());
}

std::vector<float> network_outputs(const Graph& graph, const LabelledImages& images,
                                   const LayerRunner& run) {
    check_images(graph, images);
    const Drivers none;
    BlockRunner runner(graph, none);
    runner.run_by(run, images, 0, images.size());
    return all_outputs(runner, images.size());
}

void visit_layers(const Graph& graph, const Drivers& drivers, const LabelledImages& images,
                  const LayerVisitor& visit, const Progress& progress) {
    check_images(graph, images);
    Runners runners([&] { return BlockRunner(graph, drivers, Observed::largest, &visit); });
    for_each_block(images, runners, false, progress,
                   [](const BlockRunner&, std::size_t, std::size_t) {});
}

std::int32_t largest_output(std::span<const float> outputs) {
    return static_cast<std::int32_t>(std::max_element(outputs.begin(), outputs.end()) -
                                     outputs.begin());
}

std::vector<LayerRange> observe_ranges(const Graph& graph, const Drivers& drivers,
                                       const LabelledImages& images, const Progress& progress,
                                       Observed kept) {
    check_images(graph, images);
    Runners runners([&] { return BlockRunner(graph, drivers, kept); });
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
                                std::size_t group, std::size_t position, std::size_t groups) {
    check_images(graph, images);
    const LayerGeometry geometry = graph.geometry(layer);
    if (image >= images.size())
        throw InvalidInput(fmt::format("image {}", image),
                           fmt::format("the data set has {} images", images.size()));
    if (group >= geometry.groups || groups > geometry.groups - group ||
        position >= geometry.positions())
        throw InvalidInput(
            fmt::format("position {} of layer {}", position, graph.layer_name(layer)),
            fmt::format("the layer has {} output positions in each of {} groups",
                        geometry.positions(), geometry.groups));
    BlockRunner runner(graph, drivers);
    const std::size_t node = graph.layers()[layer];
    runner.run(images, image, 1, false, node);
    std::vector<float> patches;
    gather_patches(geometry, runner.maps(graph.inputs(node).front()), group, 0,
                   groups * geometry.rows_per_group(), patches);
    std::vector<float> column(groups * geometry.rows_per_group());
    for (std::size_t row = 0; row < column.size(); ++row)
        column[row] = patches[row * geometry.positions() + position];
    return column;
}

}  // namespace kirchnet
