#include "tools/sweep/sweep_runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>
#include <set>

#include "circuit/error.hpp"
#include "data/digest.hpp"
#include "data/network_digest.hpp"
#include "nn/budget.hpp"
#include "tools/input/engines.hpp"
#include "tools/output/progress.hpp"

namespace kirchnet {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t probed_images = 64;  // enough to tell how long an image takes

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Numbers' bits, one after the other.
template <typename Number>
void append_bits(std::string& bytes, Number value) {
    char bits[sizeof value];
    std::memcpy(bits, &value, sizeof value);
    bytes.append(bits, sizeof value);
}

std::string bits_of(const InferenceResult& result) {
    std::string bytes;
    for (const std::int32_t predicted : result.predicted) append_bits(bytes, predicted);
    for (const Detections& found : result.detections) {
        append_bits(bytes, found.size());
        for (const Detection& one : found) {
            append_bits(bytes, one.label);
            append_bits(bytes, one.confidence);
            for (const float side : {one.box.left, one.box.top, one.box.right, one.box.bottom})
                append_bits(bytes, side);
        }
    }
    return bytes;
}

std::vector<std::uint8_t> right_bits(const InferenceResult& result, const LabelledImages& images) {
    if (!result.detections.empty()) return {};
    std::vector<bool> right(images.size());
    for (std::size_t i = 0; i < right.size(); ++i)
        right[i] = result.predicted[i] == images.labels[i];
    return pack_bits(right);
}

double zero_share(const Graph& graph) {
    std::size_t weights = 0;
    std::size_t zeros = 0;
    for (std::size_t layer = 0; layer < graph.layers().size(); ++layer) {
        const auto& values = graph.weights(layer).values;
        weights += values.size();
        zeros += static_cast<std::size_t>(std::count(values.begin(), values.end(), 0.0F));
    }
    return weights == 0 ? 0 : static_cast<double>(zeros) / static_cast<double>(weights);
}

/// What units' numbers depend on beside axes, networks and images; where a run writes to and how
/// many threads it takes do not matter.
std::string settings_of(Experiment base) {
    base.out.clear();
    base.threads = 0;
    base.operator_cache.clear();
    base.trials = 0;
    return to_toml(base);
}

/// Of these, what differs from the defaults, and not where data and networks lie: they are told
/// apart by their contents, and a key that is new in a later version changes nothing.
std::string identity_settings(Experiment base) {
    base.out.clear();
    base.threads = 0;
    base.operator_cache.clear();
    base.trials = 0;
    base.data.clear();
    base.network.clear();
    return changed_keys(base);
}

std::string digest_of_images(const LabelledImages& images) {
    std::string bytes(images.pixels.begin(), images.pixels.end());
    for (const std::int32_t label : images.labels) append_bits(bytes, label);
    for (const auto& objects : images.objects)
        for (const LabelledObject& one : objects) {
            append_bits(bytes, one.label);
            for (const float side : {one.box.left, one.box.top, one.box.right, one.box.bottom})
                append_bits(bytes, side);
        }
    return digest_of(bytes);
}

/// Everything about a point but its chip: points that share it share ranges.
std::string design_name(const PlannedPoint& point) {
    Experiment design = point.experiment;
    design.fault_law = {};
    design.device_laws = {};
    design.converters.adc_errors = {};
    design.fault_map.clear();
    return fmt::format("{}\n{}\n{}", to_string(point.operators), to_string(point.mapping),
                       settings_of(design));
}

}  // namespace

struct SweepRunner::LoadedNetwork {
    Graph graph;
    ExperimentImages images;
    ArmRunner runner;

    LoadedNetwork(Graph network, ExperimentImages loaded, const SolverFactory& engine,
                  const BeginStep& begin_step)
        : graph(std::move(network)),
          images(std::move(loaded)),
          runner(graph, images.test, images.calibration, engine, begin_step) {}
};

struct SweepRunner::Design {
    Calibration ranges;
    DesignCorrection correction;
    double operator_seconds = 0;
    double seconds_per_image = 0;  ///< 0: not measured yet
};

UnitPlace parse_unit(const std::string& text, const SweepPlan& plan) {
    UnitPlace unit;
    const char* end = text.data() + text.size();
    const auto point = std::from_chars(text.data(), end, unit.point);
    if (point.ec == std::errc{} && point.ptr != end && *point.ptr == '/') {
        const auto trial = std::from_chars(point.ptr + 1, end, unit.trial);
        if (trial.ec == std::errc{} && trial.ptr == end) {
            if (unit.point >= plan.points.size())
                throw InvalidInput("unit " + text,
                                   fmt::format("the plan has {} points", plan.points.size()));
            return unit;
        }
    }
    throw InvalidInput("unit", fmt::format("'{}' is not POINT/TRIAL, such as 3/17", text));
}

SweepRunner::SweepRunner(const SweepPlan& plan)
    : plan_(plan),
      engine_(engine_factory(plan.base.engine, open_operator_cache(plan.base.operator_cache))) {
    begin_step_ = [](const std::string&) {
        return [](std::size_t, std::size_t) { check_interrupted(); };
    };
    for (const PlannedPoint& point : plan.points) {
        refuse_given_arrays(point.experiment, "a sweep");
        check_experiment(point.experiment);
    }
    for (const PlannedPoint& point : plan.points) (void)network_of(point);
}

SweepRunner::~SweepRunner() = default;

SweepRunner::LoadedNetwork& SweepRunner::network_of(const PlannedPoint& point) {
    auto& loaded = networks_[point.experiment.network];
    if (!loaded) {
        Graph graph = load_graph(point.experiment);
        ExperimentImages images = load_images(point.experiment, graph.network().input);
        if (!images.note.empty() &&
            std::find(notes_.begin(), notes_.end(), images.note) == notes_.end())
            notes_.push_back(images.note);
        if (!networks_.empty())
            for (const auto& [file, other] : networks_)
                if (other && other->images.test.size() != images.test.size())
                    throw InvalidInput(
                        point.experiment.network,
                        fmt::format("is tested on {} images, but {} on {}", images.test.size(),
                                    file, other->images.test.size()));
        loaded = std::make_unique<LoadedNetwork>(std::move(graph), std::move(images), engine_,
                                                 begin_step_);
    }
    return *loaded;
}

bool SweepRunner::is_random(std::size_t point) const {
    return kirchnet::is_random(plan_.points[point].arm(0));
}

std::vector<UnitPlace> SweepRunner::units(const Shard& shard) const {
    std::vector<UnitPlace> units;
    std::uint64_t number = 0;
    for (std::uint32_t trial = 0; trial < plan_.trials; ++trial)
        for (std::size_t point = 0; point < plan_.points.size(); ++point) {
            if (trial > 0 && !is_random(point)) continue;
            if (number++ % shard.count + 1 == shard.index)
                units.push_back({static_cast<std::uint32_t>(point), trial});
        }
    return units;
}

SweepRecord SweepRunner::make_record(const Shard& shard) {
    SweepRecord record;
    record.name = plan_.name;
    record.plan = plan_.text;
    record.settings = settings_of(plan_.base);
    record.shard = to_string(shard);
    record.seed = plan_.base.seed;
    record.trials = plan_.trials;
    record.axes = plan_.axes;
    std::string identity = identity_settings(plan_.base);
    std::map<std::string, std::size_t> places;
    for (const auto& [file, loaded] : networks_) {
        const LabelledImages& test = loaded->images.test;
        const InferenceResult software =
            run_inference(loaded->graph, software_drivers(loaded->graph), test,
                          show_progress("software " + file, "images"));
        places[file] = record.networks.size();
        record.networks.push_back({file, loaded->graph.network().name,
                                   digest_of(loaded->graph.network()), zero_share(loaded->graph),
                                   score(software, test)});
        record.images = test.size();
        record.metric = loaded->graph.is_detector() ? "mAP@0.5" : "accuracy";
        identity += record.networks.back().digest + digest_of_images(test) +
                    digest_of_images(loaded->images.calibration);
    }
    for (const std::string& axis : plan_.axes) identity += '\n' + axis;
    for (std::size_t i = 0; i < plan_.points.size(); ++i) {
        const PlannedPoint& point = plan_.points[i];
        record.points.push_back({point.values, places.at(point.experiment.network), is_random(i)});
        for (const std::string& value : point.values) identity += '\n' + value;
    }
    record.identity = digest_of(identity);
    return record;
}

SweepRunner::Design& SweepRunner::design_of(const PlannedPoint& point) {
    auto& design = designs_[design_name(point)];
    if (design) return *design;
    auto made = std::make_unique<Design>();
    ArmRunner& runner = network_of(point).runner;
    const bool on_ideal = point.experiment.converters.calibrate_on == Operators::ideal;
    ArmSettings designed = as_designed(point.arm(0));
    if (designed.operators == Operators::circuit && on_ideal) {
        PlannedPoint ideal = point;
        ideal.operators = Operators::ideal;
        made->ranges = design_of(ideal).ranges;
    }
    ExtractedOperators operators = runner.extract(designed, "operators");
    made->operator_seconds = operators.seconds;
    made->correction = runner.fit_correction(designed, operators.layers, "correction");
    correct(made->correction, operators.layers);
    if (made->ranges.adc.empty()) made->ranges = runner.fit(designed, operators.layers, "ranges");
    // designs_ may have grown meanwhile, but its entries stay where they are.
    design = std::move(made);
    return *design;
}

SweepUnit SweepRunner::run(const UnitPlace& place) {
    const PlannedPoint& point = plan_.points.at(place.point);
    LoadedNetwork& network = network_of(point);
    const Design& design = design_of(point);
    const ArmSettings arm = point.arm(place.trial);
    ExtractedOperators operators = network.runner.extract(arm, "operators");
    const auto start = Clock::now();
    correct(design.correction, operators.layers);
    operators.seconds += seconds_since(start);
    const ArmResult result = network.runner.run(arm, std::move(operators), design.ranges, "images");
    SweepUnit unit;
    unit.point = place.point;
    unit.trial = place.trial;
    unit.score = score(result.inference, network.images.test);
    unit.right = right_bits(result.inference, network.images.test);
    unit.digest = short_digest_of(bits_of(result.inference));
    unit.operator_seconds = result.operator_seconds;
    unit.inference_seconds = result.inference.seconds;
    unit.worst_deviation = result.worst_deviation;
    return unit;
}

double SweepRunner::estimate_seconds(const std::vector<UnitPlace>& units,
                                     const Progress& progress) {
    std::set<std::uint32_t> points;
    for (const UnitPlace& unit : units) points.insert(unit.point);
    std::map<std::uint32_t, double> seconds;
    std::size_t done = 0;
    for (const std::uint32_t number : points) {
        const PlannedPoint& point = plan_.points[number];
        Design& design = design_of(point);
        LoadedNetwork& network = network_of(point);
        const LabelledImages& test = network.images.test;
        if (design.seconds_per_image == 0) {
            const ArmSettings designed = as_designed(point.arm(0));
            const auto few = subset(test, 0, std::min(probed_images, test.size()));
            const Drivers drivers =
                make_drivers(network.graph, network.runner.extract(designed, "operators").layers,
                             design.ranges, designed.converters);
            design.seconds_per_image = run_inference(network.graph, drivers, few).seconds /
                                       static_cast<double>(few.size());
        }
        seconds[number] =
            design.operator_seconds + design.seconds_per_image * static_cast<double>(test.size());
        if (progress) progress(++done, points.size());
    }
    double sum = 0;
    for (const UnitPlace& unit : units) sum += seconds.at(unit.point);
    return sum;
}

}  // namespace kirchnet
