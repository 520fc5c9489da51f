#pragma once

#include "nn/arm.hpp"
#include "nn/nonlinear_layers.hpp"

namespace kirchnet {

/// The linear network that a study judges: circuit operators, with amplifiers folded in where there
/// are any, converter ranges as `run_comparison` fits them (on the chip as designed).
/// @param begin_step  may be empty
Drivers circuit_drivers(const Graph& graph, const ChipSettings& chip,
                        const ConverterSettings& converters, const LabelledImages& calibration,
                        const SolverFactory& circuit, const BeginStep& begin_step = {});

/// @throws InvalidInput  when the network finds objects: it has no classes to compare; or when the
///                       cells are not linear and the chip has amplifiers
void check_study(const Graph& graph, const ChipSettings& chip, const NonlinearCells& cells);

/// What of a network is solved with nonlinear cells, or with the swing of its amplifiers.
struct NonlinearSettings {
    ChipSettings chip;
    NonlinearCells cells;
    std::vector<std::size_t> layers;  ///< positions within `Graph::layers()`, rising
    std::size_t positions = 64;       ///< kernel positions sampled per layer; 0: all
    std::uint64_t seed = 1;           ///< of the sample
};

/// How far the linear operators of one layer are off, over the samples that reach its ADCs (in
/// operator entries × inputs), for the inputs that the linear network gives it.
struct LayerError {
    std::size_t layer = 0;
    std::size_t arrays = 0;
    std::size_t positions = 0;  ///< images and kernel positions that were solved
    std::size_t samples = 0;    ///< outputs of every tile × reads × positions, of sides each
    double signal = 0;          ///< rms of the nonlinear outputs
    double rms = 0;             ///< of linear - nonlinear
    double worst = 0;           ///< largest |linear - nonlinear|
    double gain = 1;            ///< g for which g × linear comes nearest to nonlinear
    double rms_left = 0;        ///< of g × linear - nonlinear: what no scale takes back
    bool has_adc = false;       ///< otherwise the next three are 0
    double rms_lsb = 0;         ///< rms of linear - nonlinear, each sample in LSBs of its own ADC
    double worst_lsb = 0;
    double off_share = 0;  ///< samples off by more than half an LSB, 0 to 1
    SolveEffort effort;

    [[nodiscard]] double relative_rms() const { return signal > 0 ? rms / signal : 0; }
    [[nodiscard]] double relative_worst() const { return signal > 0 ? worst / signal : 0; }
    [[nodiscard]] double relative_left() const { return signal > 0 ? rms_left / signal : 0; }
};

/// Largest error of a layer whose linear answer still counts as good: rms in LSBs of its ADC, which
/// rounds by 0.29 LSB rms itself; where there is no ADC, rms relative to the signal's.
inline constexpr double accepted_lsb = 0.5;
inline constexpr double accepted_relative = 0.01;
bool is_good_enough(const LayerError& error);

/// What the linear network gave, and how far each chosen layer was off on its inputs.
struct LinearPass {
    std::vector<float> outputs;  ///< [images × classes]
    std::vector<LayerError> layers;
};

/// What the network gave with its chosen layers nonlinear at every position.
struct NonlinearPass {
    std::vector<float> outputs;  ///< [images × classes]
    SolveEffort effort;
};

/// A network's linear answer against its answer with nonlinear cells or amplifiers.
class NonlinearStudy {
  public:
    /// @param drivers  linear, with converters set; kept by reference, as are graph and engine
    /// @param engine   of nonlinear cells; for amplifiers, one that knows `ports`
    /// @throws InvalidInput  as `check_study`
    NonlinearStudy(const Graph& graph, const Drivers& drivers, NonlinearSettings settings,
                   const SolverFactory& engine);

    /// Operating points that `compare_layers` and `run_network` ask for.
    [[nodiscard]] std::uint64_t points_of_layers(std::size_t images) const;
    [[nodiscard]] std::uint64_t points_of_network(std::size_t images) const;

    /// Runs the linear network and solves sampled positions of each chosen layer.
    /// @param progress  told of operating points
    /// @param finished  told of each layer's error; may be empty
    LinearPass compare_layers(const LabelledImages& images, const Progress& progress = {},
                              const std::function<void(const LayerError&)>& finished = {}) const;

    /// Runs the network with the chosen layers nonlinear and the others linear.
    NonlinearPass run_network(const LabelledImages& images, const Progress& progress = {}) const;

  private:
    [[nodiscard]] bool is_chosen(std::size_t layer) const;
    [[nodiscard]] NonlinearLayer arrays_of(std::size_t layer) const;
    [[nodiscard]] std::size_t sampled(std::size_t layer, std::size_t images) const;
    /// Operating points of one image and kernel position: arrays × reads.
    [[nodiscard]] std::uint64_t points_per_position(std::size_t layer) const;
    [[nodiscard]] LayerError error_of(std::size_t layer, const FeatureMaps& in,
                                      DriverWorkspace& workspace, const PointsDone& done) const;
    [[nodiscard]] std::vector<ReadInputs> sample(std::vector<ReadInputs> inputs, std::size_t layer,
                                                 std::size_t images) const;

    const Graph& graph_;
    const Drivers& drivers_;
    NonlinearSettings settings_;
    const SolverFactory& engine_;
};

}  // namespace kirchnet
