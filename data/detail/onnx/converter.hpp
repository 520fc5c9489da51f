#pragma once

#include <map>

#include "data/detail/onnx/constants.hpp"
#include "data/detail/onnx/model.hpp"
#include "data/detail/onnx/values.hpp"

namespace kirchnet::onnx_import {

/// Walks a model in executable order and builds our network from it. Constants are folded on the
/// way; every other node is turned into nodes of ours by the functions of `operators.hpp`, which
/// read their inputs and give their outputs here.
class Converter {
  public:
    /// @param image  what a flat input [batch, features] stands for
    Converter(Model model, const ImageShape& image);

    /// @throws InvalidInput  naming file and node that is unknown or does not fit
    [[nodiscard]] Network convert();

    [[nodiscard]] const Model& model() const { return model_; }

    // Reading a node's inputs.

    [[nodiscard]] bool has_input(const OnnxNode& node, std::size_t i) const;
    [[nodiscard]] const Value& value(const OnnxNode& node, std::size_t i);
    /// Input `i` as the output of a node of ours.
    /// @throws InvalidInput  when it is a constant, or half of a pattern whose other half is
    /// missing
    [[nodiscard]] Signal signal(const OnnxNode& node, std::size_t i);
    /// The constant that input `i` is, or null.
    [[nodiscard]] const Tensor* constant(const OnnxNode& node, std::size_t i);
    /// Weights: a constant of finite numbers.
    /// @throws InvalidInput  when input `i` is computed from the image, or holds NaN or infinity
    [[nodiscard]] const Tensor& weights(const OnnxNode& node, std::size_t i);
    /// An attribute of the older operator sets, input `i` of the later ones.
    [[nodiscard]] std::vector<std::int64_t> integers(const OnnxNode& node, const char* attribute,
                                                     std::size_t i);

    // Giving its outputs.

    /// Counts numbers that a node of ours will hold against what the file's size allows: tensors
    /// may be named again and again.
    void charge(const OnnxNode& node, std::size_t values) { budget_.take(values, node.where()); }

    /// Adds a node of ours. Rank and batch of the result are those of `shape_like`.
    /// @param weights  input whose name `NAME.weight` names the layer; 0: the node's own name
    Signal add(const OnnxNode& node, Operation operation, const std::vector<Signal>& inputs,
               const ImageShape& image, std::size_t weights = 0);
    void give(const OnnxNode& node, Value value) { give(node.output(), std::move(value)); }
    void give(const std::string& name, Value value) { values_[name] = std::move(value); }
    /// What the node of ours does that gave a signal.
    [[nodiscard]] Operation& operation_of(const Signal& signal);
    /// Whether input `i` is the output of the node of ours that gave `signal`, under no second
    /// name, and nothing else reads it: then that node may still change.
    [[nodiscard]] bool is_only_reader(const OnnxNode& node, std::size_t i,
                                      const Signal& signal) const;
    [[nodiscard]] const std::string& input_of(const Signal& signal) const;
    void note(const std::string& key, const std::string& text) { network_.provenance[key] = text; }

  private:
    void add_input(const ImageShape& image);
    void convert_node(const OnnxNode& node);
    [[nodiscard]] bool fold_node(const OnnxNode& node);
    [[nodiscard]] bool load_initialiser(const std::string& name);
    void finish(const Value& output);
    [[nodiscard]] std::string name_node(const OnnxNode& node, std::size_t weights);

    Model model_;
    MemoryBudget budget_;
    Network network_;
    std::map<std::string, Value> values_;
    std::map<std::string, std::size_t> places_;   ///< of our nodes
    std::map<std::string, std::size_t> repeats_;  ///< of suggested names
    std::map<std::string, std::string> tensors_;  ///< our node: ONNX tensor it was added for
};

/// Features of a rank-4 or rank-2 tensor: [batch, channels, height, width] or [batch, all].
Shape shape_of(const Signal& like, const ImageShape& image);

}  // namespace kirchnet::onnx_import
