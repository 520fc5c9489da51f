// Operators that move values without changing them.
#include <fmt/format.h>

#include <algorithm>

#include "data/detail/onnx/folding.hpp"
#include "data/detail/onnx/operators.hpp"
#include "data/detail/onnx/slices.hpp"
#include "data/detail/onnx/windows.hpp"

namespace kirchnet::onnx_import {
namespace {

void convert_identity(Converter& converter, const OnnxNode& node) {
    converter.give(node, Value(converter.value(node, 0)));
}

void convert_shape(Converter& converter, const OnnxNode& node) {
    const Signal input = converter.signal(node, 0);
    std::vector<std::int64_t> extents(input.shape.begin(), input.shape.end());
    const auto rank = static_cast<std::int64_t>(extents.size());
    const auto place = [rank](std::int64_t index) {
        return std::clamp(index < 0 ? std::max(index, -rank) + rank : index, std::int64_t{0}, rank);
    };
    const std::int64_t first = place(node.integer("start", 0));
    const std::int64_t last = std::max(first, place(node.integer("end", rank)));
    converter.give(node, std::make_shared<const Numbers>(
                             make_integers({extents.begin() + first, extents.begin() + last})));
}

/// The same values under another shape, as long as it is the image's own or a flat one.
void give_reshaped(Converter& converter, const OnnxNode& node, Signal signal, Shape shape) {
    const ImageShape& image = signal.image;
    const std::size_t batch = signal.shape.front();
    const bool flat = shape == Shape{batch, image.size()};
    const bool own = shape == Shape{batch, image.channels, image.height, image.width};
    if (!flat && !own)
        node.fail(
            fmt::format("makes shape {} of feature maps of {}x{}x{}; flattening all of them "
                        "is known alone",
                        to_string(shape), image.channels, image.height, image.width));
    signal.shape = std::move(shape);
    converter.give(node, signal);
}

void convert_flatten(Converter& converter, const OnnxNode& node) {
    const Signal input = converter.signal(node, 0);
    const std::size_t axis = resolve_axis(node, node.integer("axis", 1), input.shape.size());
    if (axis != 1) node.fail("keeps more than the batch apart");
    give_reshaped(converter, node, input, {input.shape.front(), input.image.size()});
}

void convert_reshape(Converter& converter, const OnnxNode& node) {
    const Signal input = converter.signal(node, 0);
    const auto target = converter.integers(node, "shape", 1);
    give_reshaped(converter, node, input, reshaped(node, input.shape, target));
}

void convert_squeeze(Converter& converter, const OnnxNode& node) {
    const Signal input = converter.signal(node, 0);
    std::vector<bool> dropped(input.shape.size(), false);
    const auto axes = converter.integers(node, "axes", 1);
    for (const std::int64_t axis : axes)
        dropped[resolve_axis(node, axis, input.shape.size())] = true;
    Shape shape{input.shape.front()};  // without axes: all extents of 1 but the batch
    for (std::size_t k = 1; k < input.shape.size(); ++k) {
        if (dropped[k] && input.shape[k] != 1)
            node.fail(fmt::format("squeezes axis {} of shape {}", k, to_string(input.shape)));
        if (axes.empty() ? input.shape[k] != 1 : !dropped[k]) shape.push_back(input.shape[k]);
    }
    if (dropped.front()) node.fail("squeezes the batch");
    give_reshaped(converter, node, input, shape);
}

void convert_unsqueeze(Converter& converter, const OnnxNode& node) {
    const Signal input = converter.signal(node, 0);
    Shape shape = input.shape;
    auto axes = converter.integers(node, "axes", 1);
    std::sort(axes.begin(), axes.end());
    for (const std::int64_t axis : axes) {
        if (axis < 1 || axis > static_cast<std::int64_t>(shape.size()))
            node.fail(fmt::format("adds axis {} to shape {}", axis, to_string(shape)));
        shape.insert(shape.begin() + axis, 1);
    }
    give_reshaped(converter, node, input, shape);
}

void convert_concat(Converter& converter, const OnnxNode& node) {
    std::vector<Signal> parts;
    for (std::size_t i = 0; i < node.inputs(); ++i) parts.push_back(converter.signal(node, i));
    if (parts.empty()) node.fail("has no input");
    const Signal& first = parts.front();
    if (resolve_axis(node, node.integer("axis", 1), first.shape.size()) != 1)
        node.fail("joins along another axis than the channels");
    ImageShape image{0, first.image.height, first.image.width};
    for (const Signal& part : parts) {
        if (part.shape.size() != first.shape.size() || part.image.height != image.height ||
            part.image.width != image.width)
            node.fail(fmt::format("joins shapes {} and {}", to_string(first.shape),
                                  to_string(part.shape)));
        image.channels += part.image.channels;
    }
    converter.give(node, converter.add(node, ConcatOp{}, parts, image));
}

Signal take_channels(Converter& converter, const OnnxNode& node, const Signal& input,
                     std::size_t first, std::size_t count) {
    if (count == 0) node.fail("keeps no channel");
    if (input.shape.size() == 2 && input.image.size() != input.image.channels)
        node.fail("cuts flattened feature maps");
    const ImageShape image{count, input.image.height, input.image.width};
    return converter.add(node, SliceOp{first, count}, {input}, image);
}

bool keeps_all(const AxisSlice& slice, std::size_t extent) {
    return slice.first == 0 && slice.step == 1 && slice.count == extent;
}

/// Every step-th pixel from the first to the end: the start of a shortcut without parameters.
void subsample(const OnnxNode& node, const AxisSlice& slice, Subsampled& result) {
    const std::size_t extent = result.of.shape[slice.axis];
    const auto step = static_cast<std::size_t>(std::max(slice.step, std::int64_t{1}));
    if (slice.first != 0 || slice.step < 1 || slice.count != (extent + step - 1) / step)
        node.fail("cuts the image; every n-th pixel of the whole is known alone");
    (slice.axis == 2 ? result.rows : result.columns) *= step;
}

/// What is already subsampled may be subsampled along its other axis.
Subsampled subsampled_input(Converter& converter, const OnnxNode& node) {
    if (const auto* found = std::get_if<Subsampled>(&converter.value(node, 0)))
        if (found->rows == 1 || found->columns == 1) return *found;
    Subsampled plain;
    plain.of = converter.signal(node, 0);
    return plain;
}

void convert_slice(Converter& converter, const OnnxNode& node) {
    Subsampled result = subsampled_input(converter, node);
    const Signal input = result.of;
    const bool plain = result.rows == 1 && result.columns == 1;
    Shape shape = input.shape;
    if (!plain) shape[2] = (shape[2] + result.rows - 1) / result.rows;
    if (!plain) shape[3] = (shape[3] + result.columns - 1) / result.columns;
    const auto argument = [&](const char* name, std::size_t i) {
        return converter.integers(node, name, i);
    };
    std::vector<AxisSlice> slices = read_slices(node, shape, argument);
    std::erase_if(slices, [&](const AxisSlice& s) { return keeps_all(s, shape[s.axis]); });
    if (slices.empty()) return convert_identity(converter, node);
    if (plain && slices.size() == 1 && slices[0].axis == 1) {
        if (slices[0].step != 1) node.fail("takes channels in steps");
        return converter.give(
            node, take_channels(converter, node, input, static_cast<std::size_t>(slices[0].first),
                                slices[0].count));
    }
    for (const AxisSlice& slice : slices) {
        if (slice.axis < 2) node.fail("cuts channels or batch together with the image");
        if ((slice.axis == 2 ? result.rows : result.columns) != 1)
            node.fail("takes steps of steps along one axis");
        subsample(node, slice, result);
    }
    converter.give(node, result);
}

void convert_split(Converter& converter, const OnnxNode& node) {
    const Signal input = converter.signal(node, 0);
    if (resolve_axis(node, node.integer("axis", 0), input.shape.size()) != 1)
        node.fail("splits another axis than the channels");
    auto counts = converter.integers(node, "split", 1);
    const auto outputs = static_cast<std::size_t>(node.proto().output_size());
    const std::size_t channels = input.image.channels;
    if (counts.empty()) {
        const std::size_t share = (channels + outputs - 1) / outputs;
        for (std::size_t i = 0, left = channels; i < outputs; ++i, left -= std::min(share, left))
            counts.push_back(static_cast<std::int64_t>(std::min(share, left)));
    }
    if (counts.size() != outputs)
        node.fail(fmt::format("splits into {} parts but gives {}", counts.size(), outputs));
    std::size_t first = 0;
    for (std::size_t i = 0; i < outputs; ++i) {
        const auto count = static_cast<std::size_t>(std::max<std::int64_t>(counts[i], 0));
        if (count > channels - first)
            node.fail(fmt::format("splits off more than its {} channels", channels));
        converter.give(node.proto().output(static_cast<int>(i)),
                       take_channels(converter, node, input, first, count));
        first += count;
    }
    if (first != channels) node.fail(fmt::format("leaves over {} channels", channels - first));
}

/// Zeros that Pad adds per axis: before and after each, all axes.
std::vector<std::size_t> read_pads(Converter& converter, const OnnxNode& node) {
    constexpr std::int64_t most = 65536;
    if (node.text("mode", "constant") != "constant")
        node.fail(fmt::format("pads by '{}'; zeros are known alone", node.text("mode", "")));
    const Tensor* value = converter.constant(node, 2);
    const float fill =
        value != nullptr && value->values.size() == 1 ? value->values[0] : node.number("value", 0);
    if (fill != 0) node.fail(fmt::format("pads with {}; zeros are known alone", fill));
    if (converter.has_input(node, 3)) node.fail("names the axes it pads (input 3)");
    std::vector<std::size_t> pads;
    for (const std::int64_t pad : converter.integers(node, "pads", 1)) {
        if (pad < 0 || pad > most) node.fail(fmt::format("pads by {}", pad));
        pads.push_back(static_cast<std::size_t>(pad));
    }
    return pads;
}

Subsampled strided_input(Converter& converter, const OnnxNode& node) {
    const Value& value = converter.value(node, 0);
    if (const auto* found = std::get_if<Subsampled>(&value)) return *found;
    Subsampled plain;
    plain.of = converter.signal(node, 0);
    return plain;
}

/// Zero channels before and after, on every n-th pixel: a ResNet's shortcut without parameters.
void give_shortcut(Converter& converter, const OnnxNode& node,
                   const std::vector<std::size_t>& pads) {
    if (pads[1] != pads[5])
        node.fail(
            fmt::format("adds {} channels before and {} after; as many on both sides are "
                        "known",
                        pads[1], pads[5]));
    const Subsampled input = strided_input(converter, node);
    const std::size_t stride = shared(node, "step", input.rows, input.columns);
    const ImageShape& image = input.of.image;
    const auto reduced = [stride](std::size_t side) { return (side + stride - 1) / stride; };
    const std::size_t channels = image.channels + 2 * pads[1];
    converter.give(node, converter.add(node, PadShortcutOp{stride, channels}, {input.of},
                                       {channels, reduced(image.height), reduced(image.width)}));
}

void convert_pad(Converter& converter, const OnnxNode& node) {
    const auto pads = read_pads(converter, node);
    if (std::all_of(pads.begin(), pads.end(), [](std::size_t pad) { return pad == 0; }))
        return convert_identity(converter, node);
    if (pads.size() != 8 || pads[0] + pads[4] > 0)
        node.fail("pads something else than the channels or sides of an image");
    const bool sides = pads[2] + pads[3] + pads[6] + pads[7] > 0;
    if (pads[1] + pads[5] > 0) {
        if (sides) node.fail("pads channels and sides at once");
        return give_shortcut(converter, node, pads);
    }
    const Signal input = converter.signal(node, 0);
    if (input.shape.size() != 4) node.fail("pads flattened feature maps");
    converter.give(node, Padded{input, pads[2], pads[3], pads[6], pads[7]});
}

/// Whether output pixel i shows input pixel floor(i / factor), whatever the factor: so do the
/// pairs of rules that exporters write for nearest-neighbour upsampling by whole factors.
bool repeats_pixels(Converter& converter, const OnnxNode& node) {
    if (node.text("mode", "nearest") != "nearest") return false;
    if (node.kind() == "Upsample" || converter.model().operator_set() < 11) return true;
    const std::string place = node.text("coordinate_transformation_mode", "half_pixel");
    const std::string rounding = node.text("nearest_mode", "round_prefer_floor");
    if (place == "asymmetric") return rounding == "floor";
    return (place == "half_pixel" || place == "pytorch_half_pixel") &&
           (rounding == "round_prefer_floor" || rounding == "round_prefer_ceil");
}

/// How many times larger each axis becomes, by `scales` or by `sizes`.
std::vector<float> read_scales(Converter& converter, const OnnxNode& node, const Signal& input) {
    const bool old = node.kind() == "Upsample" || converter.model().operator_set() < 11;
    if (node.has("scales")) return node.numbers("scales");
    const Tensor* scales = converter.constant(node, old ? 1 : 2);
    if (scales != nullptr && !scales->values.empty()) return scales->values;
    std::vector<float> factors;
    const auto sizes = converter.integers(node, "sizes", 3);
    for (std::size_t k = 0; k < std::min(sizes.size(), input.shape.size()); ++k)
        factors.push_back(static_cast<float>(sizes[k]) / static_cast<float>(input.shape[k]));
    return factors;
}

void convert_resize(Converter& converter, const OnnxNode& node) {
    constexpr float largest_factor = 64;  // as `nn/graph` has it
    const Signal input = converter.signal(node, 0);
    const auto scales = read_scales(converter, node, input);
    if (!repeats_pixels(converter, node) || node.has("axes") || scales.size() != 4 ||
        input.shape.size() != 4)
        node.fail(
            "resizes by interpolation or by rules that do not repeat pixels; nearest "
            "neighbours of images are known alone");
    const float factor = scales[2];
    if (scales[0] != 1 || scales[1] != 1 || scales[3] != factor || !(factor >= 1) ||
        factor > largest_factor || factor != static_cast<float>(static_cast<int>(factor)))
        node.fail(
            fmt::format("enlarges by {} x {}; one whole number for both sides is known, at "
                        "most {}",
                        factor, scales[3], largest_factor));
    const auto whole = static_cast<std::size_t>(factor);
    const ImageShape image{input.image.channels, input.image.height * whole,
                           input.image.width * whole};
    converter.give(node, converter.add(node, UpsampleOp{whole}, {input}, image));
}

void convert_cast(Converter& converter, const OnnxNode& node) {
    const auto to = node.integer("to", 0);
    if (to != ::onnx::TensorProto::FLOAT && to != ::onnx::TensorProto::DOUBLE &&
        to != ::onnx::TensorProto::FLOAT16)
        node.fail("turns feature maps into whole numbers");
    convert_identity(converter, node);
}

}  // namespace

const Conversions& shape_conversions() {
    static const Conversions known{{"Identity", convert_identity}, {"Dropout", convert_identity},
                                   {"Cast", convert_cast},         {"Shape", convert_shape},
                                   {"Flatten", convert_flatten},   {"Reshape", convert_reshape},
                                   {"Squeeze", convert_squeeze},   {"Unsqueeze", convert_unsqueeze},
                                   {"Concat", convert_concat},     {"Slice", convert_slice},
                                   {"Split", convert_split},       {"Pad", convert_pad},
                                   {"Resize", convert_resize},     {"Upsample", convert_resize}};
    return known;
}

}  // namespace kirchnet::onnx_import
