#include "data/matrix_file.hpp"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <cerrno>
#include <cmath>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <system_error>

#include "circuit/error.hpp"
#include "data/atomic_file.hpp"
#include "data/detail/csv.hpp"
#include "data/detail/decompression.hpp"
#include "data/detail/file_format.hpp"
#include "data/detail/npy.hpp"

namespace kirchnet {
namespace fs = std::filesystem;
namespace {

using hdf5::InputGroup;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr std::size_t largest_file = std::size_t{4} << 30U;  // [bytes]
constexpr const char* standard_output = "standard output";

bool ends_like_hdf5(const std::string& path) {
    return path.ends_with(".h5") || path.ends_with(".hdf5");
}

/// `FILE.h5:/data/set` taken apart; the second part is empty where it is not given.
struct DataSetPath {
    std::string file;
    std::string data_set;
};

DataSetPath split_data_set(const std::string& path) {
    for (const char* ending : {".h5:", ".hdf5:"})
        if (const std::size_t at = path.find(ending); at != std::string::npos) {
            const std::size_t colon = path.find(':', at);
            return {path.substr(0, colon), path.substr(colon + 1)};
        }
    return {path, ""};
}

/// Names of all numeric data sets of one or two dimensions, as paths below the root.
void find_matrices(const InputGroup& group, const std::string& prefix,
                   std::vector<std::string>& found) {
    for (const std::string& name : group.names()) {
        if (group.is_group(name)) {
            find_matrices(group.group(name), prefix + name + "/", found);
        } else if (group.is_data_set(name)) {
            const auto [kind, shape] = group.describe(name);
            const bool numeric = kind == hdf5::ValueKind::real || kind == hdf5::ValueKind::integer;
            if (numeric && (shape.size() == 1 || shape.size() == 2)) found.push_back(prefix + name);
        }
    }
}

std::string only_matrix(const InputGroup& file) {
    std::vector<std::string> found;
    find_matrices(file, "", found);
    if (found.size() == 1) return found.front();
    throw InvalidInput(
        file.where(),
        found.empty()
            ? std::string("holds no data set of one or two dimensions")
            : fmt::format("holds {} data sets (/{}): say which, as in {}:/{}", found.size(),
                          fmt::join(found, ", /"), file.where(), found.front()));
}

Eigen::MatrixXd read_hdf5_matrix(const std::string& path) {
    const auto [file_name, data_set] = split_data_set(path);
    const InputGroup file = InputGroup::open(file_name);
    std::string name = data_set.empty() ? only_matrix(file) : data_set;
    name.erase(0, name.find_first_not_of('/'));
    const auto array = file.read<double>(name);
    if (array.shape.empty() || array.shape.size() > 2 || array.values.empty())
        file.fail(name,
                  fmt::format("has shape {}, a matrix is needed", hdf5::to_string(array.shape)));
    const auto columns = static_cast<Eigen::Index>(array.shape.back());
    const auto rows = static_cast<Eigen::Index>(array.values.size()) / columns;
    return Eigen::Map<const RowMajor>(array.values.data(), rows, columns);
}

std::string read_text(const std::string& path) {
    if (path == "-") return {std::istreambuf_iterator<char>(std::cin), {}};
    const Bytes bytes = read_whole(path, largest_file);
    return {bytes.begin(), bytes.end()};
}

void refuse_nan(const Eigen::MatrixXd& matrix, const std::string& where) {
    for (Eigen::Index row = 0; row < matrix.rows(); ++row)
        for (Eigen::Index column = 0; column < matrix.cols(); ++column)
            if (std::isnan(matrix(row, column)))
                throw InvalidInput(where,
                                   fmt::format("row {}, column {} (from 0) is NaN", row, column));
}

Eigen::MatrixXd read_any(const std::string& path) {
    if (ends_like_hdf5(split_data_set(path).file)) return read_hdf5_matrix(path);
    if (path.ends_with(".npy")) return parse_npy(read_text(path), path);
    return parse_csv(read_text(path), path == "-" ? "standard input" : path);
}

void write_standard_output(const Eigen::Ref<const Eigen::MatrixXd>& matrix) {
    errno = 0;
    write_csv(std::cout, matrix);
    std::cout.flush();
    if (!std::cout)
        throw FileError(standard_output,
                        fmt::format("cannot be written: {}",
                                    std::generic_category().message(errno != 0 ? errno : EIO)));
}

void write_hdf5_matrix(const std::string& path, const Eigen::Ref<const Eigen::MatrixXd>& matrix,
                       const std::string& unit) {
    const RowMajor values = matrix;
    auto file = hdf5::OutputGroup::create(format::matrix, format::version);
    file.write("matrix",
               {static_cast<std::size_t>(values.rows()), static_cast<std::size_t>(values.cols())},
               std::span<const double>(values.data(), static_cast<std::size_t>(values.size())),
               unit);
    file.save(path);
}

std::string csv_text(const Eigen::Ref<const Eigen::MatrixXd>& matrix, const std::string& unit) {
    std::ostringstream text;
    if (!unit.empty()) text << "# unit: " << unit << '\n';
    write_csv(text, matrix);
    return text.str();
}

}  // namespace

Eigen::MatrixXd read_matrix(const std::string& path) {
    Eigen::MatrixXd matrix = read_any(path);
    refuse_nan(matrix, path);
    return matrix;
}

void write_csv(std::ostream& out, const Eigen::Ref<const Eigen::MatrixXd>& matrix) {
    fmt::memory_buffer line;
    for (Eigen::Index row = 0; row < matrix.rows(); ++row) {
        line.clear();
        for (Eigen::Index column = 0; column < matrix.cols(); ++column)
            fmt::format_to(std::back_inserter(line), "{}{:.17g}", column == 0 ? "" : ",",
                           matrix(row, column));
        line.push_back('\n');
        out.write(line.data(), static_cast<std::streamsize>(line.size()));
    }
}

void write_matrix(const std::string& path, const Eigen::Ref<const Eigen::MatrixXd>& matrix,
                  const std::string& unit) {
    if (path == "-")
        write_standard_output(matrix);
    else if (ends_like_hdf5(path))
        write_hdf5_matrix(path, matrix, unit);
    else if (path.ends_with(".npy"))
        write_text_atomically(path, format_npy(matrix));
    else
        write_text_atomically(path, csv_text(matrix, unit));
}

}  // namespace kirchnet
