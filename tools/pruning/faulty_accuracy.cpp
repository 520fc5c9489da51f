#include "tools/pruning/faulty_accuracy.hpp"

#include <fmt/format.h>

#include "circuit/error.hpp"
#include "nn/arm.hpp"
#include "tools/input/engines.hpp"
#include "tools/input/network_input.hpp"
#include "tools/output/output.hpp"
#include "tools/output/progress.hpp"

namespace kirchnet {

FaultyAccuracy::FaultyAccuracy(const Experiment& experiment, const ImageShape& input,
                               std::vector<double> rates, std::uint32_t trials)
    : experiment_(experiment),
      rates_(std::move(rates)),
      trials_(trials),
      mapping_(choose_mapping("", experiment)) {
    if (!experiment.fault_map.empty())
        throw InvalidInput("faults.map", "is one chip; hpp draws many: give --rates instead");
    if (rates_.empty()) rates_ = {experiment.fault_law.rate};
    for (const double rate : rates_) {
        FaultLaw law = experiment.fault_law;
        law.rate = rate;
        check(law);
        if (rate == 0 && !experiment.device_draw())
            throw InvalidInput("--rates",
                               "names no faults, and no device law is on: hpp needs "
                               "chips that differ, such as --rates 0.005");
    }
    if (trials_ == 0) throw InvalidInput("--trials", "is 0; at least one chip is needed");
    ExperimentImages images = load_images(experiment, input);
    if (!images.note.empty()) print_note(images.note);
    test_ = std::move(images.test);
    calibration_ = std::move(images.calibration);
}

double FaultyAccuracy::operator()(const Network& network) const {
    const Graph graph(network);
    const SolverFactory ideal = engine_factory("ideal");
    const BeginStep silent;
    ArmRunner runner(graph, test_, calibration_, ideal, silent);
    ArmSettings arm{{experiment_.tile_settings(mapping_), {}, {}, {}},
                    Operators::ideal,
                    experiment_.converter_settings()};
    const Calibration ranges = runner.fit(arm, runner.extract(arm, {}).layers, {});
    const Progress progress = show_progress("faulty chips", "chips");
    double sum = 0;
    std::size_t done = 0;
    for (const double rate : rates_)
        for (std::uint32_t trial = 0; trial < trials_; ++trial) {
            FaultDraw faults{experiment_.fault_law, experiment_.seed, experiment_.trial + trial};
            faults.law.rate = rate;
            arm.chip.faults = faults;
            arm.chip.devices = experiment_.device_draw();
            if (arm.chip.devices) arm.chip.devices->trial = faults.trial;
            arm.converters.adc_errors.trial = faults.trial;
            const auto result = runner.run(arm, runner.extract(arm, {}), ranges, {});
            sum += score(result.inference, test_);
            progress(++done, rates_.size() * trials_);
        }
    return sum / static_cast<double>(done);
}

}  // namespace kirchnet
