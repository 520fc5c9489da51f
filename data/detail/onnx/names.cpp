#include "data/detail/onnx/names.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

namespace kirchnet::onnx_import {
namespace {

constexpr std::size_t longest_name = 120;

std::vector<std::string_view> split_path(std::string_view path) {
    std::vector<std::string_view> parts;
    for (std::size_t from = 0; from <= path.size();) {
        const std::size_t end = std::min(path.find('/', from), path.size());
        if (end > from) parts.push_back(path.substr(from, end - from));
        from = end + 1;
    }
    return parts;
}

/// PyTorch's scopes: a child in a list repeats its list's name (`layer1/layer1.0`), the last part
/// is the operator.
std::string from_scopes(std::string_view path, const std::string& kind) {
    std::vector<std::string_view> parts = split_path(path);
    if (parts.size() > 1 && parts.back().starts_with(kind)) parts.pop_back();
    std::string name;
    std::string_view before;
    for (const std::string_view part : parts) {
        const bool repeats = !before.empty() && part.starts_with(before) &&
                             part.substr(before.size()).starts_with('.');
        if (repeats)
            name += part.substr(before.size());
        else
            name.append(name.empty() ? "" : ".").append(part);
        before = part;
    }
    return name;
}

/// Names become groups of our files: printable, without slashes and leading dots.
std::string tidy(std::string name) {
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-' || c == '.';
    };
    std::replace_if(
        name.begin(), name.end(), [&](char c) { return !plain(c); }, '_');
    name.erase(0, std::min(name.find_first_not_of('.'), name.size()));
    if (name.size() > longest_name) name.resize(longest_name);
    return name;
}

}  // namespace

std::string suggest_name(const OnnxNode& node, std::size_t weights) {
    constexpr std::string_view ending = ".weight";
    if (weights > 0)
        if (const std::string& name = node.input(weights); name.ends_with(ending))
            if (auto layer = tidy(name.substr(0, name.size() - ending.size())); !layer.empty())
                return layer;
    if (auto name = tidy(from_scopes(node.proto().name(), node.kind())); !name.empty()) return name;
    const std::string name = tidy(node.output());
    return name.empty() ? "node" : name;
}

}  // namespace kirchnet::onnx_import
