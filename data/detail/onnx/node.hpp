#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/network.hpp"

namespace kirchnet::onnx_import {

using Proto = ::onnx::NodeProto;

/// A node of an ONNX graph with its attributes at hand. An operator's optional input that is left
/// out has an empty name.
class OnnxNode {
  public:
    /// @param file  for messages
    OnnxNode(const Proto& proto, const std::string& file) : proto_(&proto), file_(&file) {}

    [[nodiscard]] const Proto& proto() const { return *proto_; }
    [[nodiscard]] const std::string& kind() const { return proto_->op_type(); }
    [[nodiscard]] const std::string& output() const { return proto_->output(0); }
    [[nodiscard]] std::size_t inputs() const;
    /// Name of input `i`; empty where there is none.
    [[nodiscard]] const std::string& input(std::size_t i) const;

    /// `file.onnx: node '/fc/Gemm' (Gemm, gives 'logits')`.
    [[nodiscard]] std::string where() const;
    /// @throws InvalidInput  about this node
    [[noreturn]] void fail(const std::string& problem) const;

    [[nodiscard]] bool has(const char* attribute) const { return find(attribute) != nullptr; }
    /// An attribute's value, or the fallback where it is missing.
    /// @throws InvalidInput  when it has another type
    [[nodiscard]] std::int64_t integer(const char* attribute, std::int64_t fallback) const;
    [[nodiscard]] float number(const char* attribute, float fallback) const;
    [[nodiscard]] std::string text(const char* attribute, const char* fallback) const;
    [[nodiscard]] std::vector<std::int64_t> integers(const char* attribute,
                                                     std::vector<std::int64_t> fallback) const;
    [[nodiscard]] std::vector<float> numbers(const char* attribute) const;
    [[nodiscard]] const ::onnx::TensorProto* tensor(const char* attribute) const;

  private:
    [[nodiscard]] const ::onnx::AttributeProto* find(const char* name) const;
    [[nodiscard]] const ::onnx::AttributeProto* find(
        const char* name, ::onnx::AttributeProto::AttributeType type) const;

    const Proto* proto_;
    const std::string* file_;
};

}  // namespace kirchnet::onnx_import
