#include "tools/pruning/pruning_journal.hpp"

#include <fmt/format.h>

#include <utility>

#include "circuit/error.hpp"
#include "data/network_file.hpp"

namespace kirchnet {
namespace {

namespace fs = std::filesystem;

const std::string identity_key = "search_identity";
const std::string accuracy_key = "search_accuracy";

}  // namespace

PruningJournal::PruningJournal(fs::path folder, std::string identity, bool resume)
    : folder_(std::move(folder)), identity_(std::move(identity)) {
    if (fs::exists(folder_) && !resume)
        throw InvalidInput(folder_.string(),
                           "is there already, from a search that did not end: --resume goes on "
                           "from it; remove it to begin anew");
}

fs::path PruningJournal::file() const {
    return folder_ / fmt::format("step-{:03}.h5", step_);
}

fs::path PruningJournal::checkpoint() const {
    return folder_ / fmt::format("step-{:03}.checkpoint", step_);
}

std::optional<Network> PruningJournal::read() const {
    if (!fs::exists(file())) return std::nullopt;
    Network network = read_network(file());
    const auto& provenance = network.provenance;
    const auto identity = provenance.find(identity_key);
    if (identity == provenance.end() || identity->second != identity_)
        throw InvalidInput(file().string(),
                           "is a step of another search: other network, images or settings; remove "
                           "the folder to begin anew");
    return network;
}

Network PruningJournal::pruned(const Network& network, const PruningRatios& ratios,
                               const LayerPruner& prune) {
    ++step_;
    auto known = read();
    if (!known) return prune(network, ratios);
    known->provenance.erase(identity_key);
    known->provenance.erase(accuracy_key);
    return *std::move(known);
}

double PruningJournal::accuracy(const Network& network, const NetworkEvaluator& judge) {
    if (const auto known = read()) {
        ++steps_read_;
        return std::stod(known->provenance.at(accuracy_key));
    }
    const double accuracy = judge(network);
    Network judged = network;
    judged.provenance[identity_key] = identity_;
    judged.provenance[accuracy_key] = fmt::format("{:.17g}", accuracy);
    std::error_code failure;
    fs::create_directories(folder_, failure);
    if (failure) throw FileError(folder_.string(), "cannot be made: " + failure.message());
    write_network(file(), judged);
    fs::remove(checkpoint());
    return accuracy;
}

}  // namespace kirchnet
