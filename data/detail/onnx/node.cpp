#include "data/detail/onnx/node.hpp"

#include <fmt/format.h>

#include "circuit/error.hpp"

namespace kirchnet::onnx_import {

using ::onnx::AttributeProto;

std::size_t OnnxNode::inputs() const {
    return static_cast<std::size_t>(proto_->input_size());
}

const std::string& OnnxNode::input(std::size_t i) const {
    static const std::string none;
    return i < inputs() ? proto_->input(static_cast<int>(i)) : none;
}

std::string OnnxNode::where() const {
    return fmt::format("{}: node '{}' ({}, gives '{}')", *file_, proto_->name(), kind(),
                       proto_->output_size() > 0 ? output() : "");
}

void OnnxNode::fail(const std::string& problem) const {
    throw InvalidInput(where(), problem);
}

const AttributeProto* OnnxNode::find(const char* name) const {
    for (const AttributeProto& attribute : proto_->attribute())
        if (attribute.name() == name) return &attribute;
    return nullptr;
}

const AttributeProto* OnnxNode::find(const char* name, AttributeProto::AttributeType type) const {
    const AttributeProto* attribute = find(name);
    // Files of the first versions leave the type out.
    if (attribute != nullptr && attribute->type() != type &&
        attribute->type() != AttributeProto::UNDEFINED)
        fail(fmt::format("attribute '{}' is of type {}, {} is needed", name,
                         AttributeProto::AttributeType_Name(attribute->type()),
                         AttributeProto::AttributeType_Name(type)));
    return attribute;
}

std::int64_t OnnxNode::integer(const char* attribute, std::int64_t fallback) const {
    const AttributeProto* found = find(attribute, AttributeProto::INT);
    return found == nullptr ? fallback : found->i();
}

float OnnxNode::number(const char* attribute, float fallback) const {
    const AttributeProto* found = find(attribute, AttributeProto::FLOAT);
    return found == nullptr ? fallback : found->f();
}

std::string OnnxNode::text(const char* attribute, const char* fallback) const {
    const AttributeProto* found = find(attribute, AttributeProto::STRING);
    return found == nullptr ? fallback : found->s();
}

std::vector<std::int64_t> OnnxNode::integers(const char* attribute,
                                             std::vector<std::int64_t> fallback) const {
    const AttributeProto* found = find(attribute, AttributeProto::INTS);
    if (found == nullptr) return fallback;
    return {found->ints().begin(), found->ints().end()};
}

std::vector<float> OnnxNode::numbers(const char* attribute) const {
    const AttributeProto* found = find(attribute, AttributeProto::FLOATS);
    if (found == nullptr) return {};
    return {found->floats().begin(), found->floats().end()};
}

const ::onnx::TensorProto* OnnxNode::tensor(const char* attribute) const {
    const AttributeProto* found = find(attribute, AttributeProto::TENSOR);
    return found == nullptr ? nullptr : &found->t();
}

}  // namespace kirchnet::onnx_import
