#pragma once

#include <string_view>

// Files that every report carries, built into the program (cmake/EmbedText.cmake).
namespace kirchnet::page {

std::string_view dygraphs_script();
std::string_view dygraphs_style();
std::string_view dygraphs_licence();
std::string_view style();   ///< tools/output/page/report.css
std::string_view script();  ///< tools/output/page/report.js

}  // namespace kirchnet::page
