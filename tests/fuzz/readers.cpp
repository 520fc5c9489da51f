#include "readers.hpp"

#include "circuit/error.hpp"
#include "data/detail/csv.hpp"
#include "data/detail/darknet_cfg.hpp"
#include "data/detail/npy.hpp"
#include "data/detail/onnx_reader.hpp"
#include "data/detail/pth_reader.hpp"
#include "data/detail/safetensors_reader.hpp"

namespace kirchnet::fuzz {
namespace {

constexpr Reader all[] = {
    {"csv", [](std::string_view bytes) { parse_csv(bytes, "file.csv"); }},
    {"darknet",
     [](std::string_view bytes) { (void)darknet_channels(parse_darknet_cfg(bytes, "file.cfg")); }},
    {"npy", [](std::string_view bytes) { parse_npy(bytes, "file.npy"); }},
    {"onnx", [](std::string_view bytes) { parse_onnx(bytes, "file.onnx"); }},
    {"pth", [](std::string_view bytes) { parse_pth(bytes, "file.pth"); }},
    {"safetensors", [](std::string_view bytes) { parse_safetensors(bytes, "file.safetensors"); }}};

}  // namespace

std::span<const Reader> readers() {
    return all;
}

void feed(const Reader& reader, std::string_view bytes) {
    try {
        reader.read(bytes);
    } catch (const InvalidInput&) {
        return;
    }
}

}  // namespace kirchnet::fuzz
