#include "data/architectures/network_description.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "circuit/error.hpp"
#include "circuit/units.hpp"
#include "data/image_shape.hpp"

namespace kirchnet {
namespace {

ImageShape parse_shape_text(const StateDict& tensors, const std::string& text) {
    try {
        return parse_image_shape(text);
    } catch (const InvalidInput& error) {
        throw InvalidInput(tensors.source(),
                           fmt::format("attribute 'input_shape': {}", error.what()));
    }
}

ImageShape read_shape(const StateDict& tensors, const ImageShape& assumed) {
    const auto found = tensors.attributes().find("input_shape");
    if (found == tensors.attributes().end()) return assumed;
    const auto* text = std::get_if<std::string>(&found->second);
    const ImageShape image = parse_shape_text(
        tensors, text != nullptr
                     ? *text
                     : fmt::format("{}", fmt::join(tensors.numbers("input_shape"), "x")));
    if (image.channels != assumed.channels || image.height == 0 || image.width == 0)
        throw InvalidInput(
            tensors.source(),
            fmt::format("input_shape {}x{}x{} does not fit the first layer, which "
                        "takes {} channels",
                        image.channels, image.height, image.width, assumed.channels));
    return image;
}

std::vector<float> read_normalisation(const StateDict& tensors, const std::string& name,
                                      std::size_t channels, float fallback) {
    if (!tensors.has_attribute(name)) return std::vector<float>(channels, fallback);
    const auto values = tensors.numbers(name);
    if (values.size() != channels)
        throw InvalidInput(tensors.source(), fmt::format("attribute '{}' holds {} values for {} "
                                                         "channels",
                                                         name, values.size(), channels));
    std::vector<float> result;
    for (const double value : values) {
        if (!std::isfinite(value) || (fallback == 1 && !(value > 0)))
            throw InvalidInput(tensors.source(),
                               fmt::format("attribute '{}' holds {}", name, value));
        result.push_back(static_cast<float>(value));
    }
    return result;
}

/// Words and single numbers; what is used elsewhere is recorded all the same.
std::map<std::string, std::string> read_provenance(const StateDict& tensors) {
    std::map<std::string, std::string> provenance;
    for (const auto& [name, value] : tensors.attributes()) {
        if (const auto* text = std::get_if<std::string>(&value)) provenance[name] = *text;
        if (const auto* number = std::get_if<double>(&value))
            provenance[name] = format_exact(*number);
    }
    return provenance;
}

void record_assumptions(const StateDict& tensors, Network& network) {
    auto& provenance = network.provenance;
    if (!tensors.has_attribute("normalisation_mean") || !tensors.has_attribute("normalisation_std"))
        provenance["assumed_normalisation"] =
            "where not given by the state dict: mean 0, deviation 1 of pixel / 255";
    if (!tensors.has_attribute("input_shape"))
        provenance["assumed_input_shape"] =
            fmt::format("{}x{} pixels", network.input.height, network.input.width);
    if (!tensors.has_attribute("bn_eps"))
        provenance["assumed_bn_eps"] = format_exact(default_epsilon);
}

}  // namespace

Network describe_network(const StateDict& tensors, const ImageShape& assumed) {
    Network network;
    network.name = std::filesystem::path(tensors.source()).stem().string();
    network.input = read_shape(tensors, assumed);
    network.mean = read_normalisation(tensors, "normalisation_mean", assumed.channels, 0);
    network.deviation = read_normalisation(tensors, "normalisation_std", assumed.channels, 1);
    network.provenance = read_provenance(tensors);
    record_assumptions(tensors, network);
    return network;
}

double read_epsilon(const StateDict& tensors, const std::string& name, double fallback) {
    if (!tensors.has_attribute(name)) return fallback;
    const double epsilon = tensors.number(name);
    if (!(epsilon >= 0 && epsilon < 1))
        throw InvalidInput(tensors.source(), fmt::format("attribute '{}' is {}", name, epsilon));
    return epsilon;
}

}  // namespace kirchnet
