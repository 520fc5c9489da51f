// docs/methods/correction.md. With M = E[v vᵀ], ⟨x, y⟩ = xᵀ M y, a tile's row t, the ideal row w
// and common rows C (Σv's row of ones, or those of the reference columns), g and h minimise
// ‖g t + C h - w‖² = E[(g t·v + Σ h c·v - w·v)²]:
//   g = ⟨t', w'⟩ / ⟨t', t'⟩,  h = ⟨C, C⟩⁻¹ ⟨C, w - g t⟩,  x' = x - C ⟨C, C⟩⁻¹ ⟨C, x⟩.
#include "nn/correction.hpp"

#include <fmt/format.h>
#include <tbb/parallel_for.h>

#include <Eigen/Cholesky>
#include <algorithm>
#include <array>
#include <cmath>

#include "circuit/error.hpp"

namespace kirchnet {
namespace {

constexpr std::array all_kinds{CorrectionKind::none, CorrectionKind::layer_gain,
                               CorrectionKind::column_gain, CorrectionKind::column_affine,
                               CorrectionKind::reference_column};

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
Rows ones_of(const TileOperator& tile) {
    Rows ones = Rows::Ones(1, static_cast<Index>(tile.rows) + 1);
    ones(ones.size() - 1) = 0;
    return ones;
}

/// `offset` takes its common term out by Σv, digitally.
bool has_digital_sum(const LayerOperators& layer) {
    return layer.input_weight != 0;
}

/// The row of the reference columns, as `rows_of`.
Rows reference_of(const TileOperator& tile) {
    const auto rows = static_cast<Index>(tile.rows);
    Rows result(1, rows + 1);
    result.leftCols(rows) =
        Eigen::Map<const PositionMatrix>(tile.reference.data(), 1, rows).cast<double>();
    result(rows) = static_cast<double>(tile.reference_offset);
    return result;
}

/// Rows of which every output takes a share: none, that of Σv, or that of the reference columns
/// and, where Σv is at hand anyway, both.
Rows common_rows(CorrectionKind kind, const LayerOperators& layer, const TileOperator& tile) {
    if (kind == CorrectionKind::column_affine) return ones_of(tile);
    if (kind != CorrectionKind::reference_column) return Rows(0, static_cast<Index>(tile.rows) + 1);
    if (!has_digital_sum(layer)) return reference_of(tile);
    Rows both(2, static_cast<Index>(tile.rows) + 1);
    both << reference_of(tile), ones_of(tile);
    return both;
}

/// ⟨x, y⟩ of one output's rows.
struct OutputProducts {
    double tt = 0;
    double tw = 0;
    double ww = 0;
    Eigen::VectorXd ct;
    Eigen::VectorXd cw;
    double signal = 0;  ///< ⟨w, w⟩ but for the common term of `offset`
};

/// Of one tile.
struct TileProducts {
    std::vector<OutputProducts> outputs;
    Eigen::MatrixXd cc;
};

/// What corrects one output.
struct OutputFit {
    double g = 1;
    Eigen::VectorXd h;  ///< per common row
};

double squared_error(const OutputProducts& of, const Eigen::MatrixXd& cc, const OutputFit& fit) {
    const double g = fit.g;
    double error = g * g * of.tt + of.ww - 2 * g * of.tw;
    if (fit.h.size() > 0) error += fit.h.dot(cc * fit.h + 2 * (g * of.ct - of.cw));
    return error;
}

/// g alone; 1 where there is nothing to say, or nothing is said.
double fit_gain(double tt, double tw, double ww) {
    return ww > 0 && tt > 0 ? tw / tt : 1;
}

/// Fits outputs of a tile by a gain and shares of its common rows.
class CommonFit {
  public:
    /// Without wires a reference column says what Σv says; the ridge keeps what is left of one
    /// without the other from being rounding.
    explicit CommonFit(const Eigen::MatrixXd& cc) : solver_(with_ridge(cc)) {}

    [[nodiscard]] OutputFit fit(const OutputProducts& of) const {
        constexpr double rounding = 1e-12;  // of a square: entries are float
        // What leaves a sample before the ADC counts g times behind it.
        constexpr double least_gain = 1e-3;
        const Eigen::VectorXd t_share = solver_.solve(of.ct);
        const Eigen::VectorXd w_share = solver_.solve(of.cw);
        const double tt = of.tt - of.ct.dot(t_share);
        const double tw = of.tw - of.ct.dot(w_share);
        const double ww = of.ww - of.cw.dot(w_share);
        double g = tt > rounding * of.tt && ww > rounding * of.ww ? tw / tt : 1;
        if (std::abs(g) < least_gain) g = 1;
        return {g, w_share - g * t_share};
    }

  private:
    static Eigen::MatrixXd with_ridge(Eigen::MatrixXd cc) {
        constexpr double ridge = 1e-9;
        // Inputs that are all zero have no sum to share.
        for (Index i = 0; i < cc.rows(); ++i) cc(i, i) = cc(i, i) > 0 ? cc(i, i) * (1 + ridge) : 1;
        return cc;
    }

    Eigen::LDLT<Eigen::MatrixXd> solver_;
};

TileProducts products_of(CorrectionKind kind, const LayerOperators& layer, const TileOperator& tile,
                         const TileOperator& ideal, const InputMoments& moments) {
    const Rows t = rows_of(tile);
    const Rows w = rows_of(ideal);
    const Rows c = common_rows(kind, layer, tile);
    const Rows ones = ones_of(tile);
    const Rows tM = t * moments.second;
    const Rows wM = w * moments.second;
    const Rows cM = c * moments.second;
    const Rows onesM = ones * moments.second;
    // Of a sample without a pair, -common Σv is taken out digitally.
    const double common = layer.input_weight / layer.slices.front().weight;
    TileProducts products{{}, cM * c.transpose()};
    for (Index j = 0; j < t.rows(); ++j) {
        OutputProducts of;
        of.tt = tM.row(j).dot(t.row(j));
        of.tw = tM.row(j).dot(w.row(j));
        of.ww = wM.row(j).dot(w.row(j));
        of.ct = cM * t.row(j).transpose();
        of.cw = cM * w.row(j).transpose();
        of.signal = of.ww + 2 * common * onesM.row(0).dot(w.row(j)) +
                    common * common * onesM.row(0).dot(ones.row(0));
        products.outputs.push_back(std::move(of));
    }
    return products;
}

/// One gain for all outputs of all tiles.
double fit_layer_gain(const std::vector<TileProducts>& tiles) {
    OutputProducts sum;
    for (const TileProducts& tile : tiles)
        for (const OutputProducts& of : tile.outputs) {
            sum.tt += of.tt;
            sum.tw += of.tw;
            sum.ww += of.ww;
        }
    return fit_gain(sum.tt, sum.tw, sum.ww);
}

std::vector<OutputFit> fit_tile(CorrectionKind kind, const TileProducts& tile, double layer_gain) {
    std::vector<OutputFit> fits;
    const CommonFit common(tile.cc);
    for (const OutputProducts& of : tile.outputs) switch (kind) {
            case CorrectionKind::layer_gain:
                fits.push_back({layer_gain, {}});
                break;
            case CorrectionKind::column_gain:
                fits.push_back({fit_gain(of.tt, of.tw, of.ww), {}});
                break;
            case CorrectionKind::column_affine:
            case CorrectionKind::reference_column:
                fits.push_back(common.fit(of));
                break;
            case CorrectionKind::none:
                fits.emplace_back();
        }
    return fits;
}

TileCorrection to_correction(CorrectionKind kind, const std::vector<OutputFit>& fits) {
    const bool takes_references = kind == CorrectionKind::reference_column;
    TileCorrection correction;
    for (const OutputFit& of : fits) {
        correction.gain.push_back(static_cast<float>(of.g));
        if (takes_references)
            correction.reference_shares.push_back(static_cast<float>(-of.h(0) / of.g));
        if (of.h.size() > (takes_references ? 1 : 0))
            correction.input_gain.push_back(static_cast<float>(of.h(of.h.size() - 1)));
    }
    return correction;
}

double relative(double error, double signal) {
    return signal > 0 ? std::sqrt(std::max(error, 0.0) / signal) : 0;
}

LayerCorrection fit_layer(CorrectionKind kind, const LayerOperators& ideal,
                          const LayerMoments& moments, const LayerOperators& layer) {
    std::vector<TileProducts> products;
    for (std::size_t i = 0; i < layer.tiles.size(); ++i)
        products.push_back(products_of(kind, layer, layer.tiles[i], ideal.tiles[i],
                                       *find_moments(moments, layer.tiles[i])));
    const double layer_gain = fit_layer_gain(products);
    LayerCorrection result;
    double before = 0;
    double after = 0;
    double signal = 0;
    for (const TileProducts& tile : products) {
        const std::vector<OutputFit> fits = fit_tile(kind, tile, layer_gain);
        for (std::size_t j = 0; j < fits.size(); ++j) {
            const OutputProducts& of = tile.outputs[j];
            before += squared_error(of, tile.cc, {});
            after += squared_error(of, tile.cc, fits[j]);
            signal += of.signal;
        }
        result.tiles.push_back(to_correction(kind, fits));
    }
    result.error_before = relative(before, signal);
    result.error_after = relative(after, signal);
    return result;
}

/// Takes each output's share of the reference columns, as this chip has them, out of its sample.
void subtract_reference(const std::vector<float>& shares, TileOperator& tile) {
    for (std::size_t j = 0; j < tile.outputs; ++j) {
        for (std::size_t row = 0; row < tile.rows; ++row)
            tile.weights[j * tile.rows + row] -= shares[j] * tile.reference[row];
        if (!tile.offset.empty()) tile.offset[j] -= shares[j] * tile.reference_offset;
        tile.reference_share = std::max(tile.reference_share, std::abs(shares[j]));
    }
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
            return "column_affine";
        case CorrectionKind::reference_column:
            break;
    }
    return "reference_column";
}

CorrectionKind parse_correction_kind(std::string_view text) {
    for (const auto kind : all_kinds)
        if (text == to_string(kind)) return kind;
    throw InvalidInput(fmt::format(
        "correction '{}' is none of none, layer_gain, column_gain, column_affine, reference_column",
        text));
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
    if (correction.kind == CorrectionKind::reference_column && !tile.reference_column)
        throw InvalidInput("correction.kind",
                           "reference_column takes tiles that have one; TileSettings says so");
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
            if (!of.reference_shares.empty()) subtract_reference(of.reference_shares, tile);
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
