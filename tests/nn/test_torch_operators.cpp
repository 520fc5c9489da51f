// Digital operators against PyTorch's values: tests/data/torch_operators.
#include <doctest/doctest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "nn/feature_maps.hpp"

using namespace kirchnet;

namespace {

using Kind = ActivationOp::Kind;

struct Case {
    std::string name;
    std::vector<FeatureMaps> inputs;
    FeatureMaps expected;
};

FeatureMaps read_maps(std::istringstream& text) {
    ImageShape shape;
    std::string colon;
    text >> shape.channels >> shape.height >> shape.width >> colon;
    FeatureMaps maps;
    maps.resize(shape, 1);
    for (float& value : maps.values) text >> value;
    REQUIRE(text);
    return maps;
}

std::vector<Case> read_cases() {
    std::ifstream file(KIRCHNET_TEST_CASES "/torch_operators/values.txt");
    std::vector<Case> cases;
    for (std::string line; std::getline(file, line);) {
        std::istringstream text(line);
        std::string word;
        text >> word;
        if (word == "case") text >> cases.emplace_back().name;
        if (word == "in") cases.back().inputs.push_back(read_maps(text));
        if (word == "out") cases.back().expected = read_maps(text);
    }
    return cases;
}

PoolOp pool(PoolOp::Kind kind, std::size_t kernel, std::size_t stride, std::size_t padding,
            std::size_t extra, bool counts = true) {
    return {kind, kernel, stride, padding, extra, counts};
}

constexpr auto maximum = PoolOp::Kind::maximum;
constexpr auto average = PoolOp::Kind::average;

const std::map<std::string, Operation>& operations() {
    static const std::map<std::string, Operation> all{
        {"leaky_relu", ActivationOp{Kind::leaky_relu, 0.1F}},
        {"relu6", ActivationOp{Kind::relu6, 0}},
        {"sigmoid", ActivationOp{Kind::sigmoid, 0}},
        {"tanh", ActivationOp{Kind::tanh, 0}},
        {"silu", ActivationOp{Kind::silu, 0}},
        {"mish", ActivationOp{Kind::mish, 0}},
        {"hard_sigmoid", ActivationOp{Kind::hard_sigmoid, 0}},
        {"hard_swish", ActivationOp{Kind::hard_swish, 0}},
        {"concat", ConcatOp{}},
        {"slice", SliceOp{1, 3}},
        {"upsample", UpsampleOp{3}},
        {"max_ceil", pool(maximum, 3, 2, 0, 1)},
        {"max_same", pool(maximum, 5, 1, 2, 0)},
        {"max_even", pool(maximum, 2, 1, 0, 1)},
        {"max_strided", pool(maximum, 3, 2, 1, 0)},
        {"average_counting", pool(average, 3, 2, 1, 0)},
        {"average_not_counting", pool(average, 3, 2, 1, 0, false)},
        {"average_ceil", pool(average, 3, 2, 0, 1, false)},
        {"average_off_centre", pool(average, 2, 1, 0, 1)},
    };
    return all;
}

/// Two images: the maps, and the maps times `factor`.
FeatureMaps doubled(const FeatureMaps& one, float factor) {
    FeatureMaps two;
    two.resize(one.shape, 2);
    for (std::size_t c = 0; c < one.shape.channels; ++c)
        for (std::size_t i = 0; i < one.plane(); ++i) {
            two.channel(c)[i] = one.channel(c)[i];
            two.channel(c)[one.plane() + i] = factor * one.channel(c)[i];
        }
    return two;
}

FeatureMaps applied(const Operation& operation, const std::vector<FeatureMaps>& inputs) {
    std::vector<const FeatureMaps*> pointers;
    for (const FeatureMaps& input : inputs) pointers.push_back(&input);
    FeatureMaps out;
    apply(operation, pointers, out);
    return out;
}

void check_values(const FeatureMaps& found, const FeatureMaps& expected) {
    CHECK(found.shape == expected.shape);
    REQUIRE(found.values.size() == expected.values.size());
    // Exponentials of two float libraries differ by a few units in the last place.
    for (std::size_t i = 0; i < found.values.size(); ++i)
        CHECK(found.values[i] == doctest::Approx(expected.values[i]).epsilon(1e-6).scale(1e-3));
}

}  // namespace

TEST_CASE("every digital operator gives PyTorch's values") {
    const auto cases = read_cases();
    REQUIRE(cases.size() == operations().size());
    for (const Case& one : cases) {
        CAPTURE(one.name);
        check_values(applied(operations().at(one.name), one.inputs), one.expected);
    }
}

TEST_CASE("images of a block do not mix") {
    // Pools and rearrangements commute with a factor above 0.
    for (const Case& one : read_cases()) {
        const Operation& operation = operations().at(one.name);
        if (std::holds_alternative<ActivationOp>(operation)) continue;
        CAPTURE(one.name);
        std::vector<FeatureMaps> inputs;
        for (const FeatureMaps& input : one.inputs) inputs.push_back(doubled(input, 3));
        check_values(applied(operation, inputs), doubled(one.expected, 3));
    }
}

TEST_CASE("an activation may write over its input") {
    for (const Case& one : read_cases()) {
        const auto* activation = std::get_if<ActivationOp>(&operations().at(one.name));
        if (activation == nullptr) continue;
        CAPTURE(one.name);
        FeatureMaps maps = one.inputs.front();
        activate(*activation, maps.values.data(), maps.values.size(), maps.values.data());
        check_values(maps, one.expected);
    }
}
