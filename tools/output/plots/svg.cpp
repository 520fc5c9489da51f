#include "tools/output/plots/svg.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace kirchnet {
namespace {

constexpr std::string_view ink = "#1a1a1a";

std::string_view anchor_word(Anchor anchor) {
    switch (anchor) {
        case Anchor::start:
            return "start";
        case Anchor::middle:
            return "middle";
        case Anchor::end:
            break;
    }
    return "end";
}

/// Coordinates need no more than hundredths of a pixel.
std::string number(double value) {
    std::string text = fmt::format("{:.2f}", value);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text == "-0" ? "0" : text;
}

std::string places_text(const std::vector<PlotPlace>& places) {
    std::string text;
    for (const PlotPlace& place : places)
        text += fmt::format("{}{},{}", text.empty() ? "" : " ", number(place.x), number(place.y));
    return text;
}

bool continues_character(char letter) {
    return (static_cast<unsigned char>(letter) & 0xC0U) == 0x80U;  // UTF-8
}

}  // namespace

std::string escape_xml(std::string_view text) {
    std::string result;
    for (const char letter : text) {
        if (letter == '&')
            result += "&amp;";
        else if (letter == '<')
            result += "&lt;";
        else if (letter == '>')
            result += "&gt;";
        else if (letter == '"')
            result += "&quot;";
        else if (static_cast<unsigned char>(letter) >= 0x20)
            result += letter;
        else if (letter == '\n' || letter == '\t')
            result += ' ';
    }
    return result;
}

double text_width(std::string_view text, double size) {
    constexpr double mean_advance = 0.58;  // of DejaVu Sans, the widest of the usual faces
    const auto continuing = std::count_if(text.begin(), text.end(), continues_character);
    return mean_advance * size *
           (static_cast<double>(text.size()) - static_cast<double>(continuing));
}

std::vector<std::string> wrap_words(std::string_view text, double width, double size) {
    std::vector<std::string> lines;
    std::istringstream words{std::string(text)};
    for (std::string word; words >> word;) {
        if (!lines.empty() && text_width(lines.back() + ' ' + word, size) <= width)
            lines.back() += ' ' + word;
        else
            lines.push_back(word);
    }
    return lines;
}

Svg::Svg(double width, double height, std::string_view title, std::string_view description) {
    body_ = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" "
        "viewBox=\"0 0 {0} {1}\" role=\"img\" aria-labelledby=\"title desc\" "
        "font-family=\"Helvetica, Arial, DejaVu Sans, sans-serif\">\n"
        "<title id=\"title\">{2}</title>\n<desc id=\"desc\">{3}</desc>\n",
        number(width), number(height), escape_xml(title), escape_xml(description));
    rect(0, 0, width, height, "#ffffff");
}

void Svg::follow_colour_scheme() {
    body_ +=
        "<style>@media (prefers-color-scheme: dark){"
        "[fill=\"#1a1a1a\"]{fill:#e8e8e8}[stroke=\"#1a1a1a\"]{stroke:#e8e8e8}"
        "[fill=\"#ffffff\"]{fill:#141414}[stroke=\"#ffffff\"]{stroke:#141414}"
        "[fill=\"#0072b2\"]{fill:#56b4e9}[stroke=\"#0072b2\"]{stroke:#56b4e9}}</style>\n";
}

void Svg::rect(double x, double y, double width, double height, std::string_view fill) {
    body_ += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"/>\n",
                         number(x), number(y), number(width), number(height), fill);
}

void Svg::frame(double x, double y, double width, double height) {
    for (const auto& [stroke, thickness] : {std::pair{"#ffffff", 4}, std::pair{"#1a1a1a", 2}})
        body_ += fmt::format(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"{}\" "
            "stroke-width=\"{}\"/>\n",
            number(x), number(y), number(width), number(height), stroke, thickness);
}

void Svg::line(double x1, double y1, double x2, double y2, std::string_view stroke) {
    body_ += fmt::format("<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" stroke=\"{}\"/>\n",
                         number(x1), number(y1), number(x2), number(y2), stroke);
}

void Svg::polyline(const std::vector<PlotPlace>& places, std::string_view stroke, double thickness,
                   std::string_view dashes) {
    const std::string dashing =
        dashes.empty() ? "" : fmt::format(" stroke-dasharray=\"{}\"", dashes);
    body_ += fmt::format(
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" "
        "stroke-linejoin=\"round\"{}/>\n",
        places_text(places), stroke, number(thickness), dashing);
}

void Svg::polygon(const std::vector<PlotPlace>& places, std::string_view fill, double opacity) {
    body_ += fmt::format("<polygon points=\"{}\" fill=\"{}\" fill-opacity=\"{}\"/>\n",
                         places_text(places), fill, number(opacity));
}

void Svg::circle(double x, double y, double radius, std::string_view fill) {
    body_ += fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{}\"/>\n", number(x),
                         number(y), number(radius), fill);
}

void Svg::text(double x, double y, std::string_view content, const TextStyle& style) {
    const std::string_view weight = style.bold ? " font-weight=\"bold\"" : "";
    const std::string_view edge = style.halo ? " stroke=\"#ffffff\" stroke-width=\"3\" "
                                               "stroke-linejoin=\"round\" paint-order=\"stroke\""
                                             : "";
    const std::string turn = style.rotation == 0
                                 ? ""
                                 : fmt::format(" transform=\"rotate({} {} {})\"",
                                               number(style.rotation), number(x), number(y));
    body_ += fmt::format(
        "<text x=\"{}\" y=\"{}\" font-size=\"{}\" text-anchor=\"{}\" fill=\"{}\"{}{}{}>{}</text>\n",
        number(x), number(y), number(style.size), anchor_word(style.anchor), ink, weight, edge,
        turn, escape_xml(content));
}

void Svg::raw(std::string_view elements) {
    body_ += elements;
}

std::string Svg::str() const {
    return body_ + "</svg>\n";
}

}  // namespace kirchnet
