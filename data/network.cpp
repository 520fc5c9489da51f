#include "data/network.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "circuit/error.hpp"

namespace kirchnet {
namespace {

using Kind = ActivationOp::Kind;

constexpr std::array<std::pair<Kind, std::string_view>, 8> activation_names{{
    {Kind::leaky_relu, "leaky_relu"},
    {Kind::relu6, "relu6"},
    {Kind::sigmoid, "sigmoid"},
    {Kind::tanh, "tanh"},
    {Kind::silu, "silu"},
    {Kind::mish, "mish"},
    {Kind::hard_sigmoid, "hard_sigmoid"},
    {Kind::hard_swish, "hard_swish"},
}};

}  // namespace

std::string_view to_string(ActivationOp::Kind kind) {
    for (const auto& [known, name] : activation_names)
        if (known == kind) return name;
    return "unknown";
}

ActivationOp::Kind parse_activation(std::string_view text) {
    std::string names;
    for (const auto& [kind, name] : activation_names) {
        if (name == text) return kind;
        names += fmt::format("{}{}", names.empty() ? "" : ", ", name);
    }
    throw InvalidInput(fmt::format("activation '{}' is none of {}", text, names));
}

}  // namespace kirchnet
