#include "data/detail/hdf5_state_dict.hpp"

#include "data/detail/hdf5_reader.hpp"
#include "data/detail/tensor_values.hpp"

namespace kirchnet {
namespace {

using hdf5::InputGroup;
using hdf5::ValueKind;

constexpr std::size_t deflate_limit = 1032;  // bytes out of one

/// Many names may link to one data set, hence the budget.
StateDict::Tensors read_tensors(const InputGroup& file, std::size_t file_size) {
    MemoryBudget budget(file_size, deflate_limit);
    StateDict::Tensors tensors;
    for (const std::string& name : file.names()) {
        if (is_batch_counter(name)) continue;
        budget.take(element_count(file.describe(name).shape, file.where(name)), file.where(name));
        auto array = file.read<float>(name);
        tensors[name] = {std::move(array.shape), std::move(array.values)};
    }
    return tensors;
}

Attribute read_attribute(const InputGroup& file, const std::string& name,
                         const hdf5::Description& found) {
    if (found.kind == ValueKind::text) return file.text(name);
    if (found.shape.empty()) return file.number(name);
    return file.numbers(name);
}

/// Lists of texts and values of other types say nothing we could use.
StateDict::Attributes read_attributes(const InputGroup& file) {
    StateDict::Attributes attributes;
    for (const std::string& name : file.attribute_names()) {
        const auto found = file.describe_attribute(name);
        const bool list_of_texts = found.kind == ValueKind::text && !found.shape.empty();
        if (found.kind != ValueKind::other && !list_of_texts)
            attributes[name] = read_attribute(file, name, found);
    }
    return attributes;
}

}  // namespace

StateDict read_hdf5_state_dict(const std::filesystem::path& path) {
    const InputGroup file = InputGroup::open(path);
    return {path.string(), read_tensors(file, std::filesystem::file_size(path)),
            read_attributes(file)};
}

}  // namespace kirchnet
