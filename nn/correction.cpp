// docs/methods/correction.md. With M = E[v vᵀ] and ⟨x, y⟩ = xᵀ M y, g and h of an output's row t,
// its ideal row w and the common row c minimise ‖g t + h c - w‖² = E[(g t·v + h c·v - w·v)²]:
//   g = ⟨t', w'⟩ / ⟨t', t'⟩,  h = (⟨c, w⟩ - g ⟨c, t⟩) / ⟨c, c⟩,  x' = x - c ⟨c, x⟩ / ⟨c, c⟩.
#include "nn/correction.hpp"

#include <fmt/format.h>
#include <tbb/enumerable_thread_specific.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "circuit/error.hpp"
#include "nn/detail/product_kernels.hpp"

namespace kirchnet {
namespace {

constexpr std::array all_kinds{CorrectionKind::none, CorrectionKind::layer_gain,
                               CorrectionKind::column_gain, CorrectionKind::column_affine};

/// Whole numbers that stand for inputs while moments are added up: sums of their products are exact
/// in double, in whatever order threads come to them.
double codes_of(const Dac& dac) {
    constexpr double of_continuous = 4096;
    return dac.bits == 0 ? of_continuous : dac.levels();
}

/// Inputs as those whole numbers.
void convert(const Dac& dac, std::vector<float>& values) {
    const double codes = codes_of(dac);
    if (dac.bits == 0) {
        const auto scale = static_cast<float>(codes / dac.range);
        for (float& value : values) value = std::round(value * scale);
        return;
    }
    const detail::DacCodes of{static_cast<float>(codes / dac.range), 1.0F,
                              static_cast<float>(dac.is_signed ? -codes : 0),
                              static_cast<float>(codes)};
    detail::product_kernels().convert(values.data(), values.size(), of, values.data());
}

const InputMoments* find_moments(const LayerMoments& layer, const TileOperator& tile) {
    const auto found = std::find_if(layer.begin(), layer.end(), [&](const InputMoments& of) {
        return of.group == tile.group && of.first_row == tile.first_row;
    });
    return found == layer.end() ? nullptr : &*found;
}

LayerMoments rows_of_tiles(const LayerOperators& layer) {
    LayerMoments moments;
    for (const TileOperator& tile : layer.tiles) {
        if (find_moments(moments, tile) != nullptr) continue;
        const auto size = static_cast<Index>(tile.rows + 1);
        moments.push_back(
            {tile.group, tile.first_row, tile.rows, Eigen::MatrixXd::Zero(size, size)});
    }
    return moments;
}

/// A kernel's place in one image of a block.
struct KernelPlace {
    std::size_t image;
    std::size_t y;
    std::size_t x;
};

/// Of each image all places, or 32 spread by the golden ratio, others in each image of a block.
std::vector<KernelPlace> sampled_places(const LayerGeometry& geometry, std::size_t images) {
    constexpr std::size_t most = 32;
    const std::size_t positions = geometry.positions();
    const std::size_t width = geometry.output.width;
    std::vector<KernelPlace> places;
    for (std::size_t image = 0; image < images; ++image)
        for (std::size_t i = 0; i < std::min(most, positions); ++i) {
            const double turns = static_cast<double>(image * most + i) * std::numbers::phi;
            const double share = turns - std::floor(turns);
            const auto spread = static_cast<std::size_t>(share * static_cast<double>(positions));
            const std::size_t at = positions <= most ? i : std::min(spread, positions - 1);
            places.push_back({image, at / width, at % width});
        }
    return places;
}

/// What one row of a layer's patch matrix has at these places; 0 in the padding.
void add_patch_row(const LayerGeometry& geometry, const FeatureMaps& in, std::size_t row,
                   const std::vector<KernelPlace>& places, std::vector<float>& out) {
    const std::size_t pixels = geometry.kernel_height * geometry.kernel_width;
    const float* const channel = in.channel(row / pixels);
    const std::size_t down = row % pixels / geometry.kernel_width;
    const std::size_t right = row % geometry.kernel_width;
    for (const KernelPlace& place : places) {
        // What lies before the first pixel wraps around to beyond the last.
        const std::size_t y = place.y * geometry.stride + down - geometry.padding;
        const std::size_t x = place.x * geometry.stride + right - geometry.padding;
        const bool inside = y < in.shape.height && x < in.shape.width;
        out.push_back(inside ? channel[(place.image * in.shape.height + y) * in.shape.width + x]
                             : 0.0F);
    }
}

/// One thread's sums of products of input codes.
class MomentSums {
  public:
    MomentSums(const Graph& graph, const std::vector<Dac>& dacs,
               const std::vector<LayerMoments>& empty)
        : graph_(graph), dacs_(dacs), sums_(empty), samples_(empty.size(), 0) {}

    void add(std::size_t layer, const FeatureMaps& in) {
        const LayerGeometry geometry = graph_.geometry(layer);
        const std::vector<KernelPlace> places = sampled_places(geometry, in.images);
        for (InputMoments& sum : sums_[layer]) {
            const Eigen::MatrixXd v = codes(layer, geometry, sum, in, places);
            sum.second.selfadjointView<Eigen::Lower>().rankUpdate(v);
        }
        samples_[layer] += places.size();
    }

    void merge(const MomentSums& other) {
        for (std::size_t layer = 0; layer < sums_.size(); ++layer) {
            samples_[layer] += other.samples_[layer];
            for (std::size_t i = 0; i < sums_[layer].size(); ++i)
                sums_[layer][i].second += other.sums_[layer][i].second;
        }
    }

    [[nodiscard]] std::vector<LayerMoments> moments() const {
        std::vector<LayerMoments> result = sums_;
        for (std::size_t layer = 0; layer < result.size(); ++layer) {
            const double full = codes_of(dacs_[layer]);
            const double whole = full * full * static_cast<double>(samples_[layer]);
            for (InputMoments& of : result[layer])
                of.second = Eigen::MatrixXd(of.second.selfadjointView<Eigen::Lower>()) / whole;
        }
        return result;
    }

  private:
    /// [rows + 1 × places]
    [[nodiscard]] Eigen::MatrixXd codes(std::size_t layer, const LayerGeometry& geometry,
                                        const InputMoments& of, const FeatureMaps& in,
                                        const std::vector<KernelPlace>& places) const {
        const std::size_t first = of.group * geometry.rows_per_group() + of.first_row;
        std::vector<float> values;
        values.reserve(of.rows * places.size());
        for (std::size_t row = first; row < first + of.rows; ++row)
            add_patch_row(geometry, in, row, places, values);
        convert(dacs_[layer], values);
        const auto rows = static_cast<Index>(of.rows);
        const auto columns = static_cast<Index>(places.size());
        Eigen::MatrixXd v(rows + 1, columns);
        v.topRows(rows) =
            Eigen::Map<const PositionMatrix>(values.data(), rows, columns).cast<double>();
        v.row(rows).setConstant(codes_of(dacs_[layer]));
        return v;
    }

    const Graph& graph_;
    const std::vector<Dac>& dacs_;
    std::vector<LayerMoments> sums_;
    std::vector<std::size_t> samples_;  ///< per layer
};

using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Entries and, last, the offset: [outputs × rows + 1].
Rows rows_of(const TileOperator& tile) {
    const auto outputs = static_cast<Index>(tile.outputs);
    const auto rows = static_cast<Index>(tile.rows);
    Rows result = Rows::Zero(outputs, rows + 1);
    using Entries = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    result.leftCols(rows) =
        Eigen::Map<const Entries>(tile.weights.data(), outputs, rows).cast<double>();
    for (std::size_t j = 0; j < tile.offset.size(); ++j)
        result(static_cast<Index>(j), rows) = static_cast<double>(tile.offset[j]);
    return result;
}

/// The row whose product with the inputs is their sum.
Eigen::VectorXd ones_of(const TileOperator& tile) {
    Eigen::VectorXd ones = Eigen::VectorXd::Ones(static_cast<Index>(tile.rows) + 1);
    ones(ones.size() - 1) = 0;
    return ones;
}

/// ⟨x, y⟩ of one output's rows.
struct OutputProducts {
    double tt = 0;
    double tw = 0;
    double ww = 0;
    double ct = 0;
    double cw = 0;
    double cc = 0;
    double signal = 0;  ///< ⟨w, w⟩ but for the common term of `offset`
};

struct GainPair {
    double g = 1;
    double h = 0;
};

/// Below this share of a square nothing but rounding is left of it: entries are float.
constexpr double rounding = 1e-12;

double squared_error(const OutputProducts& of, const GainPair& gains) {
    const auto [g, h] = gains;
    return g * g * of.tt + h * h * of.cc + of.ww + 2 * (g * h * of.ct - g * of.tw - h * of.cw);
}

/// g alone; 1 where there is nothing to say, or nothing is said.
double fit_gain(double tt, double tw, double ww) {
    return ww > 0 && tt > 0 ? tw / tt : 1;
}

GainPair fit_affine(const OutputProducts& of) {
    if (!(of.cc > 0)) return {fit_gain(of.tt, of.tw, of.ww), 0};
    const double tt = of.tt - of.ct * of.ct / of.cc;
    const double tw = of.tw - of.ct * of.cw / of.cc;
    const double ww = of.ww - of.cw * of.cw / of.cc;
    const double g = tt > rounding * of.tt && ww > rounding * of.ww ? tw / tt : 1;
    return {g, (of.cw - g * of.ct) / of.cc};
}

std::vector<OutputProducts> products_of(const LayerOperators& layer, const TileOperator& tile,
                                        const TileOperator& ideal, const InputMoments& moments) {
    const Rows t = rows_of(tile);
    const Rows w = rows_of(ideal);
    const Eigen::VectorXd ones = ones_of(tile);
    const Rows tM = t * moments.second;
    const Rows wM = w * moments.second;
    const Eigen::VectorXd oneM = moments.second * ones;
    // Of a sample without a pair, -common Σv is taken out digitally.
    const double common = layer.input_weight / layer.slices.front().weight;
    std::vector<OutputProducts> products;
    for (Index j = 0; j < t.rows(); ++j) {
        OutputProducts of;
        of.tt = tM.row(j).dot(t.row(j));
        of.tw = tM.row(j).dot(w.row(j));
        of.ww = wM.row(j).dot(w.row(j));
        of.ct = t.row(j).dot(oneM);
        of.cw = w.row(j).dot(oneM);
        of.cc = ones.dot(oneM);
        of.signal = of.ww + 2 * common * of.cw + common * common * of.cc;
        products.push_back(of);
    }
    return products;
}

/// One gain for all outputs of all tiles.
double fit_layer_gain(const std::vector<std::vector<OutputProducts>>& tiles) {
    OutputProducts sum;
    for (const auto& outputs : tiles)
        for (const OutputProducts& of : outputs) {
            sum.tt += of.tt;
            sum.tw += of.tw;
            sum.ww += of.ww;
        }
    return fit_gain(sum.tt, sum.tw, sum.ww);
}

GainPair fit_output(CorrectionKind kind, const OutputProducts& of, double layer_gain) {
    switch (kind) {
        case CorrectionKind::layer_gain:
            return {layer_gain, 0};
        case CorrectionKind::column_gain:
            return {fit_gain(of.tt, of.tw, of.ww), 0};
        case CorrectionKind::column_affine:
            return fit_affine(of);
        case CorrectionKind::none:
            break;
    }
    return {};
}

TileCorrection to_correction(CorrectionKind kind, const std::vector<GainPair>& gains) {
    TileCorrection correction;
    for (const GainPair& of : gains) {
        correction.gain.push_back(static_cast<float>(of.g));
        if (kind == CorrectionKind::column_affine)
            correction.input_gain.push_back(static_cast<float>(of.h));
    }
    return correction;
}

double relative(double error, double signal) {
    return signal > 0 ? std::sqrt(std::max(error, 0.0) / signal) : 0;
}

LayerCorrection fit_layer(CorrectionKind kind, const LayerOperators& ideal,
                          const LayerMoments& moments, const LayerOperators& layer) {
    std::vector<std::vector<OutputProducts>> products;
    for (std::size_t i = 0; i < layer.tiles.size(); ++i)
        products.push_back(products_of(layer, layer.tiles[i], ideal.tiles[i],
                                       *find_moments(moments, layer.tiles[i])));
    const double layer_gain = fit_layer_gain(products);
    LayerCorrection result;
    double before = 0;
    double after = 0;
    double signal = 0;
    for (const auto& outputs : products) {
        std::vector<GainPair> gains;
        for (const OutputProducts& of : outputs) {
            gains.push_back(fit_output(kind, of, layer_gain));
            before += squared_error(of, {});
            after += squared_error(of, gains.back());
            signal += of.signal;
        }
        result.tiles.push_back(to_correction(kind, gains));
    }
    result.error_before = relative(before, signal);
    result.error_after = relative(after, signal);
    return result;
}

void refuse(std::string_view why, std::string_view cure) {
    throw InvalidInput(
        "correction.kind",
        fmt::format("a correction takes outputs that are one sample per tile, but {}; "
                    "set {}, or correction.kind = none",
                    why, cure));
}

}  // namespace

std::string_view to_string(CorrectionKind kind) {
    switch (kind) {
        case CorrectionKind::none:
            return "none";
        case CorrectionKind::layer_gain:
            return "layer_gain";
        case CorrectionKind::column_gain:
            return "column_gain";
        case CorrectionKind::column_affine:
            break;
    }
    return "column_affine";
}

CorrectionKind parse_correction_kind(std::string_view text) {
    for (const auto kind : all_kinds)
        if (text == to_string(kind)) return kind;
    throw InvalidInput(fmt::format(
        "correction '{}' is none of none, layer_gain, column_gain, column_affine", text));
}

std::string_view to_string(CorrectionFit fit) {
    return fit == CorrectionFit::designed ? "designed" : "chip";
}

CorrectionFit parse_correction_fit(std::string_view text) {
    if (text == "designed") return CorrectionFit::designed;
    if (text == "chip") return CorrectionFit::chip;
    throw InvalidInput(fmt::format("'{}' is neither designed nor chip", text));
}

void check(const CorrectionSettings& correction, const TileSettings& tile,
           const ConverterSettings& converters) {
    if (correction.kind == CorrectionKind::none) return;
    if (tile.bits_per_cell > 0) refuse("weights are cut into slices", "mapping.bits_per_cell = 0");
    if (converters.input_bits > 0 && input_reads(converters.dac(1, false)).size() > 1)
        refuse("inputs are read digit by digit", "converters.input_bits = 0");
    if (converters.signed_inputs == SignedInputs::two_pass)
        refuse("negative inputs take a second read", "converters.signed_inputs = bipolar");
    if (has_column_pair(tile.mapping) && tile.subtraction == Subtraction::after)
        refuse("the sides of pairs are converted apart", "converters.subtract = before");
}

std::vector<LayerMoments> observe_moments(const Graph& graph,
                                          const std::vector<LayerOperators>& layers,
                                          const std::vector<Dac>& dacs,
                                          const LabelledImages& images, const Progress& progress) {
    std::vector<LayerMoments> empty;
    for (const LayerOperators& layer : layers) empty.push_back(rows_of_tiles(layer));
    tbb::enumerable_thread_specific<MomentSums> sums(
        [&] { return MomentSums(graph, dacs, empty); });
    visit_layers(
        graph, software_drivers(graph), images,
        [&](std::size_t layer, const FeatureMaps& in) { sums.local().add(layer, in); }, progress);
    MomentSums total(graph, dacs, empty);
    for (const MomentSums& of_thread : sums) total.merge(of_thread);
    return total.moments();
}

bool has_moments(const LayerOperators& layer, const LayerMoments& moments) {
    const LayerMoments wanted = rows_of_tiles(layer);
    return std::equal(wanted.begin(), wanted.end(), moments.begin(), moments.end(),
                      [](const InputMoments& x, const InputMoments& y) {
                          return x.group == y.group && x.first_row == y.first_row &&
                                 x.rows == y.rows;
                      });
}

Correction fit_correction(CorrectionKind kind, const CorrectionGoal& goal,
                          const std::vector<LayerOperators>& layers) {
    for (const LayerOperators& layer : layers)
        if (layer.is_sliced || layer.reads_sides)
            throw InvalidInput("correction.kind",
                               "takes whole weights, and pairs that are subtracted before the ADC");
    Correction correction(kind == CorrectionKind::none ? 0 : layers.size());
    tbb::parallel_for(std::size_t{0}, correction.size(), [&](std::size_t layer) {
        correction[layer] = fit_layer(kind, goal.ideal[layer], goal.moments[layer], layers[layer]);
    });
    return correction;
}

void apply_correction(const Correction& correction, std::vector<LayerOperators>& layers) {
    for (std::size_t layer = 0; layer < correction.size(); ++layer)
        for (std::size_t i = 0; i < correction[layer].tiles.size(); ++i) {
            const TileCorrection& of = correction[layer].tiles[i];
            TileOperator& tile = layers[layer].tiles[i];
            tile.gain = of.gain;
            tile.input_gain = of.input_gain;
        }
}

Correction correct(const DesignCorrection& design, std::vector<LayerOperators>& layers) {
    const bool fits_chip =
        !design.designed.empty() && design.settings.fit_on == CorrectionFit::chip;
    Correction correction =
        fits_chip ? fit_correction(design.settings.kind, design.goal, layers) : design.designed;
    apply_correction(correction, layers);
    return correction;
}

}  // namespace kirchnet
