#include "data/detail/onnx_reader.hpp"

#include <fmt/format.h>

#include <array>
#include <fstream>
#include <limits>

#include "circuit/error.hpp"
#include "data/detail/decompression.hpp"
#include "data/detail/onnx/converter.hpp"
#include "data/image_shape.hpp"

namespace kirchnet {
namespace {

ImageShape image_of(const onnx_import::Model& model, const std::optional<ImageShape>& wanted) {
    const Shape shape = model.input_shape();
    if (shape.size() == 2 && !wanted) return guess_image(shape[1]);
    const ImageShape own =
        shape.size() == 4 ? ImageShape{shape[1], shape[2], shape[3]} : wanted.value();
    if ((wanted && *wanted != own) || (shape.size() == 2 && own.size() != shape[1]))
        throw InvalidInput(
            model.file(), fmt::format("its input '{}' has shape {}, not that of images of {}x{}x{}",
                                      model.input_name(), to_string(shape), wanted->channels,
                                      wanted->height, wanted->width));
    return own;
}

}  // namespace

bool is_onnx_file(const std::filesystem::path& path) {
    if (path.extension() == ".onnx") return true;
    // ModelProto begins with its IR version (field 1), below 128, and goes on with a text, a number
    // or the graph; a JSON header behind a length (safetensors) may begin alike.
    std::array<char, 9> head{};
    std::ifstream file(path, std::ios::binary);
    if (!file.read(head.data(), head.size())) return false;
    const auto next = static_cast<unsigned char>(head[2]);
    const bool known_field = next == 0x12 || next == 0x1A || next == 0x22 || next == 0x28 ||
                             next == 0x32 || next == 0x3A || next == 0x42;
    return head[0] == 0x08 && head[1] > 0 && known_field && head[8] != '{';
}

Network read_onnx(const std::filesystem::path& path, const std::optional<ImageShape>& image) {
    constexpr std::size_t largest_file = std::numeric_limits<std::int32_t>::max();  // protobuf's
    const Bytes bytes = read_whole(path, largest_file);
    return parse_onnx({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.string(),
                      image);
}

Network parse_onnx(std::string_view bytes, const std::string& file,
                   const std::optional<ImageShape>& image) {
    onnx_import::Model model(bytes, file);
    const ImageShape shape = image_of(model, image);
    const bool assumed = model.input_shape().size() == 2 && !image;
    Network network = onnx_import::Converter(std::move(model), shape).convert();
    network.mean.assign(network.input.channels, 0);
    network.deviation.assign(network.input.channels, 1);
    network.provenance["assumed_normalisation"] = "mean 0, deviation 1 of pixel / 255";
    if (assumed)
        network.provenance["assumed_input_shape"] =
            fmt::format("{}x{}x{} pixels", shape.channels, shape.height, shape.width);
    return network;
}

}  // namespace kirchnet
