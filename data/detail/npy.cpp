// Layout (NumPy Enhancement Proposal 1): "\x93NUMPY", major and minor version, length of the
// header (2 bytes in version 1, 4 in version 2, little-endian), the header as a Python dictionary,
// then the values.
#include "data/detail/npy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <system_error>
#include <vector>

#include "circuit/error.hpp"

namespace kirchnet {
namespace {

static_assert(std::endian::native == std::endian::little, "values are copied as they are stored");

constexpr std::string_view magic("\x93NUMPY", 6);
constexpr std::size_t alignment = 64;  // of the first value, as NumPy writes
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

struct Header {
    std::string type;
    bool fortran_order = false;
    Eigen::Index rows = 0;
    Eigen::Index columns = 0;
    std::string_view values;
};

/// Splits off the dictionary, leaving the values in `bytes`.
std::string split_dictionary(std::string_view& bytes, const std::string& where) {
    if (bytes.size() < 10 || !bytes.starts_with(magic))
        throw InvalidInput(where, "is truncated or no .npy file");
    const int version = bytes[6];
    if (version != 1 && version != 2)
        throw InvalidInput(where, fmt::format(".npy version {} is not supported", version));
    const std::size_t start = version == 1 ? 10 : 12;
    std::size_t length = 0;
    for (std::size_t i = std::min(start, bytes.size()); i-- > 8;)
        length = length << 8U | static_cast<unsigned char>(bytes[i]);
    if (bytes.size() < start || length > bytes.size() - start)
        throw InvalidInput(where, "is truncated within its header");
    std::string dictionary(bytes.substr(start, length));
    bytes.remove_prefix(start + length);
    return dictionary;
}

[[noreturn]] void refuse_entry(std::string_view key, const std::string& where) {
    throw InvalidInput(where, fmt::format("header has no valid '{}'", key));
}

/// What follows `'key':` in the dictionary, blanks skipped.
std::string_view find_entry(std::string_view dictionary, std::string_view key,
                            const std::string& where) {
    const std::size_t at = dictionary.find(fmt::format("'{}'", key));
    if (at == std::string_view::npos) refuse_entry(key, where);
    dictionary.remove_prefix(at + key.size() + 2);
    const std::size_t colon = dictionary.find_first_not_of(' ');
    if (colon == std::string_view::npos || dictionary[colon] != ':') refuse_entry(key, where);
    dictionary.remove_prefix(colon + 1);
    dictionary.remove_prefix(std::min(dictionary.find_first_not_of(' '), dictionary.size()));
    return dictionary;
}

/// The text between `open` and `close` at the start of an entry.
std::string_view enclosed(std::string_view entry, char open, char close, std::string_view key,
                          const std::string& where) {
    const std::size_t end = entry.find(close, 1);
    if (!entry.starts_with(open) || end == std::string_view::npos) refuse_entry(key, where);
    return entry.substr(1, end - 1);
}

bool read_order(std::string_view entry, const std::string& where) {
    if (entry.starts_with("True")) return true;
    if (!entry.starts_with("False")) refuse_entry("fortran_order", where);
    return false;
}

/// The numbers of `3, 4` or `3,`; at most nine digits each, so that products fit 64 bits.
std::vector<Eigen::Index> read_extents(std::string_view text, const std::string& where) {
    std::vector<Eigen::Index> extents;
    const char* end = text.data() + text.size();
    for (const char* at = text.data(); at != end;) {
        if (*at == ' ' || *at == ',') {
            ++at;
            continue;
        }
        Eigen::Index extent = -1;
        const auto [rest, status] = std::from_chars(at, end, extent);
        if (status != std::errc{} || extent < 0 || rest - at > 9) refuse_entry("shape", where);
        extents.push_back(extent);
        at = rest;
    }
    return extents;
}

/// One extent is a row.
void read_shape(Header& header, std::string_view text, const std::string& where) {
    const auto extents = read_extents(text, where);
    if (extents.empty() || extents.size() > 2)
        throw InvalidInput(where, fmt::format("shape ({}) is not of one or two dimensions", text));
    header.rows = extents.size() == 2 ? extents[0] : 1;
    header.columns = extents.back();
    if (header.rows == 0 || header.columns == 0)
        throw InvalidInput(where, fmt::format("shape ({}) holds no numbers", text));
}

Header read_header(std::string_view bytes, const std::string& where) {
    const std::string dictionary = split_dictionary(bytes, where);
    Header header;
    header.values = bytes;
    header.type = enclosed(find_entry(dictionary, "descr", where), '\'', '\'', "descr", where);
    header.fortran_order = read_order(find_entry(dictionary, "fortran_order", where), where);
    read_shape(header, enclosed(find_entry(dictionary, "shape", where), '(', ')', "shape", where),
               where);
    return header;
}

template <class Number>
std::vector<double> to_doubles(std::string_view bytes) {
    std::vector<double> values(bytes.size() / sizeof(Number));
    for (std::size_t i = 0; i < values.size(); ++i) {
        Number value;
        std::memcpy(&value, bytes.data() + i * sizeof(Number), sizeof(Number));
        values[i] = static_cast<double>(value);
    }
    return values;
}

struct NumberType {
    std::string_view name;
    std::size_t size;
    std::vector<double> (*convert)(std::string_view);
};
constexpr NumberType number_types[] = {{"<f8", 8, to_doubles<double>},
                                       {"<f4", 4, to_doubles<float>},
                                       {"<i4", 4, to_doubles<std::int32_t>},
                                       {"<i8", 8, to_doubles<std::int64_t>},
                                       {"|u1", 1, to_doubles<std::uint8_t>}};

const NumberType& find_type(const std::string& name, const std::string& where) {
    for (const NumberType& type : number_types)
        if (type.name == name) return type;
    throw InvalidInput(where, fmt::format("numbers of type '{}' are not supported (<f8, <f4, <i4, "
                                          "<i8 or |u1)",
                                          name));
}

void check_size(const Header& header, const NumberType& type, const std::string& where) {
    const auto count = static_cast<std::size_t>(header.rows * header.columns);
    if (header.values.size() / type.size != count || header.values.size() % type.size != 0)
        throw InvalidInput(
            where, fmt::format("announces {} x {} numbers of {} bytes but holds {} "
                               "bytes",
                               header.rows, header.columns, type.size, header.values.size()));
}

}  // namespace

Eigen::MatrixXd parse_npy(std::string_view bytes, const std::string& where) {
    const Header header = read_header(bytes, where);
    const NumberType& type = find_type(header.type, where);
    check_size(header, type, where);
    const std::vector<double> values = type.convert(header.values);
    if (header.fortran_order)
        return Eigen::Map<const Eigen::MatrixXd>(values.data(), header.rows, header.columns);
    return Eigen::Map<const RowMajor>(values.data(), header.rows, header.columns);
}

std::string format_npy(const Eigen::Ref<const Eigen::MatrixXd>& matrix) {
    std::string dictionary = fmt::format(
        "{{'descr': '<f8', 'fortran_order': False, 'shape': "
        "({}, {}), }}",
        matrix.rows(), matrix.cols());
    const std::size_t used = magic.size() + 4 + dictionary.size() + 1;
    dictionary.append((alignment - used % alignment) % alignment, ' ').push_back('\n');
    std::string bytes(magic);
    bytes += {'\x01', '\x00', static_cast<char>(dictionary.size() & 0xFFU),
              static_cast<char>(dictionary.size() >> 8U)};
    bytes += dictionary;
    const RowMajor values = matrix;
    return bytes.append(reinterpret_cast<const char*>(values.data()),
                        static_cast<std::size_t>(values.size()) * sizeof(double));
}

}  // namespace kirchnet
