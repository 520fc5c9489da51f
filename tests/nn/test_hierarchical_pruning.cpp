// Algorithm 1 of Yuan et al., ISQED 2021, on accuracies that are made up, so that every decision
// can be worked out by hand.
#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <map>

#include "circuit/error.hpp"
#include "nn/hierarchical_pruning.hpp"

using namespace kirchnet;

namespace {

LinearOp linear(std::size_t weights) {
    LinearOp op;
    op.weight.shape = {1, weights};
    for (std::size_t i = 0; i < weights; ++i)
        op.weight.values.push_back(1.0F + static_cast<float>(i));
    return op;
}

/// Not in order of size: d has 40 weights, b and c have 20 each, a has 10.
Network four_layers() {
    Network network;
    network.name = "four layers";
    network.nodes = {{"image", InputOp{}, {}},
                     {"b", linear(20), {"image"}},
                     {"d", linear(40), {"b"}},
                     {"a", linear(10), {"d"}},
                     {"c", linear(20), {"a"}}};
    return network;
}

double ratio_of(const Network& network, const std::string& layer) {
    for (const Node& node : network.nodes)
        if (node.name == layer) return node.pruned_ratio;
    return -1;
}

Network prune(const Network& network, const PruningRatios& ratios) {
    Network pruned = network;
    prune_by_magnitude(pruned, ratios);
    return pruned;
}

/// a breaks beyond 0.2, b and c beyond 0.4; d gains 0.02 per unit pruned.
double made_up_accuracy(const Network& network) {
    double accuracy = 0.8 + 0.02 * ratio_of(network, "d");
    if (ratio_of(network, "a") > 0.3) accuracy -= 0.05;
    if (ratio_of(network, "b") > 0.5) accuracy -= 0.03;
    if (ratio_of(network, "c") > 0.5) accuracy -= 0.02;
    return accuracy;
}

/// Accuracy by the ratio of layer d alone.
NetworkEvaluator by_ratio(std::map<double, double> accuracy) {
    return [accuracy = std::move(accuracy)](const Network& network) {
        return accuracy.at(ratio_of(network, "d"));
    };
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("blocks are layers of equal size, the smallest first") {
    CHECK(pruning_blocks(four_layers()) ==
          std::vector<PruningBlock>{{10, {"a"}}, {20, {"b", "c"}}, {40, {"d"}}});
}

TEST_CASE("by the paper's text a ratio is tried again on the blocks that are left") {
    // p    on          Acc(M_cur)  Acc(M)
    // 0.2  a, b, c, d  0.800       0.804                     taken
    // 0.4  a, b, c, d  0.804       0.808 - 0.05 = 0.758      a given up
    // 0.4  b, c, d     0.804       0.808                     taken
    // 0.6  b, c, d     0.808       0.812 - 0.05 = 0.762      b and c given up
    // 0.6  d           0.808       0.812                     taken
    const auto result = prune_hierarchically(
        four_layers(), {.candidates = {0.2, 0.4, 0.6}, .threshold = 0.01}, prune, made_up_accuracy);
    REQUIRE(result.decisions.size() == 5);
    const double ratios[] = {0.2, 0.4, 0.4, 0.6, 0.6};
    const double current[] = {0.8, 0.804, 0.804, 0.808, 0.808};
    const double pruned[] = {0.804, 0.758, 0.808, 0.762, 0.812};
    const bool taken[] = {true, false, true, false, true};
    const Names layers[] = {
        {"a", "b", "c", "d"}, {"a", "b", "c", "d"}, {"b", "c", "d"}, {"b", "c", "d"}, {"d"}};
    const Names given_up[] = {{}, {"a"}, {}, {"b", "c"}, {}};
    for (std::size_t i = 0; i < 5; ++i) {
        CAPTURE(i);
        const PruningDecision& decision = result.decisions[i];
        CHECK(decision.ratio == ratios[i]);
        CHECK(decision.current_accuracy == doctest::Approx(current[i]));
        CHECK(decision.pruned_accuracy == doctest::Approx(pruned[i]));
        CHECK(decision.taken == taken[i]);
        CHECK(decision.became_best == taken[i]);  // every step taken here gains
        CHECK(decision.layers == layers[i]);
        CHECK(decision.given_up == given_up[i]);
    }
    CHECK(result.first_accuracy == doctest::Approx(0.8));
    CHECK(result.best_accuracy == doctest::Approx(0.812));
    CHECK(result.best == result.last);
    CHECK(ratio_of(result.best, "a") == 0.2);
    CHECK(ratio_of(result.best, "b") == 0.4);
    CHECK(ratio_of(result.best, "c") == 0.4);
    CHECK(ratio_of(result.best, "d") == 0.6);
}

TEST_CASE("by the paper's listing the next ratio follows, taken or not") {
    // 0.2 on all: taken. 0.4 on all: a given up. 0.6 on b, c, d: 0.762, b and c given up. No
    // candidate is left for d.
    const auto result = prune_hierarchically(
        four_layers(), {.candidates = {0.2, 0.4, 0.6}, .threshold = 0.01, .advance_p = true}, prune,
        made_up_accuracy);
    REQUIRE(result.decisions.size() == 3);
    CHECK(result.decisions[0].taken);
    CHECK(result.decisions[1].given_up == Names{"a"});
    CHECK(result.decisions[2].given_up == Names{"b", "c"});
    CHECK(result.decisions[2].pruned_accuracy == doctest::Approx(0.762));
    CHECK(result.best_accuracy == doctest::Approx(0.804));
    for (const char* layer : {"a", "b", "c", "d"}) CHECK(ratio_of(result.last, layer) == 0.2);
}

TEST_CASE("it ends when every block was given up, and the network is as it was") {
    const auto accuracy = [](const Network& network) {
        for (const char* layer : {"a", "b", "c", "d"})
            if (ratio_of(network, layer) > 0) return 0.1;
        return 0.9;
    };
    const auto result = prune_hierarchically(four_layers(), {}, prune, accuracy);
    REQUIRE(result.decisions.size() == 3);
    CHECK(result.decisions[2].layers == Names{"d"});
    CHECK(result.best == four_layers());
    CHECK(result.last == four_layers());
}

TEST_CASE("a step that loses exactly the threshold is not taken") {
    // Eighths, so that 0.75 - 0.625 is 0.125 to the last bit.
    const auto accuracy = by_ratio({{0, 0.75}, {0.5, 0.625}});
    const auto decisions = [&](double threshold) {
        return prune_hierarchically(four_layers(), {.candidates = {0.5}, .threshold = threshold},
                                    prune, accuracy)
            .decisions;
    };
    CHECK_FALSE(decisions(0.125)[0].taken);
    CHECK(decisions(0.1251)[0].taken);
}

TEST_CASE("every step taken may lose up to the threshold, so that losses add up") {
    const auto result = prune_hierarchically(
        four_layers(), {.candidates = {0.2, 0.4, 0.6, 0.8}, .threshold = 0.01}, prune,
        by_ratio({{0, 0.9}, {0.2, 0.891}, {0.4, 0.882}, {0.6, 0.873}, {0.8, 0.864}}));
    CHECK(result.decisions.size() == 4);
    CHECK(result.last_accuracy == doctest::Approx(0.864));  // 3.6 points, at 1 point a step
    CHECK(result.best_accuracy == doctest::Approx(0.9));
    CHECK(result.best == four_layers());
    CHECK(ratio_of(result.last, "a") == 0.8);
}

TEST_CASE("as printed the best network is the last that beat the one before it") {
    const auto accuracy = by_ratio({{0, 0.80}, {0.2, 0.82}, {0.4, 0.811}, {0.6, 0.815}});
    HierarchicalPruningSettings settings{.candidates = {0.2, 0.4, 0.6}, .threshold = 0.01};
    const auto printed = prune_hierarchically(four_layers(), settings, prune, accuracy);
    CHECK(printed.best_accuracy == doctest::Approx(0.815));
    CHECK(ratio_of(printed.best, "d") == 0.6);
    settings.strict_best = true;
    const auto strict = prune_hierarchically(four_layers(), settings, prune, accuracy);
    CHECK(strict.best_accuracy == doctest::Approx(0.82));
    CHECK(ratio_of(strict.best, "d") == 0.2);
    CHECK(strict.last == printed.last);
    CHECK(strict.decisions[2].taken);
    CHECK_FALSE(strict.decisions[2].became_best);
}

TEST_CASE("ratios are shares of the whole layer, and no weight comes back") {
    Network network = four_layers();
    prune_by_magnitude(network, PruningRatios{0, {{"d", 0.5}}});
    const auto result = prune_hierarchically(network, {.candidates = {0.2, 0.4, 0.6}}, prune,
                                             [](const Network&) { return 0.5; });
    const auto zeros = [](const Network& its, const std::string& layer) {
        for (const Node& node : its.nodes)
            if (node.name == layer) {
                const auto& values = cell_weights(node.operation)->values;
                return std::count(values.begin(), values.end(), 0.0F);
            }
        return std::ptrdiff_t{-1};
    };
    CHECK(zeros(result.last, "b") == 12);  // 0.6 of 20
    CHECK(zeros(result.last, "d") == 24);
    const auto first = prune_hierarchically(network, {.candidates = {0.2}}, prune,
                                            [](const Network&) { return 0.5; });
    CHECK(zeros(first.last, "d") == 20);
    CHECK(ratio_of(first.last, "d") == 0.5);
}

TEST_CASE("each network is judged once") {
    std::size_t judged = 0;
    const auto result =
        prune_hierarchically(four_layers(), {.candidates = {0.2, 0.4, 0.6}, .threshold = 0.01},
                             prune, [&](const Network& network) {
                                 ++judged;
                                 return made_up_accuracy(network);
                             });
    CHECK(judged == 1 + result.decisions.size());
}

TEST_CASE("candidates and thresholds that make no sense are refused") {
    const auto refused = [](HierarchicalPruningSettings settings) {
        CHECK_THROWS_AS((void)prune_hierarchically(four_layers(), settings, prune,
                                                   [](const Network&) { return 0.5; }),
                        InvalidInput);
    };
    refused({.candidates = {}});
    refused({.candidates = {0.0}});
    refused({.candidates = {0.5, 1.0}});
    refused({.candidates = {0.5, 0.4}});
    refused({.candidates = {0.5, 0.5}});
    refused({.threshold = std::numeric_limits<double>::quiet_NaN()});
    Network empty;
    empty.nodes = {{"image", InputOp{}, {}}};
    CHECK_THROWS_AS(
        (void)prune_hierarchically(empty, {}, prune, [](const Network&) { return 0.5; }),
        InvalidInput);
}
