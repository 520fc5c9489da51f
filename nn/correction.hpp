#pragma once

#include <string_view>
#include <vector>

#include "nn/converter_settings.hpp"
#include "nn/input_moments.hpp"

namespace kirchnet {

/// What puts right a tile's samples: t·v as the circuit gives it, w·v as the ideal tile would.
enum class CorrectionKind {
    none,
    layer_gain,     ///< g t·v, one digital g per layer
    column_gain,    ///< g t·v, a digital g per output of a tile
    column_affine,  ///< g t·v + h Σv, both digital and per output of a tile
    /// g (t·v - k r·v): a share k of the current r·v of the tile's reference columns, of all its
    /// arrays together, is taken out before the ADC, g is digital; both per output of a tile.
    /// `offset`, which forms Σv anyway, adds h Σv.
    reference_column,
};

std::string_view to_string(CorrectionKind kind);
/// @throws InvalidInput  naming the accepted words
CorrectionKind parse_correction_kind(std::string_view text);

/// Whose operators a correction is fitted on.
enum class CorrectionFit {
    designed,  ///< the chip without faults and device laws: one fit serves every chip
    chip       ///< each chip's own
};

std::string_view to_string(CorrectionFit fit);
/// @throws InvalidInput  naming the accepted words
CorrectionFit parse_correction_fit(std::string_view text);

struct CorrectionSettings {
    CorrectionKind kind = CorrectionKind::none;
    CorrectionFit fit_on = CorrectionFit::designed;

    friend bool operator==(const CorrectionSettings&, const CorrectionSettings&) = default;
};

/// @throws InvalidInput  naming the key, where outputs take several samples: weights in slices,
///                       inputs in several reads, sides converted apart; or where tiles have no
///                       reference column that one is to correct with
void check(const CorrectionSettings& correction, const TileSettings& tile,
           const ConverterSettings& converters);

/// What a design's corrections are fitted to.
struct CorrectionGoal {
    std::vector<LayerOperators> ideal;  ///< operators of the design without wires
    std::vector<LayerMoments> moments;
};

/// What corrects one tile, per output.
struct TileCorrection {
    std::vector<float> gain;        ///< g
    std::vector<float> input_gain;  ///< h, digital; or empty
    /// k, before the ADC; or empty
    std::vector<float> reference_shares;
};

struct LayerCorrection {
    std::vector<TileCorrection> tiles;  ///< as the layer's operators
    /// Rms error of the tiles' samples, before conversion, over the rms of what they are to say:
    /// Σ E[(t·v - w·v)²] over tiles and outputs. What `offset` takes out digitally does not count
    /// as something to say.
    double error_before = 0;
    double error_after = 0;
};

/// Per layer; empty: none.
using Correction = std::vector<LayerCorrection>;

/// Least squares of the corrected samples against the ideal ones, tile by tile, in closed form
/// (docs/methods/correction.md). An output whose ideal samples are all zero keeps a gain of 1.
/// @param layers  a chip's operators, of the tiles that the goal has
/// @throws InvalidInput  where outputs take several samples
Correction fit_correction(CorrectionKind kind, const CorrectionGoal& goal,
                          const std::vector<LayerOperators>& layers);

/// Makes a correction part of a chip's operators.
void apply_correction(const Correction& correction, std::vector<LayerOperators>& layers);

/// What corrects the chips of one design, one chip after the other.
struct DesignCorrection {
    CorrectionSettings settings;
    Correction designed;  ///< fitted on the chip as designed; empty: nothing is corrected
    CorrectionGoal goal;  ///< for chips that have a fit of their own, else empty
};

/// Makes the design's correction, or one fitted on this very chip, part of a chip's operators.
/// @return  what was applied
Correction correct(const DesignCorrection& design, std::vector<LayerOperators>& layers);

}  // namespace kirchnet
