#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "nn/converters.hpp"
#include "nn/feature_maps.hpp"
#include "nn/layer_adcs.hpp"
#include "nn/magnitude_histogram.hpp"
#include "nn/operators.hpp"

namespace kirchnet {

/// A tile's operators as the kernels read them.
struct TilePanels {
    std::vector<float> a;
    std::vector<float> b;  ///< where the sides are converted apart
};

/// Everything that turns a layer's inputs into its outputs, as data: operators, converters,
/// per-column scale (0 masks a column), bias. One driver serves ideal, circuit-level and plain
/// software inference alike; only its data differ.
struct LayerDriver {
    LayerGeometry geometry;
    LayerOperators operators;
    std::vector<std::size_t> order;  ///< of tiles: those that read the same rows together
    std::vector<TilePanels> panels;  ///< per tile
    Dac dac;
    std::vector<InputRead> reads;     ///< of the DAC
    std::vector<Adc> adc;             ///< per slice; all continuous, or none
    std::optional<LayerAdcs> adcs;    ///< their errors; nothing: ideal ADCs
    std::vector<float> column_scale;  ///< [outputs], digital factor after accumulation
    std::vector<float> bias;          ///< [outputs], or empty

    /// Whether an output takes one sample per row tile: inputs are then fractions of the read
    /// voltage, otherwise codes or their digits.
    [[nodiscard]] bool samples_once() const {
        return reads.size() == 1 && !operators.is_sliced && !operators.reads_sides;
    }
    /// Largest input that one read drives.
    [[nodiscard]] double largest_input() const;
    /// Input that stands for the full read voltage.
    [[nodiscard]] double full_scale() const;
};

/// Digital operations right behind a layer, done while its outputs are at hand.
struct DigitalTail {
    std::vector<ChannelNorm> norm;        ///< batch norm per output channel, or empty
    const FeatureMaps* addend = nullptr;  ///< then another map of the layer's output shape is added
    bool rectify = false;                 ///< then ReLU
    std::optional<ActivationOp> activation;  ///< or another activation
};

/// Samples an ADC took and how many fell outside its range.
struct AdcCount {
    std::uint64_t samples = 0;
    std::uint64_t clipped = 0;

    AdcCount& operator+=(const AdcCount& other) {
        samples += other.samples;
        clipped += other.clipped;
        return *this;
    }
};

/// Inputs or samples of a layer, a column per image and kernel position.
using PositionMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// What one read drives on a layer's word lines.
struct ReadInputs {
    /// [rows of all groups × images * positions], as the layer's operators take them: fractions of
    /// the read voltage where outputs take one sample, digits elsewhere.
    PositionMatrix values;
    double full_scale = 1;  ///< what stands for the full read voltage
};

/// What a tile's read-out gives before conversion, in operator entries × inputs:
/// [outputs × images * positions].
struct TileSamples {
    PositionMatrix a;  ///< a - b, or a alone where there is no b or the sides are converted apart
    PositionMatrix b;  ///< where the sides are converted apart
};

/// Of one layer, per read and tile.
using LayerSamples = std::vector<std::vector<TileSamples>>;

/// Magnitudes of the samples that an ADC would take, in units of operator entries × inputs.
struct SampleRange {
    float largest = 0;
    std::optional<MagnitudeHistogram> histogram;  ///< where one was asked for

    void merge(const SampleRange& other);
};

/// Magnitudes met by one layer; what converter ranges are calibrated from.
struct LayerRange {
    float input = 0;                   ///< max |x|
    bool signed_input = false;         ///< whether any x was negative
    bool keeps_histograms = false;     ///< asked for by who observes
    std::vector<SampleRange> samples;  ///< per slice

    void merge(const LayerRange& other);
};

/// Buffers of one thread; they grow to the largest layer once and are then reused.
class DriverWorkspace {
  public:
    DriverWorkspace();
    DriverWorkspace(DriverWorkspace&&) noexcept;
    DriverWorkspace& operator=(DriverWorkspace&&) noexcept;
    ~DriverWorkspace();

    /// Where the images that run next begin within their data set: conversions have noise of their
    /// own for each image.
    void set_first_image(std::size_t image);

    struct Buffers;
    [[nodiscard]] Buffers& buffers() { return *buffers_; }

  private:
    std::unique_ptr<Buffers> buffers_;
};

/// The layer as the software network computes it: exact weights, no converters.
LayerDriver software_driver(const Graph& graph, std::size_t layer);

/// The layer on crossbars, with converter ranges still at 1.
LayerDriver crossbar_driver(const Graph& graph, std::size_t layer, LayerOperators operators);

/// Sets the DAC, its reads, and the digital scale that undoes its range.
/// @throws InvalidInput  when bits or range are not usable
void set_dac(LayerDriver& driver, const Dac& dac);

/// out = tail(layer(in)), a block of images at once.
/// @param count  adds this layer's converter statistics
/// @param range  when given, records the values met (the ADC is then bypassed)
void run_layer(const LayerDriver& driver, const FeatureMaps& in, FeatureMaps& out,
               DriverWorkspace& workspace, AdcCount& count, LayerRange* range = nullptr,
               const DigitalTail& tail = {});

/// The layer's inputs through its DAC, per read.
std::vector<ReadInputs> read_inputs(const LayerDriver& driver, const FeatureMaps& in,
                                    DriverWorkspace& workspace);

/// `run_layer` where the tiles' samples were found elsewhere: they are converted, added, scaled and
/// followed by the same digital work.
/// @param in       what the samples were found for
/// @param samples  per read and tile of the driver's operators
void finish_layer(const LayerDriver& driver, const FeatureMaps& in, const LayerSamples& samples,
                  FeatureMaps& out, DriverWorkspace& workspace, AdcCount& count,
                  const DigitalTail& tail = {});

}  // namespace kirchnet
