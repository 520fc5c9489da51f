// Two formats of torch.save. Since PyTorch 1.6: a zip archive of FOLDER/data.pkl (the object) and
// FOLDER/data/KEY (a storage's numbers). Before: pickles of a magic number, a version, facts about
// the machine, the object and the list of storage keys, then per key a count and the numbers.
#include "data/detail/pth_reader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "circuit/error.hpp"
#include "data/detail/little_endian.hpp"
#include "data/detail/plain_text.hpp"
#include "data/detail/torch_objects.hpp"
#include "data/detail/zip_archive.hpp"

namespace kirchnet {
namespace {

using pickle::Dictionary;
using pickle::Sequence;
using pickle::TensorView;
using pickle::Value;
using StoredNumbers = std::map<std::string, std::string_view>;  // by storage key

constexpr std::string_view zip_magic("PK\3\4", 4);
/// Protocol 2, LONG1 of ten bytes: 0x1950a86a20f9469cfc6c, STOP.
constexpr std::string_view legacy_magic("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.",
                                        15);
constexpr std::string_view object_member = "/data.pkl";
constexpr std::size_t longest_attribute = 4096;  // [characters, numbers]
constexpr std::size_t most_attributes = 256;  // lists and texts may be shared, so files are small
constexpr int deepest_checkpoint = 8;

/// Under which a checkpoint keeps the parameters.
constexpr std::string_view checkpoint_keys[] = {"state_dict", "model_state_dict", "model", "net"};

/// What a file holds: the object, and the numbers its tensors are views of.
struct Content {
    pickle::Heap heap;
    const Value* object = nullptr;
    StoredNumbers numbers;
};

Content read_zip(std::string_view bytes, const std::string& where) {
    const ZipArchive archive(bytes, where);
    const std::string member = archive.find(object_member);
    if (member.empty())
        throw InvalidInput(where, "is a zip archive without data.pkl: not from torch.save");
    const std::string folder = member.substr(0, member.size() - object_member.size());
    if (archive.has(folder + "/byteorder") && archive.read(folder + "/byteorder") != "little")
        throw InvalidInput(where, "stores big-endian numbers");
    Content content;
    TorchObjects objects(where);
    content.object =
        pickle::run(archive.read(member), objects, content.heap, where + ":" + member).first;
    for (const auto& [key, storage] : objects.storages())
        content.numbers[key] = archive.read(folder + "/data/" + key);
    return content;
}

/// Runs one pickle and moves `bytes` behind it.
const Value* run_next(std::string_view& bytes, TorchObjects& objects, pickle::Heap& heap,
                      const std::string& where) {
    const auto [value, end] = pickle::run(bytes, objects, heap, where);
    bytes.remove_prefix(end);
    return value;
}

std::string_view take_numbers(std::string_view& bytes, const pickle::Storage& storage,
                              const std::string& where) {
    std::size_t size = 0;
    const bool complete = bytes.size() >= 8 &&
                          load_little_endian<std::uint64_t>(bytes, 0) == storage.size &&
                          !__builtin_mul_overflow(storage.size, size_of(storage.type), &size) &&
                          size <= bytes.size() - 8;
    if (!complete)
        throw InvalidInput(where, fmt::format("is truncated or damaged: storage '{}' of {} numbers "
                                              "does not follow",
                                              printable(storage.key), storage.size));
    const std::string_view numbers = bytes.substr(8, size);
    bytes.remove_prefix(8 + size);
    return numbers;
}

Content read_legacy(std::string_view bytes, const std::string& where) {
    Content content;
    TorchObjects objects(where);
    bytes.remove_prefix(legacy_magic.size());
    for (int part = 0; part < 2; ++part)  // version, facts about the machine
        run_next(bytes, objects, content.heap, where);
    content.object = run_next(bytes, objects, content.heap, where);
    const auto* keys = run_next(bytes, objects, content.heap, where)->get_if<Sequence>();
    if (keys == nullptr) throw InvalidInput(where, "is damaged: it has no list of storages");
    for (const Value* item : keys->items) {
        const auto* key = item->get_if<std::string>();
        const auto found =
            key == nullptr ? objects.storages().end() : objects.storages().find(*key);
        if (found == objects.storages().end())
            throw InvalidInput(where, "is damaged: it lists a storage that no tensor names");
        content.numbers[*key] = take_numbers(bytes, found->second, where);
    }
    return content;
}

bool holds_tensor(const Dictionary& dictionary) {
    return std::any_of(dictionary.items.begin(), dictionary.items.end(), [](const auto& item) {
        return item.second->template get_if<TensorView>() != nullptr;
    });
}

const Value* find_item(const Dictionary& dictionary, std::string_view key) {
    const Value* found = nullptr;
    for (const auto& [name, value] : dictionary.items) {
        const auto* text = name->get_if<std::string>();
        if (text != nullptr && *text == key) found = value;
    }
    return found;
}

bool is_short(const std::string& text) {
    return text.size() <= longest_attribute && is_plain_text(text);
}

std::optional<double> to_number(const Value& value) {
    if (const auto* whole = value.get_if<std::int64_t>()) return static_cast<double>(*whole);
    if (const auto* real = value.get_if<double>()) return *real;
    return std::nullopt;
}

std::optional<Attribute> to_attribute(const Value& value) {
    if (const auto number = to_number(value)) return Attribute(*number);
    if (const auto* text = value.get_if<std::string>())
        return is_short(*text) ? std::optional<Attribute>(*text) : std::nullopt;
    const auto* list = value.get_if<Sequence>();
    if (list == nullptr || list->items.size() > longest_attribute) return std::nullopt;
    std::vector<double> numbers;
    for (const Value* item : list->items) {
        const auto number = to_number(*item);
        if (!number) return std::nullopt;
        numbers.push_back(*number);
    }
    return Attribute(std::move(numbers));
}

void collect_attributes(const Dictionary& dictionary, StateDict::Attributes& attributes) {
    for (const auto& [key, value] : dictionary.items) {
        const auto* name = key->get_if<std::string>();
        if (name == nullptr || !is_short(*name) || attributes.size() == most_attributes) continue;
        if (auto attribute = to_attribute(*value)) attributes[*name] = std::move(*attribute);
    }
}

/// The dictionary of tensors, through the levels of a checkpoint.
const Dictionary& find_state_dict(const Value* value, StateDict::Attributes& attributes,
                                  const std::string& where) {
    for (int level = 0; level < deepest_checkpoint; ++level) {
        const auto* dictionary = value == nullptr ? nullptr : value->get_if<Dictionary>();
        if (dictionary == nullptr) break;
        collect_attributes(*dictionary, attributes);
        if (holds_tensor(*dictionary)) return *dictionary;
        value = nullptr;
        for (const std::string_view key : checkpoint_keys)
            if (value == nullptr) value = find_item(*dictionary, key);
    }
    throw InvalidInput(where, fmt::format("holds no dictionary of tensors, neither at its top nor "
                                          "under one of {}",
                                          fmt::join(checkpoint_keys, ", ")));
}

class TensorReader {
  public:
    TensorReader(const Content& content, std::size_t file_size, const std::string& where)
        : content_(content), budget_(file_size), where_(where) {}

    StateDict::Tensors read(const Dictionary& dictionary) {
        StateDict::Tensors tensors;
        for (const auto& [key, value] : dictionary.items) {
            const auto* view = value->get_if<TensorView>();
            if (view == nullptr) continue;
            const auto* name = key->get_if<std::string>();
            if (name == nullptr) throw InvalidInput(where_, "has a tensor whose name is no text");
            if (!is_batch_counter(*name))
                tensors[*name] = decode(*view, where_ + ":/" + printable(*name));
        }
        return tensors;
    }

  private:
    Tensor decode(const TensorView& view, const std::string& where) {
        const auto found = content_.numbers.find(view.storage.key);
        if (found == content_.numbers.end())
            throw InvalidInput(where,
                               fmt::format("storage '{}' is missing", printable(view.storage.key)));
        const std::string_view numbers = found->second;
        if (numbers.size() / size_of(view.storage.type) != view.storage.size)
            throw InvalidInput(
                where, fmt::format("storage '{}' has {} bytes, {} numbers were "
                                   "announced",
                                   printable(view.storage.key), numbers.size(), view.storage.size));
        return decode_tensor(numbers, view.storage.type, view.layout, budget_, where);
    }

    const Content& content_;
    MemoryBudget budget_;
    const std::string& where_;
};

}  // namespace

bool looks_like_pth(std::string_view bytes) {
    return bytes.starts_with(zip_magic) || bytes.starts_with("\x80");
}

StateDict parse_pth(std::string_view bytes, const std::string& where) {
    if (!bytes.starts_with(zip_magic) && !bytes.starts_with(legacy_magic))
        throw InvalidInput(where, "is a pickle but not from torch.save; save a state dict with it");
    const Content content =
        bytes.starts_with(zip_magic) ? read_zip(bytes, where) : read_legacy(bytes, where);
    StateDict::Attributes attributes;
    const Dictionary& dictionary = find_state_dict(content.object, attributes, where);
    return {where, TensorReader(content, bytes.size(), where).read(dictionary),
            std::move(attributes)};
}

}  // namespace kirchnet
