// Layout (huggingface/safetensors, README): 8 bytes of length, a JSON object of that length, the
// numbers. {"NAME": {"dtype": "F32", "shape": [2, 3], "data_offsets": [BEGIN, END]}, ...}, counted
// in bytes from the end of the header; the tensors together cover all numbers once. The key
// __metadata__ holds texts by name.
#include "data/detail/safetensors_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "circuit/error.hpp"
#include "data/detail/little_endian.hpp"
#include "data/detail/plain_text.hpp"
#include "data/detail/tensor_values.hpp"

namespace kirchnet {
namespace {

using Json = nlohmann::json;

constexpr std::size_t length_size = 8;               // [bytes]
constexpr std::uint64_t longest_header = 100000000;  // [bytes] the format's own limit
constexpr int deepest_header = 3;                    // header, tensor, shape
constexpr std::string_view metadata_key = "__metadata__";

struct NamedType {
    std::string_view name;
    NumberType type;
};

constexpr NamedType types[] = {{"F32", NumberType::f32},   {"F16", NumberType::f16},
                               {"BF16", NumberType::bf16}, {"F64", NumberType::f64},
                               {"I64", NumberType::i64},   {"I32", NumberType::i32},
                               {"I16", NumberType::i16},   {"I8", NumberType::i8},
                               {"U8", NumberType::u8},     {"BOOL", NumberType::boolean}};

struct Entry {
    std::string name;
    NumberType type = NumberType::f32;
    Shape shape;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
};

/// JSON without what JSON leaves open: keys given twice, and nesting without end.
Json parse_header(std::string_view text, const std::string& where) {
    std::set<std::string> names;
    const auto check = [&](int depth, Json::parse_event_t event, const Json& parsed) {
        if (depth > deepest_header) throw InvalidInput(where, "has a header nested too deep");
        if (event == Json::parse_event_t::key && depth == 1 &&
            !names.insert(parsed.get<std::string>()).second)
            throw InvalidInput(
                where, fmt::format("describes '{}' twice", printable(parsed.get<std::string>())));
        return true;
    };
    Json header = Json::parse(text, check, false);
    if (!header.is_object()) throw InvalidInput(where, "has a damaged header: no JSON object");
    return header;
}

NumberType find_type(const Json& dtype, const std::string& where) {
    const std::string name = dtype.is_string() ? dtype.get<std::string>() : dtype.dump();
    for (const NamedType& known : types)
        if (known.name == name) return known.type;
    throw InvalidInput(
        where, fmt::format("holds numbers of type {}, which is not supported", printable(name)));
}

std::vector<std::uint64_t> read_counts(const Json& tensor, const char* key,
                                       const std::string& where) {
    const auto found = tensor.find(key);
    if (found == tensor.end() || !found->is_array())
        throw InvalidInput(where, fmt::format("has no list '{}'", key));
    std::vector<std::uint64_t> counts;
    for (const Json& count : *found) {
        if (!count.is_number_unsigned())
            throw InvalidInput(where, fmt::format("'{}' is not of whole numbers", key));
        counts.push_back(count.get<std::uint64_t>());
    }
    return counts;
}

Entry read_entry(const std::string& name, const Json& tensor, const std::string& where) {
    if (!tensor.is_object() || !tensor.contains("dtype"))
        throw InvalidInput(where, "is no description of a tensor");
    Entry entry;
    entry.name = name;
    entry.type = find_type(tensor.at("dtype"), where);
    for (const std::uint64_t extent : read_counts(tensor, "shape", where))
        entry.shape.push_back(extent);
    const auto offsets = read_counts(tensor, "data_offsets", where);
    if (offsets.size() != 2 || offsets[0] > offsets[1])
        throw InvalidInput(where, "'data_offsets' is no begin and end");
    entry.begin = offsets[0];
    entry.end = offsets[1];
    std::size_t size = 0;
    if (__builtin_mul_overflow(element_count(entry.shape, where), size_of(entry.type), &size) ||
        size != entry.end - entry.begin)
        throw InvalidInput(where, fmt::format("of shape {} does not fit its {} bytes",
                                              to_string(entry.shape), entry.end - entry.begin));
    return entry;
}

void check_cover(std::vector<Entry>& entries, std::size_t size, const std::string& where) {
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
        return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
    });
    std::uint64_t next = 0;
    for (const Entry& entry : entries) {
        if (entry.begin != next)
            throw InvalidInput(
                fmt::format("{}:/{}", where, printable(entry.name)),
                fmt::format("begins at byte {}, the tensor before ends at {}", entry.begin, next));
        next = entry.end;
    }
    if (next != size)
        throw InvalidInput(where, fmt::format("is truncated or damaged: its tensors take {} bytes, "
                                              "the file has {}",
                                              next, size));
}

StateDict::Attributes read_metadata(const Json& metadata, const std::string& where) {
    StateDict::Attributes attributes;
    if (!metadata.is_object()) throw InvalidInput(where, "has a damaged __metadata__");
    for (const auto& [name, value] : metadata.items()) {
        if (!value.is_string())
            throw InvalidInput(where, fmt::format("metadata '{}' is no text", printable(name)));
        attributes[name] = value.get<std::string>();
    }
    return attributes;
}

std::string_view take_header(std::string_view bytes, const std::string& where) {
    if (bytes.size() < length_size) throw InvalidInput(where, "is truncated within its header");
    const auto length = load_little_endian<std::uint64_t>(bytes, 0);
    if (length > longest_header)
        throw InvalidInput(where, fmt::format("announces a header of {} bytes", length));
    if (length > bytes.size() - length_size)
        throw InvalidInput(where, "is truncated within its header");
    return bytes.substr(length_size, length);
}

}  // namespace

bool looks_like_safetensors(std::string_view bytes) {
    return bytes.size() > length_size && bytes[length_size] == '{';
}

StateDict parse_safetensors(std::string_view bytes, const std::string& where) {
    const std::string_view text = take_header(bytes, where);
    const std::string_view numbers = bytes.substr(length_size + text.size());
    StateDict::Attributes attributes;
    std::vector<Entry> entries;
    const Json header = parse_header(text, where);
    for (const auto& [name, value] : header.items()) {
        if (name == metadata_key)
            attributes = read_metadata(value, where);
        else
            entries.push_back(
                read_entry(name, value, fmt::format("{}:/{}", where, printable(name))));
    }
    check_cover(entries, numbers.size(), where);
    MemoryBudget budget(bytes.size());
    StateDict::Tensors tensors;
    for (const Entry& entry : entries)
        if (!is_batch_counter(entry.name))
            tensors[entry.name] =
                decode_tensor(numbers.substr(entry.begin, entry.end - entry.begin), entry.type,
                              {entry.shape, dense_strides(entry.shape), 0}, budget,
                              fmt::format("{}:/{}", where, printable(entry.name)));
    return {where, std::move(tensors), std::move(attributes)};
}

}  // namespace kirchnet
