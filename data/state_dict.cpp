#include "data/state_dict.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "circuit/error.hpp"
#include "data/detail/decompression.hpp"
#include "data/detail/hdf5_reader.hpp"
#include "data/detail/hdf5_state_dict.hpp"
#include "data/detail/plain_text.hpp"
#include "data/detail/pth_reader.hpp"
#include "data/detail/safetensors_reader.hpp"
#include "data/detail/shape.hpp"

namespace kirchnet {
namespace {

/// What wrappers put before every name: parallel training, a class around the network, compilation.
constexpr std::string_view wrappers[] = {"module.", "model.", "_orig_mod."};

constexpr std::size_t longest_signature = 16;      // [bytes]
constexpr std::size_t largest_file = 8ULL << 30U;  // [bytes]

std::string_view as_text(const Bytes& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string_view find_common_prefix(const StateDict::Tensors& tensors) {
    const auto is_common = [&](std::string_view prefix) {
        return std::all_of(tensors.begin(), tensors.end(), [&](const auto& tensor) {
            return tensor.first.starts_with(prefix) && tensor.first.size() > prefix.size();
        });
    };
    const auto* found = std::find_if(std::begin(wrappers), std::end(wrappers), is_common);
    return found == std::end(wrappers) ? std::string_view{} : *found;
}

/// `0.5`, `0.5, 0.25` or `[0.5, 0.25]`: some formats have no other attributes than texts.
std::optional<std::vector<double>> parse_numbers(std::string_view text) {
    if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
    std::vector<double> numbers;
    for (bool more = true; more;) {
        text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
        double number = 0;
        const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (status != std::errc{}) return std::nullopt;
        numbers.push_back(number);
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
        more = text.starts_with(',');
        if (more) text.remove_prefix(1);
    }
    return text.empty() ? std::optional(numbers) : std::nullopt;
}

}  // namespace

StateDict::StateDict(std::string source, Tensors tensors, Attributes attributes)
    : source_(std::move(source)), tensors_(std::move(tensors)), attributes_(std::move(attributes)) {
    if (tensors_.empty()) throw InvalidInput(source_, "holds no tensor");
    check_names();
    strip_common_prefixes();
}

/// Names become those of nodes: parts of files and lines of tables.
void StateDict::check_names() const {
    for (const auto& [name, tensor] : tensors_)
        if (name.empty() || name.find('/') != std::string::npos || !is_plain_text(name))
            throw InvalidInput(source_, fmt::format("tensor name '{}' is empty, or has a slash or "
                                                    "characters beyond printable ASCII",
                                                    printable(name)));
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
    if (auto list = parse_numbers(std::get<std::string>(found->second))) return *list;
    throw InvalidInput(source_, fmt::format("attribute '{}' holds text, numbers are needed", name));
}

bool is_batch_counter(std::string_view name) {
    constexpr std::string_view counter = "num_batches_tracked";
    return name == counter || name.ends_with(".num_batches_tracked");
}

StateDict read_state_dict(const std::filesystem::path& path) {
    const Bytes start = read_bytes(path, longest_signature);
    const std::string_view first = as_text(start);
    if (looks_like_pth(first))
        return parse_pth(as_text(read_whole(path, largest_file)), path.string());
    if (looks_like_safetensors(first))
        return parse_safetensors(as_text(read_whole(path, largest_file)), path.string());
    if (hdf5::is_hdf5(path)) return read_hdf5_state_dict(path);
    throw InvalidInput(path.string(),
                       "is empty, or neither an HDF5, a PyTorch nor a safetensors file");
}

}  // namespace kirchnet
