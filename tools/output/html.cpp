#include "tools/output/html.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tools/output/plots/svg.hpp"

namespace kirchnet {
namespace {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
}

}  // namespace

std::string escape_html(std::string_view text) {
    std::string result;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        if (at > 0) result += '\n';
        result += escape_xml(text.substr(at, end - at));
        at = end + 1;
    }
    return result;
}

HtmlTable::HtmlTable(std::vector<std::string> heading, std::size_t names)
    : rows_{std::move(heading)}, names_(names) {}

void HtmlTable::add(std::vector<std::string> row) {
    row.resize(rows_.front().size());
    rows_.push_back(std::move(row));
}

std::string HtmlTable::str(std::string_view caption) const {
    std::string text = "<div class=\"scroll\" tabindex=\"0\"><table>\n";
    if (!caption.empty()) text += fmt::format("<caption>{}</caption>\n", escape_html(caption));
    for (std::size_t row = 0; row < rows_.size(); ++row) {
        text += row == 0 ? "<thead><tr>" : "<tr>";
        for (std::size_t column = 0; column < rows_[row].size(); ++column) {
            const char* element = row == 0 ? "th scope=\"col\"" : "td";
            text +=
                fmt::format("<{}{}>{}</{}>", element, column < names_ ? "" : " class=\"number\"",
                            escape_html(rows_[row][column]), row == 0 ? "th" : "td");
        }
        text += row == 0 ? "</tr></thead>\n<tbody>\n" : "</tr>\n";
    }
    return text + "</tbody></table></div>\n";
}

std::string html_text_block(std::string_view text, bool wraps) {
    return fmt::format("<pre{} tabindex=\"0\">{}</pre>\n", wraps ? " class=\"wrap\"" : "",
                       escape_html(text));
}

std::string html_details(std::string_view summary, std::string_view content, bool is_open) {
    return fmt::format("<details{}><summary>{}</summary>\n{}</details>\n", is_open ? " open" : "",
                       escape_html(summary), content);
}

std::string inline_svg(std::string svg, std::size_t number) {
    replace_all(svg, "aria-labelledby=\"title desc\"",
                fmt::format("aria-labelledby=\"title-{0} desc-{0}\"", number));
    replace_all(svg, "<title id=\"title\">", fmt::format("<title id=\"title-{}\">", number));
    replace_all(svg, "<desc id=\"desc\">", fmt::format("<desc id=\"desc-{}\">", number));
    replace_all(svg, " xmlns=\"http://www.w3.org/2000/svg\"", "");
    return svg;
}

}  // namespace kirchnet
