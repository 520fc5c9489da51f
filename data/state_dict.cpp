#include "data/state_dict.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "circuit/error.hpp"
#include "data/detail/hdf5_state_dict.hpp"
#include "data/detail/shape.hpp"

namespace kirchnet {
namespace {

/// What wrappers put before every name: parallel training, a class around the network, compilation.
constexpr std::string_view wrappers[] = {"module.", "model.", "_orig_mod."};

std::string_view find_common_prefix(const StateDict::Tensors& tensors) {
    const auto is_common = [&](std::string_view prefix) {
        return std::all_of(tensors.begin(), tensors.end(), [&](const auto& tensor) {
            return tensor.first.starts_with(prefix) && tensor.first.size() > prefix.size();
        });
    };
    const auto* found = std::find_if(std::begin(wrappers), std::end(wrappers), is_common);
    return found == std::end(wrappers) ? std::string_view{} : *found;
}

}  // namespace

StateDict::StateDict(std::string source, Tensors tensors, Attributes attributes)
    : source_(std::move(source)), tensors_(std::move(tensors)), attributes_(std::move(attributes)) {
    if (tensors_.empty()) throw InvalidInput(source_, "holds no tensor");
    strip_common_prefixes();
}

void StateDict::strip_common_prefixes() {
    for (auto prefix = find_common_prefix(tensors_); !prefix.empty();
         prefix = find_common_prefix(tensors_)) {
        Tensors bare;
        for (auto& [name, tensor] : tensors_)
            bare.emplace(name.substr(prefix.size()), std::move(tensor));
        tensors_ = std::move(bare);
        prefix_ += prefix;
    }
}

void StateDict::fail(const std::string& name, const std::string& problem) const {
    throw InvalidInput(fmt::format("{}:/{}{}", source_, prefix_, name), problem);
}

const Tensor& StateDict::find(const std::string& name) const {
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) fail(name, "tensor is missing");
    return found->second;
}

const std::vector<std::size_t>& StateDict::shape(const std::string& name) const {
    return find(name).shape;
}

Tensor StateDict::take(const std::string& name, std::size_t rank) {
    const Tensor& tensor = find(name);
    if (tensor.shape.size() != rank)
        fail(name, fmt::format("has shape {}, {} dimension{} needed", to_string(tensor.shape), rank,
                               rank == 1 ? " is" : "s are"));
    if (tensor.values.empty()) fail(name, "is empty");
    for (std::size_t i = 0; i < tensor.values.size(); ++i)
        if (!std::isfinite(tensor.values[i]))
            fail(name, fmt::format("value {} is {}, not a finite number", i, tensor.values[i]));
    return std::move(tensors_.extract(name).mapped());
}

Tensor StateDict::take_shaped(const std::string& name, const std::vector<std::size_t>& shape) {
    Tensor tensor = take(name, shape.size());
    if (tensor.shape != shape)
        fail(name, fmt::format("has shape {}, its neighbours need {}", to_string(tensor.shape),
                               to_string(shape)));
    return tensor;
}

std::vector<std::string> StateDict::unused() const {
    std::vector<std::string> names;
    for (const auto& [name, tensor] : tensors_) names.push_back(name);
    return names;
}

void StateDict::check_all_used(std::string_view architecture) const {
    if (tensors_.empty()) return;
    throw InvalidInput(source_, fmt::format("{} tensor{} no place in a {}: {}", tensors_.size(),
                                            tensors_.size() == 1 ? " has" : "s have", architecture,
                                            fmt::join(unused(), ", ")));
}

double StateDict::number(const std::string& name) const {
    const auto values = numbers(name);
    if (values.size() != 1)
        throw InvalidInput(source_, fmt::format("attribute '{}' is not one number", name));
    return values.front();
}

std::vector<double> StateDict::numbers(const std::string& name) const {
    const auto found = attributes_.find(name);
    if (found == attributes_.end())
        throw InvalidInput(source_, fmt::format("attribute '{}' is missing", name));
    if (const auto* number = std::get_if<double>(&found->second)) return {*number};
    if (const auto* list = std::get_if<std::vector<double>>(&found->second)) return *list;
    throw InvalidInput(source_, fmt::format("attribute '{}' holds text, numbers are needed", name));
}

bool is_batch_counter(std::string_view name) {
    constexpr std::string_view counter = "num_batches_tracked";
    return name == counter || name.ends_with(".num_batches_tracked");
}

StateDict read_state_dict(const std::filesystem::path& path) {
    return read_hdf5_state_dict(path);
}

}  // namespace kirchnet
