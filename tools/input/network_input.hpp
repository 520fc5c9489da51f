#pragma once

#include <optional>

#include "data/dataset.hpp"
#include "nn/graph.hpp"
#include "nn/inference.hpp"
#include "tools/settings/experiment.hpp"

namespace kirchnet {

/// The experiment's network, ready to run.
/// @throws InvalidInput  when none is named, or the file is no network of ours
Graph load_graph(const Experiment& experiment);

/// Test images, and the images converter ranges are fitted on: the same ones only where asked for.
struct ExperimentImages {
    LabelledImages test;
    LabelledImages calibration;
    std::string note;  ///< said to the user when test images had to be given up; else empty
};

/// Without a training part beside the data, the last `calibration_images` of the test images are
/// held out for calibration and not tested on; `calibration` naming the same data takes the first
/// test images instead and tests on all.
/// @param input  what the network takes
/// @throws InvalidInput  when no data is named or more images are asked for than there are
ExperimentImages load_images(const Experiment& experiment, const ImageShape& input);

/// What can be known to be wrong before any work.
/// @throws InvalidInput  naming the setting
void check_experiment(const Experiment& experiment);

/// @param who  `a sweep`
/// @throws InvalidInput  where tiles are given one by one, to who draws many chips
void refuse_given_arrays(const Experiment& experiment, std::string_view who);

/// The tiles given one by one as `Graph` knows them; null where there are none.
/// @throws InvalidInput  as `Experiment::given_arrays`, or when the network has no such tile
std::shared_ptr<const GivenArrays> load_given_arrays(const Graph& graph,
                                                     const Experiment& experiment, Mapping mapping);

/// Limits all parallel work; 0 leaves the choice to the machine.
class ThreadLimit {
  public:
    explicit ThreadLimit(int threads);
    ~ThreadLimit();
    ThreadLimit(const ThreadLimit&) = delete;
    ThreadLimit& operator=(const ThreadLimit&) = delete;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// The one mapping a command works with: the given one, else the experiment's where it names just
/// one, else two_column.
Mapping choose_mapping(const std::string& given, const Experiment& experiment);

/// Tile row and column from `R,C`.
std::pair<Index, Index> parse_tile(const std::string& text);

/// Read voltages as a real image makes them: activations of the software network through DACs
/// whose ranges are fitted on the calibration images.
class ImageDrive {
  public:
    ImageDrive(const Graph& graph, const Experiment& experiment);

    [[nodiscard]] const ExperimentImages& images() const { return images_; }
    /// Reads that a layer's inputs take: `input_reads` of its DAC.
    [[nodiscard]] std::vector<InputRead> reads(const std::string& layer) const;
    /// Read voltages [V] of the word lines a block uses, for one image under one kernel position
    /// (output pixel y * width + x), in one of the layer's reads.
    /// @throws InvalidInput  when image, position or read do not exist
    [[nodiscard]] Eigen::VectorXd voltages(const WeightBlock& block, std::size_t image,
                                           std::size_t position, double read_voltage,
                                           std::size_t read = 0) const;

  private:
    const Graph& graph_;
    Index word_lines_;
    ExperimentImages images_;
    Drivers software_;
    std::vector<Dac> dacs_;
};

}  // namespace kirchnet
