// A digit is one of a few pen paths. Its points tremble, the plane bends a little, the path is
// slanted, turned, scaled and shifted, and a round pen of changing pressure follows it.
// Arithmetic is + - * / and square roots alone, which IEEE 754 rounds the same everywhere, and the
// random numbers are Philox4x64-10 (Salmon et al., SC 2011) with key (seed, "digits") and counter
// (image, purpose, number), so that an image is the same on every machine.
#include "data/digits.hpp"

#include <Random123/philox.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "data/detail/digit_glyphs.hpp"

namespace kirchnet {
namespace {

using detail::Glyph;
using detail::PenPoint;
using detail::Stroke;

constexpr std::size_t classes = 10;
constexpr double image_side = 28;
constexpr double digit_width = 13;   // [pixels] before scaling
constexpr double digit_height = 19;  // [pixels]

enum class Purpose : std::uint64_t {
    label = 1,
    glyph,
    point_x,
    point_y,
    bend,
    affine,
    pen,
    tremor_x,
    tremor_y,
    grain,
    speck
};

/// The random numbers of one image.
class ImageRandom {
  public:
    ImageRandom(std::uint64_t seed, std::uint64_t image) : seed_(seed), image_(image) {}

    /// Uniform in [0, 1).
    [[nodiscard]] double unit(Purpose purpose, std::size_t number) const {
        return to_unit(draw(purpose, number)[0]);
    }
    /// Bell-shaped with mean 0 and deviation 1, within +-2 sqrt(3): four uniforms added.
    [[nodiscard]] double bell(Purpose purpose, std::size_t number) const {
        const auto words = draw(purpose, number);
        const double sum =
            to_unit(words[0]) + to_unit(words[1]) + to_unit(words[2]) + to_unit(words[3]);
        return (sum - 2) * 1.7320508075688772;  // sqrt(3)
    }

  private:
    using Philox = r123::Philox4x64;
    static constexpr std::uint64_t domain = 0x737469676964;  // "digits"

    static double to_unit(std::uint64_t word) { return static_cast<double>(word >> 11) * 0x1p-53; }
    [[nodiscard]] Philox::ctr_type draw(Purpose purpose, std::size_t number) const {
        const Philox::ctr_type counter{{image_, static_cast<std::uint64_t>(purpose), number, 0}};
        return Philox{}(counter, {{seed_, domain}});
    }

    std::uint64_t seed_;
    std::uint64_t image_;
};

/// The pen at one moment, in pixels.
struct PenSample {
    double x = 0;
    double y = 0;
    double pressure = 0;  ///< 0 to 1
};

using Trace = std::vector<PenSample>;

/// Ten consecutive images are a random order of the ten digits.
std::int32_t label_of(std::uint64_t seed, std::size_t image) {
    const ImageRandom random(seed, image / classes);
    std::array<std::int32_t, classes> order{};
    std::iota(order.begin(), order.end(), 0);
    for (std::size_t last = classes - 1; last > 0; --last) {
        const double pick = random.unit(Purpose::label, last) * static_cast<double>(last + 1);
        std::swap(order[last], order[static_cast<std::size_t>(pick)]);
    }
    return order[image % classes];
}

const Glyph& choose_glyph(int digit, const ImageRandom& random) {
    const auto& glyphs = detail::glyphs_of(digit);
    const double pick = random.unit(Purpose::glyph, 0) * static_cast<double>(glyphs.size());
    return glyphs[static_cast<std::size_t>(pick)];
}

/// Every hand puts each point elsewhere; centred coordinates from here on.
Stroke tremble(const Stroke& stroke, const ImageRandom& random, std::size_t first_point) {
    constexpr double deviation = 0.05;
    Stroke moved = stroke;
    for (std::size_t i = 0; i < moved.size(); ++i) {
        moved[i].x += deviation * random.bell(Purpose::point_x, first_point + i) - 0.5;
        moved[i].y += deviation * random.bell(Purpose::point_y, first_point + i) - 0.5;
    }
    return moved;
}

/// Point at `t` in [0, 1] between b and c of the Catmull-Rom spline through a, b, c, d.
PenPoint spline(const PenPoint& a, const PenPoint& b, const PenPoint& c, const PenPoint& d,
                double t) {
    const auto blend = [t](double p, double q, double r, double s) {
        return q +
               0.5 * t * ((r - p) + t * ((2 * p - 5 * q + 4 * r - s) + t * (3 * (q - r) + s - p)));
    };
    return {blend(a.x, b.x, c.x, d.x), blend(a.y, b.y, c.y, d.y)};
}

/// Where the spline has no further point (ends and corners) it runs on straight.
PenPoint beyond(const PenPoint& end, const PenPoint& before) {
    return {2 * end.x - before.x, 2 * end.y - before.y};
}

std::vector<PenPoint> smooth(const Stroke& stroke) {
    constexpr int pieces = 8;  // per span: about a pixel each
    std::vector<PenPoint> path;
    for (std::size_t i = 0; i + 1 < stroke.size(); ++i) {
        const PenPoint& b = stroke[i];
        const PenPoint& c = stroke[i + 1];
        const PenPoint a = i == 0 || b.corner ? beyond(b, c) : stroke[i - 1];
        const PenPoint d = i + 2 == stroke.size() || c.corner ? beyond(c, b) : stroke[i + 2];
        for (int piece = 0; piece < pieces; ++piece)
            path.push_back(spline(a, b, c, d, static_cast<double>(piece) / pieces));
    }
    path.push_back(stroke.back());
    return path;
}

/// Bends, slants, turns, scales and shifts the centred unit box onto the image.
class Placement {
  public:
    explicit Placement(const ImageRandom& random) {
        for (std::size_t i = 0; i < bend_.size(); ++i)
            bend_[i] = 0.17 * random.bell(Purpose::bend, i);
        const auto varied = [&random](std::size_t number) {
            return random.bell(Purpose::affine, number);
        };
        width_ = digit_width * (1 + 0.20 * varied(0));
        height_ = digit_height * (1 + 0.12 * varied(1));
        slant_ = -0.08 + 0.28 * varied(2);          // most hands lean to the right
        const double half_turn = 0.08 * varied(3);  // tangent of half the angle
        cosine_ = (1 - half_turn * half_turn) / (1 + half_turn * half_turn);
        sine_ = 2 * half_turn / (1 + half_turn * half_turn);
        shift_x_ = image_side / 2 + 1.3 * varied(4);
        shift_y_ = image_side / 2 + 1.3 * varied(5);
    }

    [[nodiscard]] PenPoint operator()(const PenPoint& point) const {
        const double u = point.x;
        const double v = point.y;
        const double bent_u = u + bend_[0] * (v * v - 0.1) + bend_[1] * u * v + bend_[2] * u * u;
        const double bent_v = v + bend_[3] * (u * u - 0.1) + bend_[4] * u * v + bend_[5] * v * v;
        const double x = width_ * bent_u + slant_ * height_ * bent_v;
        const double y = height_ * bent_v;
        return {shift_x_ + cosine_ * x - sine_ * y, shift_y_ + sine_ * x + cosine_ * y};
    }

  private:
    std::array<double, 6> bend_{};
    double width_ = 0;
    double height_ = 0;
    double slant_ = 0;
    double cosine_ = 1;
    double sine_ = 0;
    double shift_x_ = 0;
    double shift_y_ = 0;
};

/// Pressure runs from one value at pen down to another at pen up.
Trace trace_stroke(const Stroke& stroke, const Placement& place, const ImageRandom& random,
                   std::size_t first_point) {
    constexpr double tremor = 0.10;  // [pixels]
    const auto path = smooth(tremble(stroke, random, first_point));
    const double down = 1 - 0.35 * random.unit(Purpose::pen, 2 * first_point + 1);
    const double up = 1 - 0.45 * random.unit(Purpose::pen, 2 * first_point + 2);
    Trace trace;
    for (std::size_t i = 0; i < path.size(); ++i) {
        const PenPoint point = place(path[i]);
        const double progress = static_cast<double>(i) / static_cast<double>(path.size() - 1);
        const std::size_t number = 100 * first_point + i;
        trace.push_back({point.x + tremor * random.bell(Purpose::tremor_x, number),
                         point.y + tremor * random.bell(Purpose::tremor_y, number),
                         down + (up - down) * progress});
    }
    return trace;
}

std::vector<Trace> write(const Glyph& glyph, const ImageRandom& random) {
    const Placement place(random);
    std::vector<Trace> traces;
    std::size_t point = 0;
    for (const Stroke& stroke : glyph) {
        traces.push_back(trace_stroke(stroke, place, random, point));
        point += stroke.size();
    }
    return traces;
}

/// Ink of one image, 0 to 1, [height × width].
class Paper {
  public:
    Paper() : ink_(digit_image_shape.size(), 0.0) {}

    /// The straight pen movement from `from` to `to` with a round nib.
    void draw_line(const PenSample& from, const PenSample& to, double nib) {
        const double reach = nib + 1;
        const std::size_t top = clamp(std::min(from.y, to.y) - reach);
        const std::size_t bottom = clamp(std::max(from.y, to.y) + reach);
        const std::size_t left = clamp(std::min(from.x, to.x) - reach);
        const std::size_t right = clamp(std::max(from.x, to.x) + reach);
        for (std::size_t row = top; row < bottom; ++row)
            for (std::size_t column = left; column < right; ++column)
                darken(row, column, ink_at(row, column, from, to, nib));
    }
    void darken(std::size_t row, std::size_t column, double ink) {
        double& pixel = ink_[row * digit_image_shape.width + column];
        pixel = std::max(pixel, ink);
    }
    [[nodiscard]] const std::vector<double>& ink() const { return ink_; }

  private:
    static std::size_t clamp(double position) {
        return static_cast<std::size_t>(std::clamp(position, 0.0, image_side));
    }
    /// Coverage of the pixel by the nib's path: full inside, a soft edge 1.3 pixels wide.
    static double ink_at(std::size_t row, std::size_t column, const PenSample& from,
                         const PenSample& to, double nib) {
        constexpr double edge = 1.3;
        const double x = static_cast<double>(column) + 0.5 - from.x;
        const double y = static_cast<double>(row) + 0.5 - from.y;
        const double along_x = to.x - from.x;
        const double along_y = to.y - from.y;
        const double square = along_x * along_x + along_y * along_y;
        const double t =
            square > 0 ? std::clamp((x * along_x + y * along_y) / square, 0.0, 1.0) : 0.0;
        const double away_x = x - t * along_x;
        const double away_y = y - t * along_y;
        const double distance = std::sqrt(away_x * away_x + away_y * away_y);
        const double pressure = from.pressure + t * (to.pressure - from.pressure);
        const double radius = nib * (0.6 + 0.4 * pressure);
        return pressure * std::clamp((radius - distance) / edge + 0.5, 0.0, 1.0);
    }

    std::vector<double> ink_;
};

/// A little dirt: mostly none, at most five faint specks.
void add_specks(Paper& paper, const ImageRandom& random) {
    const auto specks = static_cast<std::size_t>(6 * random.unit(Purpose::speck, 0));
    for (std::size_t i = 0; i < specks; ++i) {
        const auto row =
            static_cast<std::size_t>(image_side * random.unit(Purpose::speck, 3 * i + 1));
        const auto column =
            static_cast<std::size_t>(image_side * random.unit(Purpose::speck, 3 * i + 2));
        paper.darken(row, column, 0.35 * random.unit(Purpose::speck, 3 * i + 3));
    }
}

std::uint8_t to_pixel(double ink, double grain) {
    const double value = 255 * std::clamp(ink * (1 - 0.15 * grain), 0.0, 1.0);
    return static_cast<std::uint8_t>(value + 0.5);
}

void draw_digit(std::uint64_t seed, std::size_t image, int digit, std::uint8_t* pixels) {
    const ImageRandom random(seed, image);
    const double nib = std::clamp(1.15 + 0.32 * random.bell(Purpose::pen, 0), 0.55, 2.2);
    Paper paper;
    for (const Trace& trace : write(choose_glyph(digit, random), random))
        for (std::size_t i = 0; i + 1 < trace.size(); ++i)
            paper.draw_line(trace[i], trace[i + 1], nib);
    add_specks(paper, random);
    for (std::size_t i = 0; i < paper.ink().size(); ++i)
        pixels[i] = to_pixel(paper.ink()[i], random.unit(Purpose::grain, i));
}

}  // namespace

LabelledImages draw_digits(std::uint64_t seed, std::size_t first, std::size_t count) {
    LabelledImages images{digit_image_shape, {}, {}};
    images.pixels.resize(count * digit_image_shape.size());
    images.labels.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
        images.labels[i] = label_of(seed, first + i);
        draw_digit(seed, first + i, images.labels[i],
                   images.pixels.data() + i * digit_image_shape.size());
    }
    return images;
}

}  // namespace kirchnet
