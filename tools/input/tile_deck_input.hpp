#pragma once

#include <optional>
#include <string>

#include "netlists/netlist_writer.hpp"
#include "nn/tiling.hpp"
#include "tools/arguments.hpp"
#include "tools/input/network_input.hpp"

namespace kirchnet {

/// Read voltages of a tile's word lines in use [V], and where they come from.
struct Drive {
    Eigen::VectorXd voltages;
    std::string comment;
};

/// Tiles of one network as a command was told to make and drive them.
class TileSource {
  public:
    /// @throws InvalidInput  when the arguments contradict each other or the network
    explicit TileSource(const NetlistArguments& arguments);

    [[nodiscard]] const Experiment& experiment() const { return experiment_; }
    [[nodiscard]] const Graph& graph() const { return graph_; }
    [[nodiscard]] const TileSettings& settings() const { return settings_; }

    [[nodiscard]] Tile tile(std::size_t layer, const TilePlace& place) const;
    /// The place that --tile and --slice name.
    [[nodiscard]] TilePlace place() const;
    [[nodiscard]] Drive drive(const WeightBlock& block) const;
    /// Read-out and comments of a deck, without converters.
    [[nodiscard]] TileDeckSettings deck(const Drive& drive) const;
    /// The same of one layer, with the network's converters where they are asked for.
    [[nodiscard]] TileDeckSettings deck(const Drive& drive, std::size_t layer) const;

  private:
    const NetlistArguments& arguments_;
    Experiment experiment_;
    ThreadLimit threads_;
    Graph graph_;
    TileSettings settings_;
    std::shared_ptr<const GivenArrays> given_;
    std::optional<FaultSource> faults_;
    std::optional<ImageDrive> images_;
    mutable std::vector<OutputAdc> converters_;  ///< per layer, once asked for
};

}  // namespace kirchnet
