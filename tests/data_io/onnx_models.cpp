#include "onnx_models.hpp"

#include "data/detail/onnx_reader.hpp"
#include "support.hpp"

namespace kirchnet::test {
namespace {

onnx::AttributeProto& add_attribute(onnx::NodeProto& node, const std::string& name,
                                    onnx::AttributeProto::AttributeType type) {
    onnx::AttributeProto& attribute = *node.add_attribute();
    attribute.set_name(name);
    attribute.set_type(type);
    return attribute;
}

}  // namespace

OnnxModel::OnnxModel() {
    proto_.set_ir_version(7);
    auto& set = *proto_.add_opset_import();
    set.set_version(13);
    onnx::ValueInfoProto& input = *graph().add_input();
    input.set_name("x");
    auto& tensor = *input.mutable_type()->mutable_tensor_type();
    tensor.set_elem_type(onnx::TensorProto::FLOAT);
    for (const std::int64_t extent : {1, 2, 4, 4})
        tensor.mutable_shape()->add_dim()->set_dim_value(extent);
    graph().add_output()->set_name("y");
}

onnx::NodeProto& OnnxModel::add(const std::string& kind, const Names& inputs,
                                const Names& outputs) {
    onnx::NodeProto& node = *graph().add_node();
    node.set_op_type(kind);
    node.set_name("the_" + kind);
    for (const std::string& name : inputs) node.add_input(name);
    for (const std::string& name : outputs) node.add_output(name);
    return node;
}

onnx::TensorProto& OnnxModel::initialiser(const std::string& name,
                                          const std::vector<std::int64_t>& shape,
                                          const std::vector<float>& values) {
    onnx::TensorProto& tensor = *graph().add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(onnx::TensorProto::FLOAT);
    for (const std::int64_t extent : shape) tensor.add_dims(extent);
    for (const float value : values) tensor.add_float_data(value);
    return tensor;
}

void OnnxModel::integers(const std::string& name, const std::vector<std::int64_t>& values) {
    onnx::TensorProto& tensor = initialiser(name, {static_cast<std::int64_t>(values.size())}, {});
    tensor.set_data_type(onnx::TensorProto::INT64);
    for (const std::int64_t value : values) tensor.add_int64_data(value);
}

Network OnnxModel::read() const {
    return parse_onnx(bytes(), "m.onnx");
}

std::string OnnxModel::refused() const {
    const std::string message = refusal([&] { static_cast<void>(read()); });
    CHECK_MESSAGE(message.starts_with("m.onnx"), message);
    return message;
}

void set(onnx::NodeProto& node, const std::string& attribute, std::int64_t value) {
    add_attribute(node, attribute, onnx::AttributeProto::INT).set_i(value);
}

void set(onnx::NodeProto& node, const std::string& attribute, float value) {
    add_attribute(node, attribute, onnx::AttributeProto::FLOAT).set_f(value);
}

void set(onnx::NodeProto& node, const std::string& attribute, const std::string& value) {
    add_attribute(node, attribute, onnx::AttributeProto::STRING).set_s(value);
}

void set(onnx::NodeProto& node, const std::string& attribute,
         const std::vector<std::int64_t>& values) {
    auto& added = add_attribute(node, attribute, onnx::AttributeProto::INTS);
    for (const std::int64_t value : values) added.add_ints(value);
}

}  // namespace kirchnet::test
