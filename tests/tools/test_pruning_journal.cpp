#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "circuit/error.hpp"
#include "data/network_file.hpp"
#include "tests/scratch_folder.hpp"
#include "tools/pruning/pruning_journal.hpp"

using namespace kirchnet;

namespace {

Network digits() {
    return read_network(KIRCHNET_EMBEDDED "/digits.h5");
}

/// The share of zeros: an accuracy that any network has and no two steps share.
double zeros(const Network& network) {
    double all = 0;
    double zero = 0;
    for (const Node& node : network.nodes)
        if (const Tensor* weights = cell_weights(node.operation)) {
            all += static_cast<double>(weights->values.size());
            zero += static_cast<double>(
                std::count(weights->values.begin(), weights->values.end(), 0.0F));
        }
    return 1 - zero / all / 1000;  // falls too little to give a block up
}

/// A search that counts what it does, and may be cut off in the middle.
struct Search {
    int pruned = 0;
    int judged = 0;
    int cut_off_at = 1000;  ///< the judgement that throws

    HierarchicalPruningResult run(PruningJournal& journal) {
        const LayerPruner prune = [this](const Network& network, const PruningRatios& ratios) {
            ++pruned;
            Network result = network;
            prune_by_magnitude(result, ratios);
            return result;
        };
        const NetworkEvaluator judge = [this](const Network& network) {
            if (++judged == cut_off_at) throw Interrupted();
            return zeros(network);
        };
        return prune_hierarchically(
            digits(), {.candidates = {0.8, 0.9, 0.95, 0.97}},
            [&](const Network& network, const PruningRatios& ratios) {
                return journal.pruned(network, ratios, prune);
            },
            [&](const Network& network) { return journal.accuracy(network, judge); });
    }
};

}  // namespace

TEST_CASE("a search cut off anywhere goes on from its journal and ends alike") {
    const test::ScratchFolder folder;
    Search whole;
    PruningJournal fresh(folder / "whole", "x", false);
    const auto expected = whole.run(fresh);
    REQUIRE(whole.judged == 5);
    REQUIRE(whole.pruned == 4);
    for (int cut = 1; cut <= 5; ++cut) {
        CAPTURE(cut);
        const auto place = folder / ("cut" + std::to_string(cut));
        Search first{.cut_off_at = cut};
        PruningJournal begun(place, "x", false);
        CHECK_THROWS_AS(first.run(begun), Interrupted);
        Search second;
        PruningJournal resumed(place, "x", true);
        const auto result = second.run(resumed);
        CHECK(result.decisions == expected.decisions);
        CHECK(result.best.nodes == expected.best.nodes);
        CHECK(result.last.provenance == expected.last.provenance);
        CHECK(second.judged == 6 - cut);
        CHECK(second.pruned == std::min(4, 6 - cut));
        CHECK(resumed.steps_read() == static_cast<std::size_t>(cut - 1));
    }
}

TEST_CASE("a journal of another search, or one that was not asked for, is refused") {
    const test::ScratchFolder folder;
    Search search{.cut_off_at = 3};
    PruningJournal begun(folder / "steps", "one", false);
    CHECK_THROWS_AS(search.run(begun), Interrupted);
    CHECK_THROWS_WITH_AS(PruningJournal(folder / "steps", "one", false),
                         doctest::Contains("--resume goes on from it"), InvalidInput);
    PruningJournal other(folder / "steps", "two", true);
    Search again;
    CHECK_THROWS_WITH_AS(again.run(other), doctest::Contains("another search"), InvalidInput);
}
