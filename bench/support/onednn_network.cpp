// The interface is that of oneDNN 2 (Debian 12).
#include "bench/support/onednn_network.hpp"

#include <algorithm>
#include <map>
#include <oneapi/dnnl/dnnl.hpp>
#include <optional>
#include <unordered_map>
#include <variant>

#include "circuit/error.hpp"

namespace kirchnet::bench {
namespace {

using dnnl::memory;
using Dims = memory::dims;

constexpr auto f32 = memory::data_type::f32;
constexpr auto inference = dnnl::prop_kind::forward_inference;

memory::dim dim(std::size_t size) {
    return static_cast<memory::dim>(size);
}

memory::desc any_layout(const Dims& dims) {
    return {dims, f32, memory::format_tag::any};
}

/// The layout in which the last index is fastest.
memory::desc plain_layout(const Dims& dims) {
    Dims strides(dims.size(), 1);
    for (std::size_t i = dims.size() - 1; i > 0; --i) strides[i - 1] = strides[i] * dims[i];
    return {dims, f32, strides};
}

/// A convolution with what may be folded into it.
struct FoldedLayer {
    std::vector<float> weights;
    std::vector<float> bias;  ///< [outputs]
    bool rectify = false;
    std::optional<std::size_t> summand;  ///< node added before the ReLU
    std::size_t last_node = 0;           ///< whose output this is
};

void fold(FoldedLayer& layer, const std::vector<ChannelNorm>& norms) {
    const std::size_t rows = layer.weights.size() / norms.size();
    for (std::size_t j = 0; j < norms.size(); ++j) {
        for (std::size_t k = 0; k < rows; ++k) layer.weights[j * rows + k] *= norms[j].scale;
        layer.bias[j] = layer.bias[j] * norms[j].scale + norms[j].shift;
    }
}

/// The only node that reads `node`, or nothing.
std::optional<std::size_t> only_reader(const Graph& graph, std::size_t node) {
    std::vector<std::size_t> readers;
    for (std::size_t i = node + 1; i < graph.size(); ++i)
        if (std::count(graph.inputs(i).begin(), graph.inputs(i).end(), node) > 0)
            readers.push_back(i);
    return readers.size() == 1 ? std::optional(readers.front()) : std::nullopt;
}

template <typename Op>
bool is(const Graph& graph, std::optional<std::size_t> node) {
    return node && std::holds_alternative<Op>(graph.node(*node).operation);
}

struct Step {
    dnnl::primitive primitive;
    std::unordered_map<int, memory> arguments;
};

/// Every `stride`-th pixel, into channels further on, as a convolution's weights.
std::vector<float> shortcut_weights(std::size_t inputs, std::size_t outputs) {
    std::vector<float> weights(outputs * inputs, 0.0F);
    const std::size_t before = (outputs - inputs) / 2;
    for (std::size_t c = 0; c < inputs; ++c) weights[(before + c) * inputs + c] = 1;
    return weights;
}

}  // namespace

struct OneDnnNetwork::State {
    State(const Graph& for_graph, std::size_t images, Convolution how)
        : graph(for_graph),
          batch(dim(images)),
          convolution(how),
          engine(dnnl::engine::kind::cpu, 0),
          stream(engine) {
        for (std::size_t node = 0; node < graph.size(); ++node)
            if (values.find(node) == values.end()) lower(node);
    }

    [[nodiscard]] Dims dims_of(std::size_t node) const {
        const ImageShape& shape = graph.shape(node);
        return {batch, dim(shape.channels), dim(shape.height), dim(shape.width)};
    }
    [[nodiscard]] const memory& input(std::size_t node, std::size_t which = 0) const {
        return values.at(graph.inputs(node)[which]);
    }

    void lower(std::size_t node) {
        const Operation& operation = graph.node(node).operation;
        if (std::holds_alternative<InputOp>(operation))
            values[node] = memory(plain_layout(dims_of(node)), engine);
        else if (const auto* conv = std::get_if<ConvOp>(&operation))
            lower_convolution(node, *conv);
        else if (const auto* linear = std::get_if<LinearOp>(&operation))
            lower_linear(node, *linear);
        else if (const auto* pool = std::get_if<PoolOp>(&operation))
            lower_pool(node, *pool);
        else if (const auto* shortcut = std::get_if<PadShortcutOp>(&operation))
            lower_shortcut(node, *shortcut);
        else if (std::holds_alternative<AddOp>(operation))
            lower_add(node);
        else if (std::holds_alternative<ReluOp>(operation))
            lower_relu(node);
        else
            throw InvalidInput(graph.node(node).name, "is a batch norm behind no convolution");
    }

    /// The memory in the layout a primitive wants; reordered with every pass where it differs.
    memory in_layout(const memory& from, const memory::desc& wanted) {
        if (from.get_desc() == wanted) return from;
        memory to(wanted, engine);
        steps.push_back({dnnl::reorder(from, to), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}}});
        return to;
    }

    /// Weights, reordered once.
    memory constant(std::vector<float> values_in, const Dims& dims, const memory::desc& wanted) {
        memory plain(plain_layout(dims), engine, values_in.data());
        memory to(wanted, engine);
        dnnl::reorder(plain, to).execute(stream, plain, to);
        stream.wait();
        return to;
    }

    /// Follows batch norm, sum and ReLU behind a layer as far as nobody else reads between.
    void fold_followers(FoldedLayer& layer) const {
        auto next = only_reader(graph, layer.last_node);
        if (is<BatchNormOp>(graph, next)) {
            fold(layer, channel_norms(std::get<BatchNormOp>(graph.node(*next).operation)));
            layer.last_node = *next;
            next = only_reader(graph, *next);
        }
        if (is<AddOp>(graph, next)) {
            const auto& inputs = graph.inputs(*next);
            const std::size_t other = inputs[0] == layer.last_node ? inputs[1] : inputs[0];
            if (values.find(other) != values.end()) {
                layer.summand = other;
                layer.last_node = *next;
                next = only_reader(graph, *next);
            }
        }
        if (is<ReluOp>(graph, next)) {
            layer.rectify = true;
            layer.last_node = *next;
        }
    }

    [[nodiscard]] static dnnl::primitive_attr attributes(const FoldedLayer& layer) {
        dnnl::post_ops after;
        if (layer.summand) after.append_sum(1.0F);
        if (layer.rectify) after.append_eltwise(1.0F, dnnl::algorithm::eltwise_relu, 0, 0);
        dnnl::primitive_attr attributes;
        attributes.set_post_ops(after);
        return attributes;
    }

    /// Where a layer writes: over its summand where nobody reads that later, else over a copy.
    memory destination(const FoldedLayer& layer, const memory::desc& layout) {
        if (!layer.summand) return {layout, engine};
        const memory& summand = values.at(*layer.summand);
        bool is_read_later = false;
        for (std::size_t i = layer.last_node + 1; i < graph.size(); ++i)
            is_read_later = is_read_later || std::count(graph.inputs(i).begin(),
                                                        graph.inputs(i).end(), *layer.summand) > 0;
        if (!is_read_later || summand.get_desc() != layout) return in_layout(summand, layout);
        memory to(layout, engine);
        steps.push_back(
            {dnnl::reorder(summand, to), {{DNNL_ARG_FROM, summand}, {DNNL_ARG_TO, to}}});
        return to;
    }

    void add_convolution(std::size_t node, FoldedLayer layer, const Dims& weight_dims,
                         std::size_t stride, std::size_t padding) {
        const Dims strides(2, dim(stride));
        const Dims pads(2, dim(padding));
        const Dims bias_dims{dim(layer.bias.size())};
        const auto algorithm = convolution == Convolution::direct
                                   ? dnnl::algorithm::convolution_direct
                                   : dnnl::algorithm::convolution_auto;
        const dnnl::convolution_forward::primitive_desc plan(
            {inference, algorithm, any_layout(dims_of(graph.inputs(node)[0])),
             any_layout(weight_dims), any_layout(bias_dims), any_layout(dims_of(node)), strides,
             pads, pads},
            attributes(layer), engine);
        const memory source = in_layout(input(node), plan.src_desc());
        const memory target = destination(layer, plan.dst_desc());
        steps.push_back(
            {dnnl::convolution_forward(plan),
             {{DNNL_ARG_SRC, source},
              {DNNL_ARG_WEIGHTS,
               constant(std::move(layer.weights), weight_dims, plan.weights_desc())},
              {DNNL_ARG_BIAS, constant(std::move(layer.bias), bias_dims, plan.bias_desc())},
              {DNNL_ARG_DST, target}}});
        publish(node, layer.last_node, target);
    }

    /// Every node that a layer has done has the layer's output.
    void publish(std::size_t first, std::size_t last, const memory& output) {
        for (std::size_t node = first; node != last; node = *only_reader(graph, node))
            values[node] = output;
        values[last] = output;
    }

    void lower_convolution(std::size_t node, const ConvOp& conv) {
        FoldedLayer layer{conv.weight.values, conv.bias.values, false, std::nullopt, node};
        layer.bias.resize(conv.weight.shape[0], 0.0F);
        fold_followers(layer);
        Dims dims;
        for (const std::size_t side : conv.weight.shape) dims.push_back(dim(side));
        if (conv.groups > 1) {
            dims[0] /= dim(conv.groups);
            dims.insert(dims.begin(), dim(conv.groups));
        }
        add_convolution(node, std::move(layer), dims, conv.stride, conv.padding);
    }

    void lower_shortcut(std::size_t node, const PadShortcutOp& shortcut) {
        const std::size_t inputs = graph.shape(graph.inputs(node)[0]).channels;
        FoldedLayer layer{shortcut_weights(inputs, shortcut.out_channels),
                          std::vector<float>(shortcut.out_channels, 0.0F), false, std::nullopt,
                          node};
        fold_followers(layer);
        add_convolution(node, std::move(layer), {dim(shortcut.out_channels), dim(inputs), 1, 1},
                        shortcut.stride, 0);
    }

    void lower_linear(std::size_t node, const LinearOp& linear) {
        const Dims source_dims = dims_of(graph.inputs(node)[0]);
        const Dims bias_dims{dim(linear.weight.shape[0])};
        Dims weight_dims = source_dims;
        weight_dims[0] = bias_dims[0];
        FoldedLayer layer{linear.weight.values, linear.bias.values, false, std::nullopt, node};
        layer.bias.resize(linear.weight.shape[0], 0.0F);
        const dnnl::inner_product_forward::primitive_desc plan(
            {inference, any_layout(source_dims), any_layout(weight_dims), any_layout(bias_dims),
             any_layout({batch, bias_dims[0]})},
            engine);
        const memory target(plan.dst_desc(), engine);
        steps.push_back(
            {dnnl::inner_product_forward(plan),
             {{DNNL_ARG_SRC, in_layout(input(node), plan.src_desc())},
              {DNNL_ARG_WEIGHTS,
               constant(std::move(layer.weights), weight_dims, plan.weights_desc())},
              {DNNL_ARG_BIAS, constant(std::move(layer.bias), bias_dims, plan.bias_desc())},
              {DNNL_ARG_DST, target}}});
        values[node] = target;
    }

    void lower_pool(std::size_t node, const PoolOp& pool) {
        const Dims from = dims_of(graph.inputs(node)[0]);
        const bool global = pool.kernel == 0;
        const Dims kernel = global ? Dims{from[2], from[3]} : Dims(2, dim(pool.kernel));
        const Dims pads(2, dim(pool.padding));
        const auto algorithm = pool.kind == PoolOp::Kind::maximum
                                   ? dnnl::algorithm::pooling_max
                                   : dnnl::algorithm::pooling_avg_include_padding;
        const dnnl::pooling_forward::primitive_desc plan(
            {inference, algorithm, input(node).get_desc(), any_layout(dims_of(node)),
             Dims(2, dim(pool.stride)), kernel, pads, pads},
            engine);
        const memory target(plan.dst_desc(), engine);
        steps.push_back(
            {dnnl::pooling_forward(plan), {{DNNL_ARG_SRC, input(node)}, {DNNL_ARG_DST, target}}});
        values[node] = target;
    }

    void lower_add(std::size_t node) {
        const memory::desc layout = input(node).get_desc();
        const memory other = in_layout(input(node, 1), layout);
        const memory target(layout, engine);
        const dnnl::binary::primitive_desc plan(
            {dnnl::algorithm::binary_add, layout, layout, layout}, engine);
        steps.push_back(
            {dnnl::binary(plan),
             {{DNNL_ARG_SRC_0, input(node)}, {DNNL_ARG_SRC_1, other}, {DNNL_ARG_DST, target}}});
        values[node] = target;
    }

    void lower_relu(std::size_t node) {
        const memory::desc layout = input(node).get_desc();
        const memory target(layout, engine);
        const dnnl::eltwise_forward::primitive_desc plan(
            {inference, dnnl::algorithm::eltwise_relu, layout, 0, 0}, engine);
        steps.push_back(
            {dnnl::eltwise_forward(plan), {{DNNL_ARG_SRC, input(node)}, {DNNL_ARG_DST, target}}});
        values[node] = target;
    }

    const Graph& graph;
    memory::dim batch;
    Convolution convolution;
    dnnl::engine engine;
    dnnl::stream stream;
    std::map<std::size_t, memory> values;  ///< output of each node done so far
    std::vector<Step> steps;
};

OneDnnNetwork::OneDnnNetwork(const Graph& graph, std::size_t batch, Convolution convolution)
    : state_(std::make_unique<State>(graph, batch, convolution)) {}
OneDnnNetwork::OneDnnNetwork(OneDnnNetwork&&) noexcept = default;
OneDnnNetwork::~OneDnnNetwork() = default;

void OneDnnNetwork::set_input(const std::vector<float>& pixels) {
    std::copy(pixels.begin(), pixels.end(),
              static_cast<float*>(state_->values.at(0).get_data_handle()));
}

void OneDnnNetwork::run() {
    for (Step& step : state_->steps) step.primitive.execute(state_->stream, step.arguments);
    state_->stream.wait();
}

std::vector<float> OneDnnNetwork::output() const {
    memory last = state_->values.at(state_->graph.size() - 1);
    const auto classes = dim(state_->graph.classes());
    std::vector<float> plain(static_cast<std::size_t>(state_->batch * classes));
    const Dims dims = last.get_desc().dims();
    memory to(plain_layout(dims), state_->engine, plain.data());
    dnnl::reorder(last, to).execute(state_->stream, last, to);
    state_->stream.wait();
    return plain;
}

}  // namespace kirchnet::bench
