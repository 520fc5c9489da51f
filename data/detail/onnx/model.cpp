#include "data/detail/onnx/model.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <limits>
#include <queue>
#include <utility>

#include "circuit/error.hpp"

namespace kirchnet::onnx_import {
namespace {

constexpr std::int64_t oldest_operator_set = 7;  // before it, broadcasting had to be asked for
constexpr std::int64_t largest_extent = 65536;   // of an input image, as in our own files

}  // namespace

Model::Model(std::string_view bytes, std::string file)
    : file_(std::make_unique<const std::string>(std::move(file))), bytes_(bytes.size()) {
    ::onnx::ModelProto proto;
    const bool fits = bytes.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max());
    if (!fits || !proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) ||
        !proto.has_graph())
        fail("is no ONNX model, or a part of one is missing");
    proto_ = std::make_unique<const ::onnx::ModelProto>(std::move(proto));
    check_version();
    index_initialisers();
    find_input();
    order_nodes();
}

void Model::fail(const std::string& problem) const {
    throw InvalidInput(file(), problem);
}

void Model::check_version() {
    for (const auto& set : proto_->opset_import())
        if (set.domain().empty() || set.domain() == "ai.onnx") operator_set_ = set.version();
    if (operator_set_ < oldest_operator_set)
        fail(fmt::format("uses operator set {}; export it for {} or later", operator_set_,
                         oldest_operator_set));
}

void Model::index_initialisers() {
    if (proto_->graph().sparse_initializer_size() > 0)
        fail(fmt::format("holds the sparse initialiser '{}'; store it densely",
                         proto_->graph().sparse_initializer(0).values().name()));
    for (const auto& tensor : proto_->graph().initializer())
        if (!initialisers_.emplace(tensor.name(), &tensor).second)
            fail(fmt::format("has two initialisers '{}'", tensor.name()));
}

void Model::find_input() {
    std::vector<std::string> names;
    for (const auto& input : proto_->graph().input()) {
        if (initialisers_.contains(input.name())) continue;  // older files list weights as inputs
        names.push_back(input.name());
        input_ = &input;
    }
    if (names.size() != 1)
        fail(names.empty() ? "has no input"
                           : fmt::format("has {} inputs ({}), one image is needed", names.size(),
                                         fmt::join(names, ", ")));
}

const ::onnx::TensorProto* Model::initialiser(const std::string& name) const {
    const auto found = initialisers_.find(name);
    return found == initialisers_.end() ? nullptr : found->second;
}

bool Model::is_given(const std::string& name) const {
    return name.empty() || name == input_name() || initialisers_.contains(name);
}

Shape Model::input_shape() const {
    const std::string where = fmt::format("{}: input '{}'", file(), input_name());
    if (!input_->type().has_tensor_type() || !input_->type().tensor_type().has_shape())
        throw InvalidInput(where, "has no shape; export the model with one");
    const auto& extents = input_->type().tensor_type().shape().dim();
    if (extents.size() != 4 && extents.size() != 2)
        throw InvalidInput(where, fmt::format("has {} dimensions; batch, channels, height and "
                                              "width are needed, or batch and features",
                                              extents.size()));
    Shape shape;
    for (int k = 0; k < extents.size(); ++k) {
        const bool free = extents[k].dim_value() <= 0;
        if (free && k > 0)
            throw InvalidInput(where, fmt::format("leaves dimension {} open; only the batch may "
                                                  "be of any size",
                                                  k));
        if (extents[k].dim_value() > largest_extent)
            throw InvalidInput(where, fmt::format("dimension {} is {}, at most {} are read", k,
                                                  extents[k].dim_value(), largest_extent));
        shape.push_back(free ? 1 : static_cast<std::size_t>(extents[k].dim_value()));
    }
    return shape;
}

const std::string& Model::output_name() const {
    const auto& outputs = proto_->graph().output();
    if (outputs.size() != 1) {
        std::vector<std::string> names;
        for (const auto& output : outputs) names.push_back(output.name());
        fail(fmt::format("has {} outputs ({}); a classifier has one", names.size(),
                         fmt::join(names, ", ")));
    }
    return outputs[0].name();
}

std::size_t Model::readers(const std::string& name) const {
    const auto found = readers_.find(name);
    return found == readers_.end() ? 0 : found->second;
}

Model::Producers Model::find_producers() const {
    Producers producers;
    const auto& nodes = proto_->graph().node();
    for (int i = 0; i < nodes.size(); ++i) {
        const OnnxNode node(nodes[i], file());
        if (nodes[i].output_size() == 0 || node.output().empty()) node.fail("has no output");
        for (const std::string& output : nodes[i].output()) {
            if (output.empty()) continue;
            if (is_given(output)) node.fail(fmt::format("'{}' is an input or initialiser", output));
            if (!producers.emplace(output, i).second)
                node.fail(fmt::format("another node gives '{}' as well", output));
        }
    }
    return producers;
}

/// Whether a node's outputs reach the graph's output.
std::vector<bool> Model::find_needed(const Producers& producers) const {
    const auto& nodes = proto_->graph().node();
    std::vector<bool> needed(static_cast<std::size_t>(nodes.size()), false);
    std::vector<std::size_t> pending;
    const auto need = [&](const std::string& name) {
        const auto found = producers.find(name);
        if (found == producers.end() || needed[found->second]) return;
        needed[found->second] = true;
        pending.push_back(found->second);
    };
    if (!producers.contains(output_name()))
        fail(fmt::format("no node gives its output '{}'", output_name()));
    need(output_name());
    while (!pending.empty()) {
        const OnnxNode node(nodes[static_cast<int>(pending.back())], file());
        pending.pop_back();
        for (const std::string& input : node.proto().input()) {
            if (!is_given(input) && !producers.contains(input))
                node.fail(
                    fmt::format("its input '{}' is given by no node and no initialiser", input));
            need(input);
        }
    }
    return needed;
}

/// Kahn's algorithm; of the nodes that are ready, the first in the file comes first.
void Model::order_nodes() {
    const Producers producers = find_producers();
    const std::vector<bool> needed = find_needed(producers);
    std::vector<std::vector<std::size_t>> followers(needed.size());
    std::vector<std::size_t> missing(needed.size(), 0);
    std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
    std::size_t count = 0;
    ++readers_[output_name()];
    for (std::size_t i = 0; i < needed.size(); ++i) {
        if (!needed[i]) continue;
        ++count;
        for (const std::string& input : proto_->graph().node(static_cast<int>(i)).input()) {
            ++readers_[input];
            if (const auto found = producers.find(input); found != producers.end()) {
                followers[found->second].push_back(i);
                ++missing[i];
            }
        }
        if (missing[i] == 0) ready.push(i);
    }
    for (; !ready.empty(); --count) {
        const std::size_t next = ready.top();
        ready.pop();
        nodes_.emplace_back(proto_->graph().node(static_cast<int>(next)), file());
        for (const std::size_t follower : followers[next])
            if (--missing[follower] == 0) ready.push(follower);
    }
    if (count == 0) return;
    for (std::size_t i = 0; i < missing.size(); ++i)
        if (needed[i] && missing[i] > 0)
            OnnxNode(proto_->graph().node(static_cast<int>(i)), file())
                .fail("reads what it has a part in itself: the graph runs in circles");
}

}  // namespace kirchnet::onnx_import
