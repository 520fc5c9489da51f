#include "data/detail/csv.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <system_error>
#include <vector>

#include "circuit/error.hpp"

namespace kirchnet {
namespace {

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

/// What the file says, fit for one line of a terminal.
std::string printable(std::string_view text) {
    constexpr std::size_t longest = 40;
    std::string shown(text.substr(0, longest));
    for (char& letter : shown)
        if (static_cast<unsigned char>(letter) < 0x20 || static_cast<unsigned char>(letter) > 0x7e)
            letter = '?';
    return text.size() > longest ? shown + "..." : shown;
}

class CsvParser {
  public:
    explicit CsvParser(const std::string& where) : where_(where) {}

    void add_line(std::string_view line) {
        ++line_;
        if (line.starts_with('#')) return;
        if (trimmed(line).empty()) {
            if (blank_line_ == 0) blank_line_ = line_;
            return;
        }
        // In a file of one column an empty line in between may well be a lost value.
        if (blank_line_ != 0 && rows_ > 0)
            throw InvalidInput(where_, fmt::format("line {} is empty", blank_line_));
        blank_line_ = 0;
        add_row(line);
    }

    [[nodiscard]] Eigen::MatrixXd matrix() const {
        using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
        if (rows_ == 0) throw InvalidInput(where_, "holds no numbers");
        return Eigen::Map<const RowMajor>(values_.data(), static_cast<Eigen::Index>(rows_),
                                          static_cast<Eigen::Index>(columns_));
    }

  private:
    [[noreturn]] void fail(std::size_t column, std::string_view field, const char* problem) const {
        throw InvalidInput(where_, fmt::format("line {}, column {}: '{}' {}", line_, column,
                                               printable(field), problem));
    }

    void add_row(std::string_view line) {
        std::size_t column = 0;
        std::size_t comma = 0;
        while (comma != std::string_view::npos) {
            comma = line.find(',');
            values_.push_back(number(++column, trimmed(line.substr(0, comma))));
            if (comma != std::string_view::npos) line.remove_prefix(comma + 1);
        }
        if (rows_++ == 0) columns_ = column;
        if (column != columns_)
            throw InvalidInput(
                where_, fmt::format("line {} has {} column{}, the lines before have {}", line_,
                                    column, column == 1 ? "" : "s", columns_));
    }

    [[nodiscard]] double number(std::size_t column, std::string_view field) const {
        if (field.empty()) fail(column, field, "is empty");
        const bool plus = field.front() == '+' && !field.starts_with("+-");
        const char* end = field.data() + field.size();
        double value = 0;
        const auto [rest, status] = std::from_chars(field.data() + (plus ? 1 : 0), end, value);
        if (status == std::errc::result_out_of_range)
            fail(column, field, "is beyond the range of double precision");
        if (status != std::errc{} || rest != end) fail(column, field, "is not a number");
        if (std::isnan(value)) fail(column, field, "is not a number (NaN is not accepted)");
        return value;
    }

    const std::string& where_;
    std::vector<double> values_;
    std::size_t line_ = 0;
    std::size_t blank_line_ = 0;
    std::size_t rows_ = 0;
    std::size_t columns_ = 0;
};

}  // namespace

Eigen::MatrixXd parse_csv(std::string_view text, const std::string& where) {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";  // written by spreadsheets
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
    CsvParser parser(where);
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        parser.add_line(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return parser.matrix();
}

}  // namespace kirchnet
