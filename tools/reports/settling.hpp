#pragma once

#include <optional>
#include <string>
#include <vector>

#include "circuit/linear_readout.hpp"
#include "circuit/settling_estimate.hpp"
#include "nn/operators.hpp"
#include "solver/transient.hpp"

namespace kirchnet {

/// How a tile is read over time.
struct SettlingTerms {
    int bits = 8;      ///< of the converter behind each output
    double range = 0;  ///< it takes ± this [V or A]; 0: the read-out's
    ArrayCapacitances capacitances{.wire_segment = 3e-17, .cell = 2e-17, .access = 1e-16};
    double rise_time = 1e-10;  ///< of the read voltages, from 0 V [s]
    double stop = 0;           ///< [s]; 0: as long as it takes
    CellLaw law = {};          ///< of every cell, whose conductances are those at full scale
};

/// @throws InvalidInput  naming the option that is out of its range
void check(const SettlingTerms& terms);

/// What the converter of one output reads.
struct SettlingSignal {
    std::string name;         ///< net `sub_3`, `tia_a_3`, or ammeter `vs_a_3`
    bool is_ammeter = false;  ///< its current [A]; else the net's voltage
    Index output = 0;
    std::optional<Polarity> side;  ///< nothing: both, subtracted
};

struct OutputSettling {
    SettlingSignal signal = {};
    SettlingEstimate estimate = {};
    double estimated = 0;             ///< with the rise [s]
    double settled = 0;               ///< operating point after the rise [V or A]
    std::optional<double> time = {};  ///< [s]; nothing: not within the run
    SampledWaveform waveform = {};
};

/// A tile's read, from the start of the rise on.
struct SettlingStudy {
    Circuit circuit;             ///< inputs rise
    Circuit settled_circuit;     ///< inputs have risen
    std::string unit;            ///< of outputs: `V`, or `A` of an ideal read-out
    double range = 0;            ///< ± [unit]
    double half_lsb = 0;         ///< [unit]
    double feedback = 0;         ///< R_f as designed [ohm]; 0: ideal read-out
    double swing = 0;            ///< of the amplifiers [V]; 0: ideal read-out
    double largest_voltage = 0;  ///< at a transimpedance amplifier, settled [V]
    double stop = 0;             ///< [s]
    int steps = 0;
    double seconds = 0;  ///< what it took
    std::vector<OutputSettling> outputs;

    [[nodiscard]] bool is_settled() const;
    /// The output that settles last; an output that does not before all others.
    [[nodiscard]] const OutputSettling& slowest() const;
    /// [s]; nothing when an output does not settle
    [[nodiscard]] std::optional<double> read_time() const { return slowest().time; }
    [[nodiscard]] double estimated_read_time() const;
};

/// Simulates a tile until every output is within half an LSB of its operating point for good, or to
/// the end that was asked for. The run is repeated twice as long, eight times at most, while an
/// output is not there.
/// @param inputs   read voltages [V], [rows]
/// @param readout  amplifiers with R_f set; nothing: ideal read-out
/// @param full_scale  read voltage of a full-scale input [V], for the range of an ideal read-out
/// @throws InvalidInput, SingularSystem, NotConverged  as solve_transient
SettlingStudy study_settling(const Tile& tile, const Eigen::VectorXd& inputs,
                             const std::optional<LinearReadout>& readout, double full_scale,
                             const SettlingTerms& terms, const Progress& progress);

/// Seconds that the run of a tile takes about, here and in ngspice 39.
double expected_settling_seconds(const Tile& tile);
double expected_ngspice_transient_seconds(const Tile& tile);

/// The same circuit in ngspice.
struct SettlingAgreement {
    struct Output {
        std::string name;
        double waveform = 0;  ///< largest difference over time, of its settled value, or of
                              ///< an LSB where that is more
        std::optional<double> time = {};  ///< when ngspice says it settles [s]
        double time_difference = 0;  ///< of its settling time, or of a tenth of the tile's read
                                     ///< time where that is more; infinite when one road has none
    };
    std::vector<Output> outputs;  ///< as in the study
    double seconds = 0;

    static constexpr double waveform_tolerance = 0.01;
    static constexpr double time_tolerance = 0.02;
    [[nodiscard]] const Output& worst_waveform() const;
    [[nodiscard]] const Output& worst_time() const;
    [[nodiscard]] bool agrees() const;
};

/// @param time_limit  of ngspice [s]
/// @throws NgspiceError  as run_transient
SettlingAgreement compare_with_ngspice(const SettlingStudy& study, double time_limit);

}  // namespace kirchnet
