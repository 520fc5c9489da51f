#include "data/detail/onnx/folding.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "data/detail/onnx/slices.hpp"

namespace kirchnet::onnx_import {
namespace {

struct Arguments {
    const OnnxNode& node;
    const std::vector<Constant>& inputs;
    MemoryBudget& budget;

    const Numbers& operator[](std::size_t i) const {
        if (i >= inputs.size() || inputs[i] == nullptr)
            node.fail(fmt::format("its input {} is missing", i));
        return *inputs[i];
    }
    [[nodiscard]] std::vector<std::int64_t> integers(const char* name, std::size_t input) const {
        if (input < inputs.size() && inputs[input] != nullptr)
            return to_integers(inputs[input]->tensor);
        return node.integers(name, {});
    }
};

/// Elements first + sum_k index_k strides_k, index over `shape`.
Tensor gather_strided(const Arguments& in, const Tensor& from, const Shape& shape,
                      const std::vector<std::int64_t>& strides, std::int64_t first) {
    const std::size_t count = element_count(shape, in.node.where());
    in.budget.take(count, in.node.where());
    Tensor result{shape, std::vector<float>(count)};
    Shape index(shape.size(), 0);
    std::int64_t place = first;
    for (float& value : result.values) {
        value = from.values[static_cast<std::size_t>(place)];
        for (std::size_t k = shape.size(); k-- > 0;) {
            place += strides[k];
            if (++index[k] < shape[k]) break;
            place -= strides[k] * static_cast<std::int64_t>(shape[k]);
            index[k] = 0;
        }
    }
    return result;
}

std::vector<std::int64_t> signed_strides(const Shape& shape) {
    const Shape dense = dense_strides(shape);
    return {dense.begin(), dense.end()};
}

Numbers fold_constant(const Arguments& in) {
    if (const auto* tensor = in.node.tensor("value"))
        return read_numbers(*tensor, in.budget, in.node.where());
    if (in.node.has("value_ints")) return make_integers(in.node.integers("value_ints", {}));
    Numbers numbers;
    if (in.node.has("value_int")) {
        numbers = make_integers({in.node.integer("value_int", 0)});
        numbers.tensor.shape.clear();
    } else if (in.node.has("value_floats")) {
        numbers.tensor.values = in.node.numbers("value_floats");
        numbers.tensor.shape = {numbers.tensor.values.size()};
    } else if (in.node.has("value_float")) {
        numbers.tensor.values = {in.node.number("value_float", 0)};
    } else {
        in.node.fail("holds no dense numbers");
    }
    return numbers;
}

Numbers fold_cast(const Arguments& in) {
    Numbers result = in[0];
    const auto to = in.node.integer("to", ::onnx::TensorProto::FLOAT);
    result.integral = to == ::onnx::TensorProto::INT64 || to == ::onnx::TensorProto::INT32;
    in.budget.take(result.tensor.values.size(), in.node.where());
    if (result.integral)
        for (float& value : result.tensor.values) value = std::trunc(value);
    return result;
}

/// The same numbers under another shape.
Numbers with_shape(const Arguments& in, Shape shape) {
    in.budget.take(in[0].tensor.values.size(), in.node.where());
    Numbers result = in[0];
    result.tensor.shape = std::move(shape);
    return result;
}

Numbers fold_reshape(const Arguments& in) {
    return with_shape(in, reshaped(in.node, in[0].tensor.shape, in.integers("shape", 1)));
}

Numbers fold_unsqueeze(const Arguments& in) {
    Shape shape = in[0].tensor.shape;
    auto axes = in.integers("axes", 1);
    std::vector<std::size_t> places;
    for (const std::int64_t axis : axes)
        places.push_back(resolve_axis(in.node, axis, shape.size() + axes.size()));
    std::sort(places.begin(), places.end());
    for (const std::size_t place : places) {
        if (place > shape.size()) in.node.fail("names an axis twice");
        shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(place), 1);
    }
    return with_shape(in, shape);
}

Numbers fold_squeeze(const Arguments& in) {
    const Shape& shape = in[0].tensor.shape;
    std::vector<bool> dropped(shape.size(), false);
    const auto axes = in.integers("axes", 1);
    for (const std::int64_t axis : axes) dropped[resolve_axis(in.node, axis, shape.size())] = true;
    Shape left;
    for (std::size_t k = 0; k < shape.size(); ++k) {
        if (axes.empty()) dropped[k] = shape[k] == 1;
        if (!dropped[k]) left.push_back(shape[k]);
        if (dropped[k] && shape[k] != 1)
            in.node.fail(fmt::format("squeezes axis {} of shape {}", k, to_string(shape)));
    }
    return with_shape(in, left);
}

Numbers fold_gather(const Arguments& in) {
    const Tensor& from = in[0].tensor;
    const Tensor& indices = in[1].tensor;
    if (from.shape.size() != 1 || in.node.integer("axis", 0) != 0 || indices.shape.size() > 1)
        in.node.fail("gathers from more than a list of numbers");
    in.budget.take(indices.values.size(), in.node.where());
    Numbers result{{indices.shape, {}}, in[0].integral};
    for (const std::int64_t index : to_integers(indices)) {
        const auto extent = static_cast<std::int64_t>(from.values.size());
        if (index < -extent || index >= extent)
            in.node.fail(fmt::format("asks for element {} of {}", index, extent));
        result.tensor.values.push_back(
            from.values[static_cast<std::size_t>(index < 0 ? index + extent : index)]);
    }
    return result;
}

Numbers fold_concat(const Arguments& in) {
    Numbers result{{{0}, {}}, in[0].integral};
    for (std::size_t i = 0; i < in.inputs.size(); ++i) {
        const Tensor& part = in[i].tensor;
        if (part.shape.size() != 1) in.node.fail("joins constants that are no lists of numbers");
        in.budget.take(part.values.size(), in.node.where());
        result.tensor.values.insert(result.tensor.values.end(), part.values.begin(),
                                    part.values.end());
    }
    result.tensor.shape = {result.tensor.values.size()};
    return result;
}

Numbers fold_slice(const Arguments& in) {
    const Tensor& from = in[0].tensor;
    Shape shape = from.shape;
    auto strides = signed_strides(shape);
    std::int64_t first = 0;
    for (const AxisSlice& slice :
         read_slices(in.node, from.shape,
                     [&](const char*name, std::size_t i) { return in.integers(name, i); })) {
        if (shape[slice.axis] != from.shape[slice.axis]) in.node.fail("names an axis twice");
        first += slice.first * strides[slice.axis];
        strides[slice.axis] *= slice.step;
        shape[slice.axis] = slice.count;
    }
    return {gather_strided(in, from, shape, strides, first), in[0].integral};
}

Numbers fold_transpose(const Arguments& in) {
    const Tensor& from = in[0].tensor;
    std::vector<std::int64_t> order(from.shape.size());
    std::iota(order.rbegin(), order.rend(), 0);
    order = in.node.integers("perm", order);
    std::vector<bool> used(from.shape.size(), false);
    Shape shape;
    std::vector<std::int64_t> strides;
    for (const std::int64_t entry : order) {
        const std::size_t axis = resolve_axis(in.node, entry, from.shape.size());
        used[axis] = true;
        shape.push_back(from.shape[axis]);
        strides.push_back(signed_strides(from.shape)[axis]);
    }
    if (order.size() != used.size() || std::find(used.begin(), used.end(), false) != used.end())
        in.node.fail("its perm does not name every axis once");
    return {gather_strided(in, from, shape, strides, 0), in[0].integral};
}

Numbers fold_constant_of_shape(const Arguments& in) {
    Shape shape;
    for (const std::int64_t extent : to_integers(in[0].tensor)) {
        if (extent < 0) in.node.fail(fmt::format("asks for an extent of {}", extent));
        shape.push_back(static_cast<std::size_t>(extent));
    }
    Numbers fill{{{1}, {0}}, false};
    if (const auto* value = in.node.tensor("value"))
        fill = read_numbers(*value, in.budget, in.node.where());
    if (fill.tensor.values.size() != 1) in.node.fail("fills with more than one number");
    const std::size_t count = element_count(shape, in.node.where());
    in.budget.take(count, in.node.where());
    return {{shape, std::vector<float>(count, fill.tensor.values[0])}, fill.integral};
}

template <class Operation>
Numbers combine(const Arguments& in, Operation operation) {
    const Numbers& a = in[0];
    const Numbers& b = in[1];
    const Tensor& larger = a.tensor.values.size() >= b.tensor.values.size() ? a.tensor : b.tensor;
    const auto fits = [&](const Tensor& tensor) {
        return tensor.values.size() == 1 || tensor.shape == larger.shape;
    };
    if (!fits(a.tensor) || !fits(b.tensor))
        in.node.fail(fmt::format("combines constants of shapes {} and {}",
                                 to_string(a.tensor.shape), to_string(b.tensor.shape)));
    const auto at = [](const Tensor& tensor, std::size_t i) {
        return tensor.values[tensor.values.size() == 1 ? 0 : i];
    };
    in.budget.take(larger.values.size(), in.node.where());
    Numbers result{{larger.shape, {}}, a.integral && b.integral};
    for (std::size_t i = 0; i < larger.values.size(); ++i) {
        const float value = operation(at(a.tensor, i), at(b.tensor, i));
        result.tensor.values.push_back(result.integral ? std::trunc(value) : value);
    }
    return result;
}

Numbers fold_floor(const Arguments& in) {
    Numbers result = with_shape(in, in[0].tensor.shape);
    for (float& value : result.tensor.values) value = std::floor(value);
    return result;
}

using Folding = Numbers (*)(const Arguments&);

const std::map<std::string, Folding>& foldings() {
    static const std::map<std::string, Folding> known{
        {"Constant", fold_constant},
        {"Cast", fold_cast},
        {"Reshape", fold_reshape},
        {"Unsqueeze", fold_unsqueeze},
        {"Squeeze", fold_squeeze},
        {"Gather", fold_gather},
        {"Concat", fold_concat},
        {"Slice", fold_slice},
        {"Transpose", fold_transpose},
        {"ConstantOfShape", fold_constant_of_shape},
        {"Floor", fold_floor},
        {"Add", [](const Arguments& in) { return combine(in, std::plus<float>()); }},
        {"Sub", [](const Arguments& in) { return combine(in, std::minus<float>()); }},
        {"Mul", [](const Arguments& in) { return combine(in, std::multiplies<float>()); }},
        {"Div", [](const Arguments& in) { return combine(in, std::divides<float>()); }}};
    return known;
}

}  // namespace

bool is_foldable(const std::string& kind) {
    return foldings().contains(kind);
}

Numbers fold(const OnnxNode& node, const std::vector<Constant>& inputs, MemoryBudget& budget) {
    return foldings().at(node.kind())({node, inputs, budget});
}

Shape reshaped(const OnnxNode& node, const Shape& shape, const std::vector<std::int64_t>& target) {
    const std::size_t count = element_count(shape, node.where());
    const bool keeps_zeros = node.integer("allowzero", 0) == 0;
    Shape result;
    std::size_t open = target.size();
    std::size_t known = 1;
    for (std::size_t k = 0; k < target.size(); ++k) {
        const bool copied = target[k] == 0 && keeps_zeros && k < shape.size();
        if (target[k] == -1 && open == target.size())
            open = k;
        else if (target[k] < 0)
            node.fail(fmt::format("asks for an extent of {}", target[k]));
        result.push_back(copied          ? shape[k]
                         : target[k] < 0 ? 1
                                         : static_cast<std::size_t>(target[k]));
        if (__builtin_mul_overflow(known, result.back(), &known)) known = 0;
    }
    if (open < target.size() && known > 0) known *= result[open] = count / known;
    if (known != count)
        node.fail(
            fmt::format("cannot make shape ({}) of {}", fmt::join(target, ", "), to_string(shape)));
    return result;
}

}  // namespace kirchnet::onnx_import
