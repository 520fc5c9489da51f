#include "data/detail/onnx/converter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "circuit/error.hpp"
#include "data/detail/onnx/folding.hpp"
#include "data/detail/onnx/names.hpp"
#include "data/detail/onnx/operators.hpp"

namespace kirchnet::onnx_import {
namespace {

constexpr std::size_t largest_side = 65536;
constexpr std::size_t most_channels = 1U << 24U;  // so that no product of extents overflows

struct ValueName {
    std::string operator()(const Constant&) const { return "a constant"; }
    std::string operator()(const Signal&) const { return "a feature map"; }
    std::string operator()(const Softplus&) const {
        return "the output of Softplus, which is known as a part of x * Tanh(Softplus(x)) alone";
    }
    std::string operator()(const TanhOfSoftplus&) const {
        return "Tanh(Softplus(x)), which is known as a part of x * Tanh(Softplus(x)) alone";
    }
    std::string operator()(const Softmax&) const {
        return "the output of Softmax, which is known as the last operator alone";
    }
    std::string operator()(const Padded&) const {
        return "the output of Pad, which is known before a convolution or pool alone";
    }
    std::string operator()(const Subsampled&) const {
        return "every n-th row and m-th column with n and m different, which is not known";
    }
};

bool depends_on_image(const Value& value) {
    return !std::holds_alternative<Constant>(value);
}

}  // namespace

Shape shape_of(const Signal& like, const ImageShape& image) {
    if (like.shape.size() == 4) return {like.shape[0], image.channels, image.height, image.width};
    return {like.shape[0], image.size()};
}

Converter::Converter(Model model, const ImageShape& image)
    : model_(std::move(model)), budget_(model_.bytes()) {
    network_.name = std::filesystem::path(model_.file()).stem().string();
    network_.provenance["source_format"] =
        fmt::format("ONNX, operator set {}, by {} {}", model_.operator_set(),
                    model_.proto().producer_name(), model_.proto().producer_version());
    add_input(image);
}

void Converter::add_input(const ImageShape& image) {
    const Shape shape = model_.input_shape();
    network_.input =
        shape.size() == 4 ? ImageShape{shape[1], shape[2], shape[3]} : ImageShape{shape[1], 1, 1};
    if (shape.size() == 2 && image.size() == shape[1]) network_.input = image;
    network_.nodes.push_back({"input", InputOp{}, {}});
    places_["input"] = 0;
    repeats_["input"] = 1;
    values_[model_.input_name()] = Signal{"input", network_.input, shape};
}

Network Converter::convert() {
    for (const OnnxNode& node : model_.nodes()) convert_node(node);
    finish(values_.at(model_.output_name()));
    return std::move(network_);
}

void Converter::convert_node(const OnnxNode& node) {
    for (std::size_t i = 0; i < node.inputs(); ++i)
        if (!node.input(i).empty()) static_cast<void>(value(node, i));
    if (fold_node(node)) return;
    const Conversion conversion = find_conversion(node.kind());
    const auto& domain = node.proto().domain();
    if (conversion == nullptr || !(domain.empty() || domain == "ai.onnx"))
        node.fail(fmt::format("the operator {}{}{} is not supported", domain,
                              domain.empty() ? "" : ".", node.kind()));
    conversion(*this, node);
}

/// Does what depends on constants alone.
bool Converter::fold_node(const OnnxNode& node) {
    std::vector<Constant> inputs;
    for (std::size_t i = 0; i < node.inputs(); ++i) {
        if (node.input(i).empty()) {
            inputs.push_back(nullptr);
            continue;
        }
        const Value& input = value(node, i);
        if (depends_on_image(input)) return false;
        inputs.push_back(std::get<Constant>(input));
    }
    if (!is_foldable(node.kind())) return false;
    give(node, std::make_shared<const Numbers>(fold(node, inputs, budget_)));
    return true;
}

bool Converter::load_initialiser(const std::string& name) {
    const auto* tensor = model_.initialiser(name);
    if (tensor == nullptr) return false;
    const std::string where = fmt::format("{}: initialiser '{}'", model_.file(), name);
    values_[name] = std::make_shared<const Numbers>(read_numbers(*tensor, budget_, where));
    return true;
}

bool Converter::has_input(const OnnxNode& node, std::size_t i) const {
    return !node.input(i).empty();
}

const Value& Converter::value(const OnnxNode& node, std::size_t i) {
    const std::string& name = node.input(i);
    if (name.empty()) node.fail(fmt::format("its input {} is missing", i));
    if (!values_.contains(name) && !load_initialiser(name))
        node.fail(fmt::format("its input '{}' is an output that is not supported", name));
    return values_.at(name);
}

Signal Converter::signal(const OnnxNode& node, std::size_t i) {
    const Value& found = value(node, i);
    if (const auto* signal = std::get_if<Signal>(&found)) return *signal;
    const auto* part = std::get_if<Subsampled>(&found);
    if (part == nullptr || part->rows != part->columns)
        node.fail(
            fmt::format("its input '{}' is {}", node.input(i), std::visit(ValueName{}, found)));
    const ImageShape& from = part->of.image;
    const auto reduced = [step = part->rows](std::size_t side) { return (side + step - 1) / step; };
    const Signal result = add(node, PadShortcutOp{part->rows, from.channels}, {part->of},
                              {from.channels, reduced(from.height), reduced(from.width)});
    give(node.input(i), result);
    return result;
}

const Tensor* Converter::constant(const OnnxNode& node, std::size_t i) {
    if (!has_input(node, i)) return nullptr;
    const auto* found = std::get_if<Constant>(&value(node, i));
    return found == nullptr ? nullptr : &(*found)->tensor;
}

const Tensor& Converter::weights(const OnnxNode& node, std::size_t i) {
    const Tensor* found = constant(node, i);
    if (found == nullptr) node.fail(fmt::format("its input '{}' is not constant", node.input(i)));
    if (found->values.empty()) node.fail(fmt::format("its input '{}' is empty", node.input(i)));
    for (std::size_t k = 0; k < found->values.size(); ++k)
        if (!std::isfinite(found->values[k]))
            node.fail(fmt::format("value {} of its input '{}' is {}, not a finite number", k,
                                  node.input(i), found->values[k]));
    charge(node, found->values.size());
    return *found;
}

std::vector<std::int64_t> Converter::integers(const OnnxNode& node, const char* attribute,
                                              std::size_t i) {
    if (!has_input(node, i)) return node.integers(attribute, {});
    const Tensor* found = constant(node, i);
    if (found == nullptr)
        node.fail(fmt::format("its input '{}' ({}) is not constant", node.input(i), attribute));
    return to_integers(*found);
}

Signal Converter::add(const OnnxNode& node, Operation operation, const std::vector<Signal>& inputs,
                      const ImageShape& image, std::size_t weights) {
    if (image.channels == 0 || image.height == 0 || image.width == 0 ||
        image.channels > most_channels || image.height > largest_side || image.width > largest_side)
        node.fail(fmt::format("gives feature maps of {}x{}x{}", image.channels, image.height,
                              image.width));
    Node added{name_node(node, weights), std::move(operation), {}};
    for (const Signal& input : inputs) added.inputs.push_back(input.node);
    places_[added.name] = network_.nodes.size();
    tensors_[added.name] = node.output();
    network_.nodes.push_back(std::move(added));
    return {network_.nodes.back().name, image, shape_of(inputs.front(), image)};
}

std::string Converter::name_node(const OnnxNode& node, std::size_t weights) {
    const std::string name = suggest_name(node, weights);
    std::string unique = name;
    while (places_.contains(unique)) unique = fmt::format("{}_{}", name, repeats_[name]++ + 1);
    return unique;
}

Operation& Converter::operation_of(const Signal& signal) {
    return network_.nodes[places_.at(signal.node)].operation;
}

bool Converter::is_only_reader(const OnnxNode& node, std::size_t i, const Signal& signal) const {
    const auto tensor = tensors_.find(signal.node);
    return tensor != tensors_.end() && tensor->second == node.input(i) &&
           model_.readers(node.input(i)) == 1;
}

const std::string& Converter::input_of(const Signal& signal) const {
    static const std::string none;
    const auto& inputs = network_.nodes[places_.at(signal.node)].inputs;
    return inputs.empty() ? none : inputs.front();
}

/// Checks the output and drops nodes that patterns left without a reader.
void Converter::finish(const Value& output) {
    const auto* softmax = std::get_if<Softmax>(&output);
    const auto* signal = softmax != nullptr ? &softmax->of : std::get_if<Signal>(&output);
    if (signal == nullptr)
        throw InvalidInput(model_.file(), fmt::format("its output '{}' is {}", model_.output_name(),
                                                      std::visit(ValueName{}, output)));
    if (softmax != nullptr) note("dropped_softmax", "the last operator; the class stays the same");
    std::set<std::string> needed{signal->node};
    std::vector<Node> kept;
    for (auto node = network_.nodes.rbegin(); node != network_.nodes.rend(); ++node) {
        if (!needed.contains(node->name)) continue;
        needed.insert(node->inputs.begin(), node->inputs.end());
        kept.push_back(std::move(*node));
    }
    std::reverse(kept.begin(), kept.end());
    network_.nodes = std::move(kept);
}

}  // namespace kirchnet::onnx_import
