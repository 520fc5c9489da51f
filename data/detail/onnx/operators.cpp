#include "data/detail/onnx/operators.hpp"

namespace kirchnet::onnx_import {

Conversion find_conversion(const std::string& kind) {
    for (const Conversions* known : {&layer_conversions(), &pool_conversions(),
                                     &elementwise_conversions(), &shape_conversions()})
        if (const auto found = known->find(kind); found != known->end()) return found->second;
    return nullptr;
}

void give_affine(Converter& converter, const OnnxNode& node, const Signal& input, Tensor scale,
                 Tensor shift) {
    const Shape shape{input.image.channels};
    converter.charge(node, 4 * shape[0]);
    BatchNormOp norm{.weight = std::move(scale),
                     .bias = std::move(shift),
                     .running_mean = {shape, std::vector<float>(shape[0], 0)},
                     .running_variance = {shape, std::vector<float>(shape[0], 1)},
                     .epsilon = 0};
    converter.give(node, converter.add(node, std::move(norm), {input}, input.image));
}

}  // namespace kirchnet::onnx_import
