#pragma once

#include <Eigen/Core>
#include <string>
#include <string_view>

namespace kirchnet {

/// A 1-D (one row) or 2-D array of NumPy's `.npy` format, versions 1 and 2: `<f8`, `<f4`, `<i4`,
/// `<i8` or `|u1`, in C or Fortran order.
/// @throws InvalidInput  naming file and what does not fit
Eigen::MatrixXd parse_npy(std::string_view bytes, const std::string& where);

/// Version 1, `<f8`, C order.
std::string format_npy(const Eigen::Ref<const Eigen::MatrixXd>& matrix);

}  // namespace kirchnet
