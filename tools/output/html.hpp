#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kirchnet {

/// Text content and attribute values: markup escaped, line breaks kept.
std::string escape_html(std::string_view text);

/// A table that scrolls on its own where it is too large. Cells are text, escaped here; the first
/// `names` columns stand left, the others are numbers.
class HtmlTable {
  public:
    explicit HtmlTable(std::vector<std::string> heading, std::size_t names = 1);
    void add(std::vector<std::string> row);
    /// @param caption  for everybody; empty: none
    [[nodiscard]] std::string str(std::string_view caption = {}) const;

  private:
    std::vector<std::vector<std::string>> rows_;
    std::size_t names_;
};

/// `<pre>` of text as it is.
/// @param wraps  breaks lines that are too long, rather than scroll
std::string html_text_block(std::string_view text, bool wraps = false);
/// Something to unfold. @param content  HTML
std::string html_details(std::string_view summary, std::string_view content, bool is_open = false);
/// An SVG document as part of a page, where no two may share identifiers.
std::string inline_svg(std::string svg, std::size_t number);

}  // namespace kirchnet
