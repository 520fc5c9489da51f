#include "readers.hpp"

#include "circuit/error.hpp"
#include "data/detail/csv.hpp"
#include "data/detail/darknet_cfg.hpp"
#include "data/detail/npy.hpp"
#include "data/detail/onnx_reader.hpp"
#include "data/detail/pth_reader.hpp"
#include "data/detail/safetensors_reader.hpp"
#include "netlists/characterise.hpp"

namespace kirchnet::fuzz {
namespace {

/// A cell of a file with subcircuits, and one of a file that is all elements.
void read_cell(std::string_view bytes) {
    (void)read_user_cell(bytes, "cell.cir", {"cell", {"wl", "bl"}, "w", 0});
}
void read_elements(std::string_view bytes) {
    (void)read_user_cell(bytes, "cell.cir", {"", {"wl", "bl"}, "w", 0});
}

constexpr Reader all[] = {
    {"cell",
     [](std::string_view bytes) {
         // Either may refuse what the other takes.
         try {
             read_cell(bytes);
         } catch (const InvalidInput&) {
             read_elements(bytes);
         }
     }},
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
