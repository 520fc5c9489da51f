#include "data/detail/torch_objects.hpp"

#include <fmt/format.h>

#include "circuit/error.hpp"
#include "data/detail/plain_text.hpp"

namespace kirchnet {

using pickle::Callable;
using pickle::Dictionary;
using pickle::None;
using pickle::Opaque;
using pickle::Sequence;
using pickle::Storage;
using pickle::TensorView;
using pickle::Value;

namespace {

constexpr std::size_t most_copies = 1U << 20U;  // a list may be the argument of many calls
constexpr std::size_t longest_key = 256;        // [characters]

/// What a callable does; storage types come after these.
enum Function { ordered_dict, tensor, parameter, size, harmless, storage };

struct AllowedName {
    std::string_view module;
    std::string_view name;
    Function function;
};

/// `harmless` ones make values that no network needs: devices, NumPy's scalars.
constexpr AllowedName allowed_names[] = {{"collections", "OrderedDict", ordered_dict},
                                         {"torch._utils", "_rebuild_tensor_v2", tensor},
                                         {"torch._utils", "_rebuild_tensor", tensor},
                                         {"torch._utils", "_rebuild_parameter", parameter},
                                         {"torch", "Size", size},
                                         {"torch", "device", harmless},
                                         {"numpy", "dtype", harmless},
                                         {"numpy.core.multiarray", "scalar", harmless},
                                         {"numpy._core.multiarray", "scalar", harmless},
                                         {"_codecs", "encode", harmless}};

struct StorageType {
    std::string_view name;
    NumberType type;
};

constexpr StorageType storage_types[] = {
    {"FloatStorage", NumberType::f32},     {"HalfStorage", NumberType::f16},
    {"BFloat16Storage", NumberType::bf16}, {"DoubleStorage", NumberType::f64},
    {"LongStorage", NumberType::i64},      {"IntStorage", NumberType::i32},
    {"ShortStorage", NumberType::i16},     {"CharStorage", NumberType::i8},
    {"ByteStorage", NumberType::u8},       {"BoolStorage", NumberType::boolean}};

/// Names only whole models have need of.
bool is_of_a_module(std::string_view module) {
    for (const std::string_view part :
         {"torch.nn", "torchvision", "__main__", "__torch__", "models"})
        if (module.starts_with(part)) return true;
    return false;
}

Value make_callable(int which) {
    return {Callable{which}};
}

bool is_text(const Value* value, std::string_view text) {
    const auto* found = value->get_if<std::string>();
    return found != nullptr && *found == text;
}

}  // namespace

TorchObjects::TorchObjects(std::string where)
    : where_(std::move(where)), copies_left_(most_copies) {}

void TorchObjects::fail(const std::string& problem) const {
    throw InvalidInput(where_, problem);
}

Value TorchObjects::find(const std::string& module, const std::string& name) {
    for (const AllowedName& allowed : allowed_names)
        if (allowed.module == module && allowed.name == name)
            return make_callable(allowed.function);
    if (module == "torch")
        for (std::size_t i = 0; i < std::size(storage_types); ++i)
            if (storage_types[i].name == name) return make_callable(storage + static_cast<int>(i));
    fail(
        fmt::format("names '{}.{}'{}. Code in files is never run here; keep the parameters alone: "
                    "torch.save(model.state_dict(), path)",
                    printable(module), printable(name),
                    is_of_a_module(module) ? ", as a whole pickled model does" : ""));
}

Value TorchObjects::call(const Callable& callable, const Sequence& arguments) {
    switch (callable.which) {
        case ordered_dict:
            return make_dictionary(arguments);
        case tensor:
            return rebuild_tensor(arguments);
        case parameter:
            return rebuild_parameter(arguments);
        case size:
            return make_size(arguments);
        case harmless:
            return {Opaque{}};
        default:
            fail("makes a storage within its pickle, which PyTorch keeps outside");
    }
}

/// Python 2 lists the items: OrderedDict([[key, value], ...]).
Value TorchObjects::make_dictionary(const Sequence& arguments) {
    Dictionary dictionary;
    if (arguments.items.empty()) return {dictionary};
    const auto* list = arguments.items.front()->get_if<Sequence>();
    if (list == nullptr || arguments.items.size() != 1) fail("has a damaged OrderedDict");
    if (list->items.size() > copies_left_) fail("has too many items in its dictionaries");
    copies_left_ -= list->items.size();
    for (const Value* item : list->items) {
        const auto* pair = item->get_if<Sequence>();
        if (pair == nullptr || pair->items.size() != 2) fail("has a damaged OrderedDict");
        dictionary.items.emplace_back(pair->items[0], pair->items[1]);
    }
    return {std::move(dictionary)};
}

/// torch.Size(list) is as good as the list.
Value TorchObjects::make_size(const Sequence& arguments) const {
    const auto* list =
        arguments.items.size() == 1 ? arguments.items.front()->get_if<Sequence>() : nullptr;
    if (list == nullptr || list->items.size() > most_dimensions) fail("has a damaged torch.Size");
    return {*list};
}

std::size_t TorchObjects::extent(const Value& value) const {
    const auto* number = value.get_if<std::int64_t>();
    if (number == nullptr || *number < 0)
        fail("has a tensor whose size, stride or offset is no whole number of at least 0");
    return static_cast<std::size_t>(*number);
}

Shape TorchObjects::extents(const Value& value) const {
    const auto* list = value.get_if<Sequence>();
    if (list == nullptr) fail("has a tensor without size or strides");
    if (list->items.size() > most_dimensions)
        fail(fmt::format("has a tensor of {} dimensions, at most {} are read", list->items.size(),
                         most_dimensions));
    Shape shape;
    for (const Value* item : list->items) shape.push_back(extent(*item));
    return shape;
}

/// Arguments: storage, offset, size, strides, and what matters to training alone.
Value TorchObjects::rebuild_tensor(const Sequence& arguments) const {
    const auto& items = arguments.items;
    if (items.size() < 4) fail("has a tensor without size or strides");
    const auto* storage = items[0]->get_if<Storage>();
    if (storage == nullptr) fail("has a tensor without a storage");
    return {TensorView{*storage, {extents(*items[2]), extents(*items[3]), extent(*items[1])}}};
}

/// Arguments: tensor, whether it was trained, hooks.
Value TorchObjects::rebuild_parameter(const Sequence& arguments) const {
    if (arguments.items.empty() || arguments.items.front()->get_if<TensorView>() == nullptr)
        fail("has a parameter without a tensor");
    return *arguments.items.front();
}

/// ('storage', type, key, place, numbers[, view]); the view was in use before PyTorch 0.4.
Value TorchObjects::load(const Value& id) {
    const auto* tuple = id.get_if<Sequence>();
    if (tuple == nullptr || tuple->items.empty())
        fail("names an unknown object outside its pickle");
    const auto& items = tuple->items;
    if (is_text(items[0], "module"))
        fail(
            "holds a whole pickled model. Code in files is never run here; keep the parameters "
            "alone: torch.save(model.state_dict(), path)");
    if (!is_text(items[0], "storage") || items.size() < 5)
        fail("names an unknown object outside its pickle");
    const auto* type = items[1]->get_if<Callable>();
    const auto* key = items[2]->get_if<std::string>();
    if (type == nullptr || type->which < storage || key == nullptr || key->size() > longest_key)
        fail("has a damaged storage");
    if (items.size() > 5 && items[5]->get_if<None>() == nullptr)
        fail(
            "has views of storages as PyTorch wrote before 0.4: load and save it with a later one");
    const Storage found{*key, storage_types[type->which - storage].type, extent(*items[4])};
    const auto& known = storages_.emplace(*key, found).first->second;
    if (known.type != found.type || known.size != found.size)
        fail(fmt::format("names storage '{}' with two types or sizes", printable(*key)));
    return {found};
}

}  // namespace kirchnet
