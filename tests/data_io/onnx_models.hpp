#pragma once

#include <onnx/onnx_pb.h>

#include <string>
#include <vector>

#include "data/network.hpp"

namespace kirchnet::test {

using Names = std::vector<std::string>;

/// An ONNX model built node by node: input `x` of shape [1, 2, 4, 4], output `y`.
class OnnxModel {
  public:
    OnnxModel();

    onnx::NodeProto& add(const std::string& kind, const Names& inputs, const Names& outputs);
    onnx::TensorProto& initialiser(const std::string& name, const std::vector<std::int64_t>& shape,
                                   const std::vector<float>& values);
    void integers(const std::string& name, const std::vector<std::int64_t>& values);
    [[nodiscard]] onnx::GraphProto& graph() { return *proto_.mutable_graph(); }
    [[nodiscard]] onnx::ModelProto& proto() { return proto_; }

    [[nodiscard]] std::string bytes() const { return proto_.SerializeAsString(); }
    [[nodiscard]] Network read() const;
    /// The message of the refusal; it names the file.
    [[nodiscard]] std::string refused() const;

  private:
    onnx::ModelProto proto_;
};

void set(onnx::NodeProto& node, const std::string& attribute, std::int64_t value);
void set(onnx::NodeProto& node, const std::string& attribute, float value);
void set(onnx::NodeProto& node, const std::string& attribute, const std::string& value);
void set(onnx::NodeProto& node, const std::string& attribute,
         const std::vector<std::int64_t>& values);

}  // namespace kirchnet::test
