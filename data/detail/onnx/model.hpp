#pragma once

#include <map>
#include <memory>
#include <string_view>

#include "data/detail/onnx/node.hpp"
#include "data/detail/shape.hpp"

namespace kirchnet::onnx_import {

/// An ONNX file whose graph is sound: names are unique, every input is known, nothing runs in
/// circles. What its operators mean is not looked at.
class Model {
  public:
    /// @param bytes  the whole of the file
    /// @param file   its name, for messages
    /// @throws InvalidInput  naming the file, and the node or tensor that is wrong
    Model(std::string_view bytes, std::string file);

    [[nodiscard]] const std::string& file() const { return *file_; }
    /// Size of the file, which bounds the memory its tensors may take.
    [[nodiscard]] std::size_t bytes() const { return bytes_; }
    [[nodiscard]] const ::onnx::ModelProto& proto() const { return *proto_; }
    /// Version of the operators' definitions.
    [[nodiscard]] std::int64_t operator_set() const { return operator_set_; }
    /// Nodes that the output needs, each after those whose outputs it reads.
    [[nodiscard]] const std::vector<OnnxNode>& nodes() const { return nodes_; }
    /// The initialiser of this name, or none.
    [[nodiscard]] const ::onnx::TensorProto* initialiser(const std::string& name) const;

    [[nodiscard]] const std::string& input_name() const { return input_->name(); }
    /// [batch, channels, height, width] or [batch, features]; a batch of free size is 1.
    [[nodiscard]] Shape input_shape() const;
    [[nodiscard]] const std::string& output_name() const;
    /// Nodes that read the tensor; the graph's output counts as one more.
    [[nodiscard]] std::size_t readers(const std::string& name) const;

  private:
    using Producers = std::map<std::string, std::size_t>;  // tensor: node that gives it

    [[noreturn]] void fail(const std::string& problem) const;
    void check_version();
    void index_initialisers();
    void find_input();
    void order_nodes();
    [[nodiscard]] Producers find_producers() const;
    [[nodiscard]] std::vector<bool> find_needed(const Producers& producers) const;
    [[nodiscard]] bool is_given(const std::string& name) const;

    // Behind pointers, since nodes refer to them while a model moves.
    std::unique_ptr<const ::onnx::ModelProto> proto_;
    std::unique_ptr<const std::string> file_;
    std::size_t bytes_;
    std::int64_t operator_set_ = 0;
    const ::onnx::ValueInfoProto* input_ = nullptr;
    std::map<std::string, const ::onnx::TensorProto*> initialisers_;
    std::map<std::string, std::size_t> readers_;
    std::vector<OnnxNode> nodes_;
};

}  // namespace kirchnet::onnx_import
