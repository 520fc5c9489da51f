#pragma once

#include <Eigen/Core>
#include <filesystem>
#include <iosfwd>
#include <string>

namespace kirchnet {

/// Reads a matrix of numbers: CSV (comma-separated, no header, lines starting with # skipped),
/// `.npy` (little-endian f4, f8, integers; 1-D is one row), or `FILE.h5:/data/set` (without the
/// part after the colon: the only 1-D or 2-D data set of the file).
/// @throws InvalidInput  naming file, line and column
Eigen::MatrixXd read_matrix(const std::string& path);

/// Writes CSV with 17 significant digits, `.npy` (f8) or `.h5` (`/matrix`), by the file's ending.
/// `-` is standard output, as CSV.
/// @param unit  recorded with HDF5 data sets and in a `#` line of CSV files
void write_matrix(const std::string& path, const Eigen::Ref<const Eigen::MatrixXd>& matrix,
                  const std::string& unit);

void write_csv(std::ostream& out, const Eigen::Ref<const Eigen::MatrixXd>& matrix);

}  // namespace kirchnet
