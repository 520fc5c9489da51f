#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/detail/hdf5_handle.hpp"

namespace kirchnet::hdf5 {

/// Values with their shape, last index fastest.
template <class Number>
struct Array {
    Shape shape;
    std::vector<Number> values;
};

enum class ValueKind { real, integer, text, other };

/// What a data set is, before anything of it is read.
struct Description {
    ValueKind kind = ValueKind::other;
    Shape shape;
};

/// Whether the file has HDF5's signature; what is behind it may be damaged.
/// @throws InvalidInput  when the file is missing
bool is_hdf5(const std::filesystem::path& path);

/// A group of a file open for reading. Whatever is missing or of the wrong kind is an InvalidInput
/// that names the file and the key.
class InputGroup {
  public:
    /// The root group of a file.
    /// @throws InvalidInput  when the file is missing, truncated or not HDF5
    static InputGroup open(const std::filesystem::path& path);

    [[nodiscard]] const std::string& where() const { return where_; }
    /// `file.h5:/group/name`.
    [[nodiscard]] std::string where(const std::string& name) const;
    [[noreturn]] void fail(const std::string& name, const std::string& problem) const;

    /// Members by creation order where the file keeps it, else by name.
    [[nodiscard]] std::vector<std::string> names() const;
    [[nodiscard]] bool has(const std::string& name) const;
    [[nodiscard]] bool is_group(const std::string& name) const;
    [[nodiscard]] bool is_data_set(const std::string& name) const;
    [[nodiscard]] InputGroup group(const std::string& name) const;

    [[nodiscard]] Description describe(const std::string& name) const;
    /// Reals may be stored as integers; integers must fit the type asked for.
    template <class Number>
    [[nodiscard]] Array<Number> read(const std::string& name) const;
    template <class Number>
    [[nodiscard]] Array<Number> read(const std::string& name, std::size_t rank) const;
    template <class Number>
    [[nodiscard]] std::vector<Number> read_vector(const std::string& name) const {
        return read<Number>(name, 1).values;
    }
    [[nodiscard]] std::vector<std::string> read_texts(const std::string& name) const;

    [[nodiscard]] std::vector<std::string> attribute_names() const;
    [[nodiscard]] bool has_attribute(const std::string& name) const;
    [[nodiscard]] Description describe_attribute(const std::string& name) const;
    [[nodiscard]] std::string text(const std::string& name) const;
    [[nodiscard]] std::vector<std::string> texts(const std::string& name) const;
    [[nodiscard]] double number(const std::string& name) const;
    [[nodiscard]] std::vector<double> numbers(const std::string& name) const;
    [[nodiscard]] std::uint64_t count(const std::string& name) const;  ///< whole, not negative
    /// Attribute `units` of a data set; empty where it has none.
    [[nodiscard]] std::string unit(const std::string& name) const;

  private:
    InputGroup(Handle id, std::string file, std::string path, std::uintmax_t file_size);
    [[nodiscard]] Handle data_set(const std::string& name) const;
    [[nodiscard]] Handle attribute(const std::string& name) const;
    void check_storage(hid_t data_set, const std::string& name, std::size_t bytes) const;
    template <class Number>
    [[nodiscard]] std::vector<Number> read_raw(hid_t data_set, const std::string& name,
                                               std::size_t count) const;
    template <class Number>
    [[nodiscard]] std::vector<Number> read_narrowing(hid_t data_set, const std::string& name,
                                                     std::size_t count) const;
    template <class Number>
    void check_values(hid_t data_set, const std::string& name, const Description& found) const;

    Handle id_;
    std::string file_;
    std::string path_;
    std::string where_;
    std::uintmax_t file_size_ = 0;
};

}  // namespace kirchnet::hdf5
