#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/detail/hdf5_handle.hpp"

namespace kirchnet::hdf5 {

/// `packed` is deflate level 1 with shuffle, for values that repeat (levels, pixels, classes);
/// floats hardly shrink and are stored plainly. `checked` adds a Fletcher-32 checksum per chunk, so
/// that reading damaged values fails.
enum class Storage { plain, packed, checked };

/// A group of a file being built in memory. Nothing reaches the disk before `save`, so HDF5 never
/// meets a full disk and a file is either complete or absent.
class OutputGroup {
  public:
    /// The root group of a new file, with `format`, `format_version` and `producer`.
    static OutputGroup create(const std::string& format, int version);

    /// Makes a group whose members keep their order.
    OutputGroup group(const std::string& name);

    template <class Number>
    void write(const std::string& name, const Shape& shape, std::span<const Number> values,
               const std::string& unit, Storage storage = Storage::plain);
    template <class Number>
    void write(const std::string& name, const std::vector<Number>& values, const std::string& unit,
               Storage storage = Storage::plain) {
        write(name, {values.size()}, std::span<const Number>(values), unit, storage);
    }
    void write_texts(const std::string& name, const std::vector<std::string>& texts);

    /// Attributes; setting one again replaces it.
    void set(const std::string& name, std::string_view text);
    void set(const std::string& name, const std::vector<std::string>& texts);
    void set(const std::string& name, double value);
    void set(const std::string& name, std::uint64_t value);
    void set(const std::string& name, const std::vector<std::uint64_t>& values);
    /// Attribute of a data set of this group.
    void set_on(const std::string& data_set, const std::string& name, std::string_view text);

    /// The whole file as bytes.
    [[nodiscard]] std::string image() const;
    /// Writes the whole file under its name, or not at all.
    /// @throws FileError  when the disk refuses
    void save(const std::filesystem::path& path) const;

  private:
    explicit OutputGroup(Handle id) : id_(std::move(id)) {}
    void set_attribute(const std::string& name, hid_t type, const Shape& shape, const void* value);

    Handle id_;
};

}  // namespace kirchnet::hdf5
