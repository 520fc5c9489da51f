#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kirchnet {

enum class Anchor { start, middle, end };

struct TextStyle {
    double size = 12;  ///< [px]
    Anchor anchor = Anchor::start;
    double rotation = 0;  ///< [degree], clockwise
    bool bold = false;
    bool halo = false;  ///< white edge, for text over colours
};

/// A place in a picture [px].
struct PlotPlace {
    double x = 0;
    double y = 0;
};

/// An SVG picture on white, so that it reads on light and dark pages; title and description are
/// what screen readers speak.
class Svg {
  public:
    Svg(double width, double height, std::string_view title, std::string_view description);

    /// Where the viewer prefers dark pages, ink is light and paper dark. For pictures that stand
    /// alone: within a page the rule would reach the page.
    void follow_colour_scheme();
    void rect(double x, double y, double width, double height, std::string_view fill);
    /// Outline only, dark with a white edge.
    void frame(double x, double y, double width, double height);
    void line(double x1, double y1, double x2, double y2, std::string_view stroke);
    /// @param dashes  lengths of strokes and gaps, such as `6 3`; empty: drawn through
    void polyline(const std::vector<PlotPlace>& places, std::string_view stroke, double thickness,
                  std::string_view dashes = {});
    /// Filled, and see-through to the degree that `opacity` is below 1.
    void polygon(const std::vector<PlotPlace>& places, std::string_view fill, double opacity);
    void circle(double x, double y, double radius, std::string_view fill);
    void text(double x, double y, std::string_view content, const TextStyle& style = {});
    /// Elements as they are; what they hold must be escaped already.
    void raw(std::string_view elements);
    /// The document so far, closed.
    [[nodiscard]] std::string str() const;

  private:
    std::string body_;
};

/// XML text content and attribute values: markup escaped, control characters dropped.
std::string escape_xml(std::string_view text);

/// Width of a line of sans-serif text, on the generous side [px].
double text_width(std::string_view text, double size);

/// Breaks at spaces into lines no wider than `width` where words allow.
std::vector<std::string> wrap_words(std::string_view text, double width, double size);

}  // namespace kirchnet
