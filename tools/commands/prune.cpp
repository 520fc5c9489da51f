#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "circuit/error.hpp"
#include "circuit/units.hpp"
#include "data/atomic_file.hpp"
#include "data/digest.hpp"
#include "data/network_file.hpp"
#include "data/pruning.hpp"
#include "nn/graph.hpp"
#include "nn/hierarchical_pruning.hpp"
#include "nn/inference.hpp"
#include "tools/commands/commands.hpp"
#include "tools/input/network_input.hpp"
#include "tools/output/output.hpp"
#include "tools/output/progress.hpp"
#include "tools/pruning/faulty_accuracy.hpp"
#include "tools/pruning/pruning_journal.hpp"
#include "tools/pruning/pruning_report.hpp"
#include "tools/pruning/single_pruning.hpp"
#include "tools/reports/run_record.hpp"

namespace kirchnet {
namespace {

void check_arguments(const PruneArguments& arguments) {
    check_methods(arguments);
    const bool has_ratio = arguments.ratio || !arguments.layer_ratios.empty();
    if (is_hierarchical(arguments) && has_ratio)
        throw InvalidInput("--ratio",
                           "does not go with --method hpp, which finds the ratios; "
                           "--candidates names those it tries");
    if (!is_hierarchical(arguments) && !has_ratio)
        throw InvalidInput("--ratio", "is missing: the share of weights to take away, such as 0.6");
    if (arguments.resume && !is_hierarchical(arguments) && !trains(arguments))
        throw InvalidInput("--resume", "is for --method fine-tune, admm and hpp alone");
    if (!arguments.checkpoint.empty() && (is_hierarchical(arguments) || !trains(arguments)))
        throw InvalidInput("--checkpoint", "is for --method fine-tune and admm alone");
}

PruningRatios parse_ratios(const PruneArguments& arguments) {
    PruningRatios ratios{arguments.ratio.value_or(0), {}};
    for (const std::string& text : arguments.layer_ratios) {
        const auto equals = text.rfind('=');
        if (equals == std::string::npos || equals == 0)
            throw InvalidInput("--layer-ratio", fmt::format("'{}' is not NAME=RATIO", text));
        const std::string layer = text.substr(0, equals);
        if (!ratios.layers
                 .emplace(layer, parse_quantity(text.substr(equals + 1), "--layer-ratio " + layer))
                 .second)
            throw InvalidInput("--layer-ratio", fmt::format("names layer '{}' twice", layer));
    }
    return ratios;
}

std::string describe_ratios(const PruningRatios& ratios) {
    std::string text = fmt::format("{:g} of each mapped layer", ratios.all);
    for (const auto& [layer, ratio] : ratios.layers)
        text += fmt::format(", {:g} of {}", ratio, layer);
    return text;
}

/// Where training keeps its state: beside the result, unless told otherwise.
std::filesystem::path checkpoint_path(const PruneArguments& arguments) {
    return arguments.checkpoint.empty() ? arguments.out + ".checkpoint" : arguments.checkpoint;
}

void check_checkpoint(const PruneArguments& arguments) {
    const auto path = checkpoint_path(arguments);
    if (std::filesystem::exists(path) && !arguments.resume)
        throw InvalidInput(path.string(),
                           "is there already: --resume goes on from it; remove it to begin anew");
    if (arguments.resume && !std::filesystem::exists(path))
        print_note(fmt::format("{} is not there: the pruning begins anew", path.string()));
}

/// Of the float network on the test images beside the data; nothing without data.
std::optional<double> software_accuracy(const Experiment& experiment, const Network& network) {
    if (experiment.data.empty()) return std::nullopt;
    const Graph graph(network);
    const LabelledImages test = read_test_images(experiment.data, network.input);
    return score(
        run_inference(graph, software_drivers(graph), test, show_progress("software", "images")),
        test);
}

std::string zeros_text(const Network& network) {
    std::size_t weights = 0;
    std::size_t zeros = 0;
    for (const Node& node : network.nodes)
        if (const Tensor* tensor = cell_weights(node.operation)) {
            weights += tensor->values.size();
            zeros += static_cast<std::size_t>(
                std::count(tensor->values.begin(), tensor->values.end(), 0.0F));
        }
    return fmt::format("{} of {} weights are zero ({:.1f} %)", zeros, weights,
                       100 * static_cast<double>(zeros) / static_cast<double>(weights));
}

/// Writes a network and says what became of it.
nlohmann::json finish(const std::string& path, Network network, const Experiment& experiment,
                      const std::string& how) {
    network.provenance["pruning"] = how;
    const auto accuracy = software_accuracy(experiment, network);
    if (accuracy)
        network.provenance["pruned_accuracy"] = fmt::format(
            "{:.4f} on {}", *accuracy, std::filesystem::path(experiment.data).filename().string());
    write_network(path, network);
    nlohmann::json record{{"file", path}, {"pruning", how}, {"zeros", zeros_text(network)}};
    if (accuracy) record["software_accuracy"] = *accuracy;
    return record;
}

std::string text_of(const nlohmann::json& record) {
    std::string text = fmt::format("{}: {}", record["file"].get<std::string>(),
                                   record["zeros"].get<std::string>());
    if (record.contains("software_accuracy"))
        text += fmt::format(", software accuracy {:.2f} %",
                            100 * record["software_accuracy"].get<double>());
    return text + "\n";
}

Network prune_or_say_how_to_go_on(const PruneArguments& arguments, const SinglePruning& prune,
                                  const Network& network, const PruningRatios& ratios) {
    try {
        return prune(network, ratios);
    } catch (const Interrupted&) {
        if (trains(arguments) && std::filesystem::exists(checkpoint_path(arguments)))
            print_note(fmt::format("the epochs done are in {}; --resume goes on from there",
                                   checkpoint_path(arguments).string()));
        throw;
    }
}

int run_single(const PruneArguments& arguments, const Experiment& experiment,
               const Network& network) {
    const PruningRatios ratios = parse_ratios(arguments);
    check(ratios, network);
    SinglePruning prune(arguments, experiment, network);
    if (trains(arguments)) {
        check_checkpoint(arguments);
        prune.keep_checkpoints(checkpoint_path(arguments), arguments.resume);
    }
    const auto record =
        finish(arguments.out, prune_or_say_how_to_go_on(arguments, prune, network, ratios),
               experiment, fmt::format("{}; {}", describe_ratios(ratios), describe_way(arguments)));
    if (trains(arguments)) std::filesystem::remove(checkpoint_path(arguments));
    if (arguments.json)
        print_json(record);
    else
        print_text(text_of(record));
    return 0;
}

std::string describe_conditions(const PruneArguments& arguments, const Experiment& experiment,
                                const FaultyAccuracy& accuracy) {
    return fmt::format(
        "Network {}, {} images of {}, {} mapping, ideal operators; {} chips of seed {} from trial "
        "{} on at each fault rate of {}, {:g} stuck on per stuck off. Each step: {}.",
        arguments.network, accuracy.images(), experiment.data, to_string(accuracy.mapping()),
        arguments.trials, experiment.seed, experiment.trial, fmt::join(accuracy.rates(), ", "),
        experiment.fault_law.stuck_on_per_off, describe_way(arguments));
}

/// Tells searches apart whose steps must not be mixed.
std::string search_identity(const PruneArguments& arguments, const Experiment& experiment,
                            const HierarchicalPruningSettings& settings,
                            const std::string& conditions) {
    return digest_of(fmt::format("{}|{}|{}|{}|{}|{}|{}|{}", digest_of_file(arguments.network),
                                 conditions, to_toml(experiment),
                                 fmt::join(settings.candidates, ","), settings.threshold,
                                 settings.advance_p, arguments.batch_size, arguments.augment));
}

/// Runs the search through its journal, which `--resume` reads.
HierarchicalPruningResult search(const PruneArguments& arguments, const Experiment& experiment,
                                 const Network& network,
                                 const HierarchicalPruningSettings& settings,
                                 const FaultyAccuracy& accuracy, const std::string& conditions) {
    PruningJournal journal(arguments.out + ".steps",
                           search_identity(arguments, experiment, settings, conditions),
                           arguments.resume);
    SinglePruning prune(arguments, experiment, network);
    const auto train = [&](const Network& its, const PruningRatios& ratios) {
        prune.keep_checkpoints(journal.checkpoint(), arguments.resume);
        return prune(its, ratios);
    };
    auto result = prune_hierarchically(
        network, settings,
        [&](const Network& its, const PruningRatios& ratios) {
            return journal.pruned(its, ratios, train);
        },
        [&](const Network& its) {
            return journal.accuracy(its, [&](const Network& judged) { return accuracy(judged); });
        },
        [](const PruningDecision& decision) { print_note(decision_line(decision)); });
    if (arguments.resume)
        print_note(fmt::format("{} steps were done before and read from {}", journal.steps_read(),
                               arguments.out + ".steps"));
    return result;
}

int run_hierarchical(const PruneArguments& arguments, const Experiment& experiment,
                     const Network& network) {
    HierarchicalPruningSettings settings;
    if (!arguments.candidates.empty()) settings.candidates = arguments.candidates;
    settings.threshold = arguments.threshold / 100;
    settings.advance_p = arguments.advance_p;
    settings.strict_best = arguments.strict_best;
    const FaultyAccuracy accuracy(experiment, network.input, arguments.rates, arguments.trials);
    const std::string conditions = describe_conditions(arguments, experiment, accuracy);
    const auto result = search(arguments, experiment, network, settings, accuracy, conditions);
    const std::filesystem::path out = arguments.out;
    const std::string how = "hierarchical and progressive (Yuan et al. 2021, Algorithm 1); ";
    auto log = pruning_json(result, settings, conditions);
    log["best"].update(finish(arguments.out, result.best, experiment, how + "the best network"));
    log["last"].update(finish(beside(out, "-last.h5").string(), result.last, experiment,
                              how + "the last network"));
    const std::string report = pruning_markdown(result, settings, conditions);
    write_text_atomically(beside(out, ".md"), report);
    write_text_atomically(beside(out, ".json"), log.dump(2) + "\n");
    std::filesystem::remove_all(arguments.out + ".steps");
    if (arguments.json)
        print_json(log);
    else
        print_text(report + "\n" + text_of(log["best"]) + text_of(log["last"]));
    return 0;
}

}  // namespace

int run_prune(const PruneArguments& arguments) {
    check_arguments(arguments);
    if (trains(arguments) && !arguments.pruner)
        continue_with_training(
            arguments.command_line,
            fmt::format("{} {}", is_hierarchical(arguments) ? "--inner" : "--method",
                        pruning_way(arguments)));
    Experiment experiment = make_experiment("", arguments.settings);
    experiment.threads = arguments.threads;
    refuse_given_arrays(experiment, "pruning");
    check_experiment(experiment);
    stop_at_safe_places();
    const ThreadLimit threads(arguments.threads);
    const Network network = read_network(arguments.network);
    (void)Graph(network);
    { const AtomicFile writable(arguments.out); }  // before hours of work, not after
    return is_hierarchical(arguments) ? run_hierarchical(arguments, experiment, network)
                                      : run_single(arguments, experiment, network);
}

}  // namespace kirchnet
