#include "data/detail/hdf5_writer.hpp"

#include <fmt/format.h>

#include <atomic>

#include "circuit/error.hpp"
#include "data/atomic_file.hpp"

namespace kirchnet::hdf5 {
namespace {

constexpr std::size_t memory_step = 1U << 20U;      // by which the file in memory grows
constexpr std::size_t largest_chunk = 512U << 10U;  // [bytes] fits HDF5's 1 MB chunk cache
constexpr std::size_t worth_packing = 1024;  // [bytes] below, a chunk costs more than it saves
constexpr unsigned deflate_level = 1;        // 6 to 9 take ten times longer for 5 %

/// Writing happens in memory, so a refusal is about a name or a lack of memory.
hid_t checked(hid_t id, const std::string& what) {
    if (id < 0) throw InvalidInput(what, "cannot be written to an HDF5 file: " + last_error());
    return id;
}

void check_status(herr_t status, const std::string& what) {
    checked(status, what);
}

void check_name(const std::string& name) {
    if (name.empty() || name == "." || name.find('/') != std::string::npos ||
        name.find('\0') != std::string::npos)
        throw InvalidInput(fmt::format("name '{}'", name.c_str()),
                           "cannot name a part of an HDF5 file (empty, '.', or with '/')");
}

void check_text(std::string_view text, const std::string& name) {
    if (text.find('\0') != std::string_view::npos)
        throw InvalidInput(fmt::format("text '{}'", name), "holds a NUL character");
}

Handle make_space(const Shape& shape) {
    const std::vector<hsize_t> extents(shape.begin(), shape.end());
    if (shape.empty()) return {H5Screate(H5S_SCALAR), H5Sclose};
    return {H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr), H5Sclose};
}

/// Halves the slowest dimensions until a chunk is small enough, so that rows stay together.
std::vector<hsize_t> chunk_shape(const Shape& shape, std::size_t element_size) {
    std::vector<hsize_t> chunk(shape.begin(), shape.end());
    hsize_t bytes = element_size;
    for (const hsize_t extent : chunk) bytes *= extent;
    for (hsize_t& extent : chunk)
        while (bytes > largest_chunk && extent > 1) {
            bytes /= extent;
            extent = (extent + 1) / 2;
            bytes *= extent;
        }
    return chunk;
}

/// Without times of writing: the same content is the same bytes.
Handle timeless_properties(hid_t kind) {
    Handle properties(checked(H5Pcreate(kind), "properties"), H5Pclose);
    check_status(H5Pset_obj_track_times(properties.id(), false), "times");
    return properties;
}

Handle creation_properties(const Shape& shape, std::size_t count, std::size_t element_size,
                           Storage storage) {
    Handle properties = timeless_properties(H5P_DATASET_CREATE);
    const bool is_small = count * element_size < worth_packing;
    if (count == 0 || storage == Storage::plain || (storage == Storage::packed && is_small))
        return properties;
    const auto chunk = chunk_shape(shape, element_size);
    check_status(H5Pset_chunk(properties.id(), static_cast<int>(chunk.size()), chunk.data()),
                 "chunk");
    if (storage == Storage::checked) {
        check_status(H5Pset_fletcher32(properties.id()), "checksum filter");
        return properties;
    }
    check_status(H5Pset_shuffle(properties.id()), "shuffle filter");
    check_status(H5Pset_deflate(properties.id(), deflate_level), "deflate filter");
    return properties;
}

void write_attribute(hid_t object, const std::string& name, hid_t type, const Shape& shape,
                     const void* value) {
    if (H5Aexists(object, name.c_str()) > 0)
        check_status(H5Adelete(object, name.c_str()), "attribute " + name);
    const Handle space = make_space(shape);
    const Handle id(
        checked(H5Acreate2(object, name.c_str(), type, space.id(), H5P_DEFAULT, H5P_DEFAULT),
                fmt::format("attribute '{}'", name)),
        H5Aclose);
    check_status(H5Awrite(id.id(), type, value), fmt::format("attribute '{}'", name));
}

void write_text_attribute(hid_t object, const std::string& name, std::string_view text) {
    check_text(text, name);
    const std::string copy(text);
    const char* pointer = copy.c_str();
    write_attribute(object, name, text_type().id(), {}, &pointer);
}

std::vector<const char*> pointers_to(const std::vector<std::string>& texts,
                                     const std::string& name) {
    std::vector<const char*> pointers;
    for (const std::string& text : texts) {
        check_text(text, name);
        pointers.push_back(text.c_str());
    }
    return pointers;
}

Handle create_data_set(hid_t group, const std::string& name, hid_t type, const Shape& shape,
                       const Handle& properties) {
    check_name(name);
    const Handle space = make_space(shape);
    return {checked(H5Dcreate2(group, name.c_str(), type, space.id(), H5P_DEFAULT, properties.id(),
                               H5P_DEFAULT),
                    name),
            H5Dclose};
}

Handle new_file_in_memory() {
    silence();
    const Handle access(checked(H5Pcreate(H5P_FILE_ACCESS), "HDF5 library"), H5Pclose);
    check_status(H5Pset_fapl_core(access.id(), memory_step, false), "memory driver");
    // The name is never used on disk, but HDF5 takes two open files of one name for the same file.
    static std::atomic<unsigned> count{0};
    const std::string name = fmt::format("kirchnet-{}", count++);
    return {checked(H5Fcreate(name.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.id()), "file"),
            H5Fclose};
}

}  // namespace

OutputGroup OutputGroup::create(const std::string& format, int version) {
    const Handle file = new_file_in_memory();
    OutputGroup root(Handle(checked(H5Gopen2(file.id(), "/", H5P_DEFAULT), "/"), H5Gclose));
    root.set("format", format);
    root.set("format_version", static_cast<std::uint64_t>(version));
    root.set("producer", "kirchnet " KIRCHNET_VERSION);
    return root;
}

OutputGroup OutputGroup::group(const std::string& name) {
    check_name(name);
    const Handle properties = timeless_properties(H5P_GROUP_CREATE);
    check_status(
        H5Pset_link_creation_order(properties.id(), H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED),
        name);
    return OutputGroup(Handle(
        checked(H5Gcreate2(id_.id(), name.c_str(), H5P_DEFAULT, properties.id(), H5P_DEFAULT),
                name),
        H5Gclose));
}

template <class Number>
void OutputGroup::write(const std::string& name, const Shape& shape, std::span<const Number> values,
                        const std::string& unit, Storage storage) {
    const std::size_t count = element_count(shape, name);
    if (count != values.size())
        throw InvalidInput(name, fmt::format("shape {} needs {} values, there are {}",
                                             to_string(shape), count, values.size()));
    const hid_t type = native_type<Number>();
    const Handle properties = creation_properties(shape, count, sizeof(Number), storage);
    const Handle set = create_data_set(id_.id(), name, type, shape, properties);
    if (count > 0)
        check_status(H5Dwrite(set.id(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), name);
    write_text_attribute(set.id(), "units", unit);
}

void OutputGroup::write_texts(const std::string& name, const std::vector<std::string>& texts) {
    const auto pointers = pointers_to(texts, name);
    const Handle type = text_type();
    const Handle properties = timeless_properties(H5P_DATASET_CREATE);
    const Handle set = create_data_set(id_.id(), name, type.id(), {pointers.size()}, properties);
    if (!pointers.empty())
        check_status(H5Dwrite(set.id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, pointers.data()),
                     name);
    write_text_attribute(set.id(), "units", "text");
}

void OutputGroup::set_attribute(const std::string& name, hid_t type, const Shape& shape,
                                const void* value) {
    write_attribute(id_.id(), name, type, shape, value);
}

void OutputGroup::set(const std::string& name, std::string_view text) {
    write_text_attribute(id_.id(), name, text);
}

void OutputGroup::set(const std::string& name, const std::vector<std::string>& texts) {
    const auto pointers = pointers_to(texts, name);
    set_attribute(name, text_type().id(), {pointers.size()}, pointers.data());
}

void OutputGroup::set(const std::string& name, double value) {
    set_attribute(name, H5T_NATIVE_DOUBLE, {}, &value);
}

void OutputGroup::set(const std::string& name, std::uint64_t value) {
    set_attribute(name, H5T_NATIVE_UINT64, {}, &value);
}

void OutputGroup::set(const std::string& name, const std::vector<std::uint64_t>& values) {
    set_attribute(name, H5T_NATIVE_UINT64, {values.size()}, values.data());
}

void OutputGroup::set_on(const std::string& data_set, const std::string& name,
                         std::string_view text) {
    const Handle set(checked(H5Dopen2(id_.id(), data_set.c_str(), H5P_DEFAULT), data_set),
                     H5Dclose);
    write_text_attribute(set.id(), name, text);
}

std::string OutputGroup::image() const {
    const Handle file(checked(H5Iget_file_id(id_.id()), "file"), H5Fclose);
    check_status(H5Fflush(file.id(), H5F_SCOPE_GLOBAL), "file");
    const ssize_t size = H5Fget_file_image(file.id(), nullptr, 0);
    if (size < 0) throw Error("cannot build HDF5 file: " + last_error());
    std::string bytes(static_cast<std::size_t>(size), '\0');
    if (H5Fget_file_image(file.id(), bytes.data(), bytes.size()) < 0)
        throw Error("cannot build HDF5 file: " + last_error());
    return bytes;
}

void OutputGroup::save(const std::filesystem::path& path) const {
    write_text_atomically(path, image());
}

template void OutputGroup::write(const std::string&, const Shape&, std::span<const double>,
                                 const std::string&, Storage);
template void OutputGroup::write(const std::string&, const Shape&, std::span<const float>,
                                 const std::string&, Storage);
template void OutputGroup::write(const std::string&, const Shape&, std::span<const std::int32_t>,
                                 const std::string&, Storage);
template void OutputGroup::write(const std::string&, const Shape&, std::span<const std::uint8_t>,
                                 const std::string&, Storage);
template void OutputGroup::write(const std::string&, const Shape&, std::span<const std::uint32_t>,
                                 const std::string&, Storage);
template void OutputGroup::write(const std::string&, const Shape&, std::span<const std::uint64_t>,
                                 const std::string&, Storage);

}  // namespace kirchnet::hdf5
