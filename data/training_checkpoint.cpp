#include "data/training_checkpoint.hpp"

#include <fmt/format.h>

#include "circuit/error.hpp"
#include "data/detail/content_hash.hpp"
#include "data/detail/file_format.hpp"
#include "data/detail/network_group.hpp"

namespace kirchnet {
namespace {

using hdf5::InputGroup;
using hdf5::OutputGroup;

constexpr const char* pure_number = "1";

void write_tensor(OutputGroup& group, const std::string& name, const Tensor& tensor) {
    group.write(name, tensor.shape, std::span<const float>(tensor.values), pure_number);
}

Tensor read_tensor(const InputGroup& group, const std::string& name) {
    auto array = group.read<float>(name);
    return {std::move(array.shape), std::move(array.values)};
}

/// A list as numbered data sets, so that its order is that of the names.
void write_list(OutputGroup group, const std::vector<Tensor>& tensors) {
    for (std::size_t i = 0; i < tensors.size(); ++i)
        write_tensor(group, fmt::format("{:05}", i), tensors[i]);
}

std::vector<Tensor> read_list(const InputGroup& group) {
    std::vector<Tensor> tensors;
    for (std::size_t i = 0; i < group.names().size(); ++i)
        tensors.push_back(read_tensor(group, fmt::format("{:05}", i)));
    return tensors;
}

void write_layers(OutputGroup group, const std::map<std::string, Tensor>& layers) {
    for (const auto& [name, tensor] : layers) write_tensor(group, name, tensor);
}

std::map<std::string, Tensor> read_layers(const InputGroup& group) {
    std::map<std::string, Tensor> layers;
    for (const std::string& name : group.names()) layers[name] = read_tensor(group, name);
    return layers;
}

}  // namespace

TrainingCheckpoint read_checkpoint(const std::filesystem::path& path) {
    const InputGroup file = open_format(path, format::training_checkpoint);
    TrainingCheckpoint checkpoint;
    checkpoint.settings = file.text("settings");
    checkpoint.stage = file.count("stage");
    checkpoint.epoch = file.count("epoch");
    checkpoint.network = read_network_group(file.group("network"));
    const InputGroup masks = file.group("masks");
    for (const std::string& layer : masks.names())
        checkpoint.masks[layer] = masks.read_vector<std::uint8_t>(layer);
    checkpoint.optimizer = read_list(file.group("optimizer"));
    checkpoint.split = read_layers(file.group("split"));
    checkpoint.dual = read_layers(file.group("dual"));
    return checkpoint;
}

void write_checkpoint(const std::filesystem::path& path, const TrainingCheckpoint& checkpoint) {
    OutputGroup file = OutputGroup::create(format::training_checkpoint, format::version);
    file.set("settings", checkpoint.settings);
    file.set("stage", static_cast<std::uint64_t>(checkpoint.stage));
    file.set("epoch", static_cast<std::uint64_t>(checkpoint.epoch));
    OutputGroup network = file.group("network");
    write_network_group(network, checkpoint.network);
    OutputGroup masks = file.group("masks");
    for (const auto& [layer, mask] : checkpoint.masks)
        masks.write(layer, mask, pure_number, hdf5::Storage::packed);
    write_list(file.group("optimizer"), checkpoint.optimizer);
    write_layers(file.group("split"), checkpoint.split);
    write_layers(file.group("dual"), checkpoint.dual);
    file.save(path);
}

std::string fingerprint(const Network& network) {
    OutputGroup file = OutputGroup::create(format::network, format::version);
    write_network_group(file, network);
    return xxh128_digits(file.image());
}

std::string fingerprint(const LabelledImages& images) {
    const auto text = [](const auto& values) {
        return std::string_view(reinterpret_cast<const char*>(values.data()),
                                values.size() * sizeof values[0]);
    };
    ContentHash hash;
    hash.add(
        fmt::format("{} {} {}", images.shape.channels, images.shape.height, images.shape.width));
    hash.add(text(images.pixels));
    hash.add(text(images.labels));
    return hash.digits();
}

}  // namespace kirchnet
