#include "data/detail/hdf5_reader.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <type_traits>

#include "circuit/error.hpp"

namespace kirchnet::hdf5 {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t most_attribute_values = 1U << 20U;
constexpr std::size_t longest_text = 1U << 24U;
// Deflate cannot pack more than 1032 bytes into one, and shuffle keeps the size.
constexpr std::size_t deflate_limit = 1032;

ValueKind kind_of(hid_t type) {
    switch (H5Tget_class(type)) {
        case H5T_FLOAT:
            return ValueKind::real;
        case H5T_INTEGER:
            return ValueKind::integer;
        case H5T_STRING:
            return ValueKind::text;
        default:
            return ValueKind::other;
    }
}

std::string_view to_string(ValueKind kind) {
    switch (kind) {
        case ValueKind::real:
            return "real numbers";
        case ValueKind::integer:
            return "integers";
        case ValueKind::text:
            return "text";
        case ValueKind::other:
            break;
    }
    return "values of another type";
}

Shape shape_of(hid_t space) {
    const int rank = H5Sget_simple_extent_ndims(space);
    if (rank <= 0) return {};
    std::vector<hsize_t> extents(static_cast<std::size_t>(rank));
    H5Sget_simple_extent_dims(space, extents.data(), nullptr);
    return {extents.begin(), extents.end()};
}

Description describe_values(const Handle& type, const Handle& space) {
    Description found;
    found.kind = kind_of(type.id());
    // A null data space holds no value at all, unlike a scalar.
    if (H5Sget_simple_extent_type(space.id()) == H5S_NULL)
        found.shape = {0};
    else
        found.shape = shape_of(space.id());
    return found;
}

/// Text of fixed length ends at its first NUL, or at the padding blanks of Fortran.
std::string fixed_text(const char* begin, std::size_t size, H5T_str_t padding) {
    std::string text(begin, size);
    if (padding == H5T_STR_SPACEPAD)
        text.erase(text.find_last_not_of(' ') + 1);
    else
        text.resize(std::min(text.find('\0'), text.size()));
    return text;
}

/// `read` fills memory laid out as `type` says.
template <class Read>
std::vector<std::string> read_variable_texts(std::size_t count, const Handle& space,
                                             const Read& read) {
    const Handle type = text_type();
    std::vector<char*> pointers(count, nullptr);
    if (!read(type.id(), pointers.data())) return {};
    std::vector<std::string> texts;
    for (const char* pointer : pointers) texts.emplace_back(pointer == nullptr ? "" : pointer);
    H5Dvlen_reclaim(type.id(), space.id(), H5P_DEFAULT, pointers.data());
    return texts;
}

template <class Read>
std::vector<std::string> read_fixed_texts(std::size_t count, const Handle& type, const Read& read) {
    const std::size_t size = H5Tget_size(type.id());
    if (size > longest_text || count * size > longest_text) return {};
    std::vector<char> bytes(count * size);
    if (!read(type.id(), bytes.data())) return {};
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < count; ++i)
        texts.push_back(fixed_text(bytes.data() + i * size, size, H5Tget_strpad(type.id())));
    return texts;
}

/// Empty when `read` fails.
template <class Read>
std::vector<std::string> read_any_texts(std::size_t count, const Handle& type, const Handle& space,
                                        const Read& read) {
    return H5Tis_variable_str(type.id()) > 0 ? read_variable_texts(count, space, read)
                                             : read_fixed_texts(count, type, read);
}

void check_file(const fs::path& path) {
    std::error_code error;
    if (!fs::exists(path, error)) throw InvalidInput(path.string(), "no such file");
    if (!fs::is_regular_file(path, error))
        throw InvalidInput(path.string(), "is not a regular file");
}

template <class Number>
bool fits_directly(hid_t type) {
    return H5Tget_size(type) <= sizeof(Number) &&
           (H5Tget_sign(type) == H5T_SGN_NONE) == std::is_unsigned_v<Number>;
}

}  // namespace

InputGroup::InputGroup(Handle id, std::string file, std::string path, std::uintmax_t file_size)
    : id_(std::move(id)),
      file_(std::move(file)),
      path_(std::move(path)),
      where_(path_.empty() ? file_ : file_ + ":" + path_),
      file_size_(file_size) {}

bool is_hdf5(const fs::path& path) {
    silence();
    check_file(path);
    return H5Fis_hdf5(path.c_str()) > 0;
}

InputGroup InputGroup::open(const fs::path& path) {
    silence();
    check_file(path);
    const std::string name = path.string();
    const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
    // Our files appear complete by renaming, so reading needs no lock, and read-only or network
    // file systems often have none.
    H5Pset_file_locking(access.id(), false, true);
    const Handle file(H5Fopen(name.c_str(), H5F_ACC_RDONLY, access.id()), H5Fclose);
    if (!file.is_valid())
        throw InvalidInput(
            name, fmt::format("cannot be read as an HDF5 file, it may be truncated or of another "
                              "kind ({})",
                              last_error()));
    Handle root(H5Gopen2(file.id(), "/", H5P_DEFAULT), H5Gclose);
    if (!root.is_valid()) throw InvalidInput(name, "has no root group: " + last_error());
    return {std::move(root), name, "", fs::file_size(path)};
}

std::string InputGroup::where(const std::string& name) const {
    return fmt::format("{}:{}/{}", file_, path_, name);
}

void InputGroup::fail(const std::string& name, const std::string& problem) const {
    throw InvalidInput(where(name), problem);
}

std::vector<std::string> InputGroup::names() const {
    const Handle properties(H5Gget_create_plist(id_.id()), H5Pclose);
    unsigned order = 0;
    H5Pget_link_creation_order(properties.id(), &order);
    const H5_index_t index =
        (order & H5P_CRT_ORDER_INDEXED) != 0U ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME;
    std::vector<std::string> found;
    const auto add = [](hid_t, const char* name, const H5L_info_t*, void* list) -> herr_t {
        static_cast<std::vector<std::string>*>(list)->emplace_back(name);
        return 0;
    };
    hsize_t from = 0;
    if (H5Literate(id_.id(), index, H5_ITER_INC, &from, add, &found) < 0)
        throw InvalidInput(where_, "cannot be listed: " + last_error());
    return found;
}

bool InputGroup::has(const std::string& name) const {
    return H5Lexists(id_.id(), name.c_str(), H5P_DEFAULT) > 0 &&
           H5Oexists_by_name(id_.id(), name.c_str(), H5P_DEFAULT) > 0;
}

namespace {

bool has_type(hid_t group, const std::string& name, H5I_type_t type) {
    const Handle object(H5Oopen(group, name.c_str(), H5P_DEFAULT), H5Oclose);
    return object.is_valid() && H5Iget_type(object.id()) == type;
}

}  // namespace

bool InputGroup::is_group(const std::string& name) const {
    return has(name) && has_type(id_.id(), name, H5I_GROUP);
}

bool InputGroup::is_data_set(const std::string& name) const {
    return has(name) && has_type(id_.id(), name, H5I_DATASET);
}

InputGroup InputGroup::group(const std::string& name) const {
    if (!has(name)) fail(name, "group is missing");
    if (!is_group(name)) fail(name, "is not a group");
    Handle id(H5Gopen2(id_.id(), name.c_str(), H5P_DEFAULT), H5Gclose);
    if (!id.is_valid()) fail(name, "cannot be opened: " + last_error());
    return {std::move(id), file_, path_ + "/" + name, file_size_};
}

Handle InputGroup::data_set(const std::string& name) const {
    if (!has(name)) fail(name, "data set is missing");
    if (!is_data_set(name)) fail(name, "is not a data set");
    Handle id(H5Dopen2(id_.id(), name.c_str(), H5P_DEFAULT), H5Dclose);
    if (!id.is_valid()) fail(name, "cannot be opened: " + last_error());
    return id;
}

Description InputGroup::describe(const std::string& name) const {
    const Handle set = data_set(name);
    const Handle type(H5Dget_type(set.id()), H5Tclose);
    const Handle space(H5Dget_space(set.id()), H5Sclose);
    return describe_values(type, space);
}

// A header may announce any size; memory is only taken for what the file can really hold.
void InputGroup::check_storage(hid_t data_set, const std::string& name, std::size_t bytes) const {
    const std::uintmax_t stored = H5Dget_storage_size(data_set);
    const Handle properties(H5Dget_create_plist(data_set), H5Pclose);
    const bool filtered = H5Pget_nfilters(properties.id()) > 0;
    const std::uintmax_t most = filtered ? stored * deflate_limit : stored;
    if (H5Pget_external_count(properties.id()) > 0) fail(name, "keeps its values in another file");
    if (stored > file_size_ || bytes > most)
        fail(name, fmt::format("announces {} bytes of values but holds {} (in a file of {})", bytes,
                               stored, file_size_));
}

template <class Number>
std::vector<Number> InputGroup::read_raw(hid_t data_set, const std::string& name,
                                         std::size_t count) const {
    std::vector<Number> values(count);
    if (count > 0 &&
        H5Dread(data_set, native_type<Number>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0)
        fail(name, "cannot be read, the file may be damaged: " + last_error());
    return values;
}

template <class Number>
void InputGroup::check_values(hid_t data_set, const std::string& name,
                              const Description& found) const {
    constexpr bool real = std::is_floating_point_v<Number>;
    if (found.kind != ValueKind::integer && !(real && found.kind == ValueKind::real))
        fail(name, fmt::format("holds {}, {} are needed", to_string(found.kind),
                               real ? "numbers" : "integers"));
    const Handle type(H5Dget_type(data_set), H5Tclose);
    std::size_t bytes = 0;
    if (__builtin_mul_overflow(element_count(found.shape, where(name)), H5Tget_size(type.id()),
                               &bytes))
        fail(name, fmt::format("shape {} is too large", hdf5::to_string(found.shape)));
    check_storage(data_set, name, bytes);
}

// HDF5 would clamp in silence what does not fit.
template <class Number>
std::vector<Number> InputGroup::read_narrowing(hid_t data_set, const std::string& name,
                                               std::size_t count) const {
    std::vector<Number> values;
    values.reserve(count);
    for (const std::int64_t value : read_raw<std::int64_t>(data_set, name, count)) {
        if (!std::in_range<Number>(value))
            fail(name, fmt::format("value {} is out of range", value));
        values.push_back(static_cast<Number>(value));
    }
    return values;
}

template <class Number>
Array<Number> InputGroup::read(const std::string& name) const {
    const Handle set = data_set(name);
    const Description found = describe(name);
    check_values<Number>(set.id(), name, found);
    const std::size_t count = element_count(found.shape, where(name));
    if constexpr (std::is_integral_v<Number>) {
        const Handle type(H5Dget_type(set.id()), H5Tclose);
        if (!fits_directly<Number>(type.id()))
            return {found.shape, read_narrowing<Number>(set.id(), name, count)};
    }
    return {found.shape, read_raw<Number>(set.id(), name, count)};
}

template <class Number>
Array<Number> InputGroup::read(const std::string& name, std::size_t rank) const {
    const Description found = describe(name);
    if (found.shape.size() != rank)
        fail(name, fmt::format("has shape {}, {} dimension{} needed", hdf5::to_string(found.shape),
                               rank, rank == 1 ? " is" : "s are"));
    return read<Number>(name);
}

std::vector<std::string> InputGroup::read_texts(const std::string& name) const {
    const Handle set = data_set(name);
    const Handle type(H5Dget_type(set.id()), H5Tclose);
    const Handle space(H5Dget_space(set.id()), H5Sclose);
    const Description found = describe_values(type, space);
    if (found.kind != ValueKind::text || found.shape.size() != 1)
        fail(name, "is not a list of texts");
    check_storage(set.id(), name, found.shape[0] * H5Tget_size(type.id()));
    const auto read = [&](hid_t memory, void* into) {
        return H5Dread(set.id(), memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, into) >= 0;
    };
    const auto texts = read_any_texts(found.shape[0], type, space, read);
    if (texts.size() != found.shape[0]) fail(name, "cannot be read: " + last_error());
    return texts;
}

std::vector<std::string> InputGroup::attribute_names() const {
    std::vector<std::string> found;
    const auto add = [](hid_t, const char* name, const H5A_info_t*, void* list) -> herr_t {
        static_cast<std::vector<std::string>*>(list)->emplace_back(name);
        return 0;
    };
    hsize_t from = 0;
    if (H5Aiterate2(id_.id(), H5_INDEX_NAME, H5_ITER_INC, &from, add, &found) < 0)
        throw InvalidInput(where_, "attributes cannot be listed: " + last_error());
    return found;
}

bool InputGroup::has_attribute(const std::string& name) const {
    return H5Aexists(id_.id(), name.c_str()) > 0;
}

Handle InputGroup::attribute(const std::string& name) const {
    if (!has_attribute(name))
        throw InvalidInput(where_, fmt::format("attribute '{}' is missing", name));
    Handle id(H5Aopen(id_.id(), name.c_str(), H5P_DEFAULT), H5Aclose);
    if (!id.is_valid())
        throw InvalidInput(where_,
                           fmt::format("attribute '{}' cannot be opened: {}", name, last_error()));
    return id;
}

Description InputGroup::describe_attribute(const std::string& name) const {
    const Handle id = attribute(name);
    const Handle type(H5Aget_type(id.id()), H5Tclose);
    const Handle space(H5Aget_space(id.id()), H5Sclose);
    return describe_values(type, space);
}

std::vector<std::string> InputGroup::texts(const std::string& name) const {
    const Handle id = attribute(name);
    const Handle type(H5Aget_type(id.id()), H5Tclose);
    const Handle space(H5Aget_space(id.id()), H5Sclose);
    const Description found = describe_values(type, space);
    const std::size_t count = element_count(found.shape, where_);
    const auto read = [&](hid_t memory, void* into) { return H5Aread(id.id(), memory, into) >= 0; };
    if (found.kind == ValueKind::text && count <= most_attribute_values) {
        auto texts = read_any_texts(count, type, space, read);
        if (texts.size() == count) return texts;
    }
    throw InvalidInput(where_, fmt::format("attribute '{}' holds {}, text is needed", name,
                                           to_string(found.kind)));
}

std::string InputGroup::text(const std::string& name) const {
    const auto values = texts(name);
    if (values.size() != 1)
        throw InvalidInput(where_, fmt::format("attribute '{}' is not one text", name));
    return values.front();
}

std::vector<double> InputGroup::numbers(const std::string& name) const {
    const Handle id = attribute(name);
    const Description found = describe_attribute(name);
    const std::size_t count = element_count(found.shape, where_);
    if ((found.kind != ValueKind::real && found.kind != ValueKind::integer) ||
        count > most_attribute_values)
        throw InvalidInput(where_, fmt::format("attribute '{}' holds {}, numbers are needed", name,
                                               to_string(found.kind)));
    std::vector<double> values(count);
    if (count > 0 && H5Aread(id.id(), H5T_NATIVE_DOUBLE, values.data()) < 0)
        throw InvalidInput(where_,
                           fmt::format("attribute '{}' cannot be read: {}", name, last_error()));
    return values;
}

double InputGroup::number(const std::string& name) const {
    const auto values = numbers(name);
    if (values.size() != 1)
        throw InvalidInput(where_, fmt::format("attribute '{}' is not one number", name));
    return values.front();
}

std::uint64_t InputGroup::count(const std::string& name) const {
    const double rounded = number(name);
    const Handle id = attribute(name);
    std::uint64_t value = 0;
    if (describe_attribute(name).kind != ValueKind::integer || rounded < 0 ||
        H5Aread(id.id(), H5T_NATIVE_UINT64, &value) < 0)
        throw InvalidInput(where_,
                           fmt::format("attribute '{}' is not a whole number of at least 0", name));
    return value;
}

std::string InputGroup::unit(const std::string& name) const {
    const Handle set = data_set(name);
    if (H5Aexists(set.id(), "units") <= 0) return "";
    const Handle id(H5Aopen(set.id(), "units", H5P_DEFAULT), H5Aclose);
    const Handle type(H5Aget_type(id.id()), H5Tclose);
    const Handle space(H5Aget_space(id.id()), H5Sclose);
    if (kind_of(type.id()) != ValueKind::text || !shape_of(space.id()).empty()) return "";
    const auto read = [&](hid_t memory, void* into) { return H5Aread(id.id(), memory, into) >= 0; };
    const auto texts = read_any_texts(1, type, space, read);
    return texts.empty() ? "" : texts.front();
}

template Array<double> InputGroup::read(const std::string&) const;
template Array<float> InputGroup::read(const std::string&) const;
template Array<std::int32_t> InputGroup::read(const std::string&) const;
template Array<std::uint8_t> InputGroup::read(const std::string&) const;
template Array<std::uint32_t> InputGroup::read(const std::string&) const;
template Array<std::uint64_t> InputGroup::read(const std::string&) const;
template Array<double> InputGroup::read(const std::string&, std::size_t) const;
template Array<float> InputGroup::read(const std::string&, std::size_t) const;
template Array<std::int32_t> InputGroup::read(const std::string&, std::size_t) const;
template Array<std::uint8_t> InputGroup::read(const std::string&, std::size_t) const;
template Array<std::uint32_t> InputGroup::read(const std::string&, std::size_t) const;
template Array<std::uint64_t> InputGroup::read(const std::string&, std::size_t) const;

}  // namespace kirchnet::hdf5
