#include "data/cell_table.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "circuit/error.hpp"
#include "circuit/table_law.hpp"
#include "data/detail/csv.hpp"

namespace kirchnet {
namespace {

std::string read_text(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file || std::filesystem::is_directory(path))
        throw InvalidInput(path.string(), "cannot be opened");
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// The line on which a row of numbers stands; lines in between are comments alone.
std::size_t line_of(std::string_view text, std::size_t row) {
    std::size_t line = 0;
    for (std::size_t rows = 0; rows <= row; ++line) {
        if (!text.starts_with('#')) ++rows;
        const std::size_t end = text.find('\n');
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return line;
}

}  // namespace

CellLaw read_cell_table(const std::filesystem::path& path) {
    const std::string text = read_text(path);
    const Eigen::MatrixXd rows = parse_csv(text, path.string());
    if (rows.cols() != 2)
        throw InvalidInput(path.string(), fmt::format("has {} columns; a cell's curve has two, "
                                                      "voltage [V] and current [A]",
                                                      rows.cols()));
    std::vector<CurveSample> samples;
    for (Eigen::Index r = 0; r < rows.rows(); ++r) {
        const CurveSample sample{rows(r, 0), rows(r, 1)};
        if (const auto problem = problem_of(sample, r == 0 ? nullptr : &samples.back()))
            throw InvalidInput(
                path.string(),
                fmt::format("line {} {}", line_of(text, static_cast<std::size_t>(r)), *problem));
        samples.push_back(sample);
    }
    return CellLaw::custom(std::make_shared<TableLaw>("table:" + path.string(), samples));
}

}  // namespace kirchnet
