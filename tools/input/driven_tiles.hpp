#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "circuit/layer.hpp"
#include "nn/tiling.hpp"
#include "tools/input/network_input.hpp"

namespace kirchnet {

/// A tile of a network.
struct TileChoice {
    Mapping mapping;
    std::size_t layer;
    TilePlace place;
};

/// A layer of a network, mapped.
struct LayerChoice {
    Mapping mapping;
    std::size_t layer;
};

/// Tiles of an experiment's network with read voltages: those of a real image where data is given,
/// else random ones between 0 V and the read voltage. `number` says which image and read, or which
/// random voltages.
class DrivenTiles {
  public:
    explicit DrivenTiles(const Experiment& experiment);

    [[nodiscard]] const Graph& graph() const { return graph_; }

    /// At an output pixel that `number` chooses as well.
    [[nodiscard]] LayerTile tile(const TileChoice& choice, std::size_t number) const;
    /// Every tile of a layer, driven by one image at the middle output pixel in one read.
    [[nodiscard]] std::vector<LayerTile> layer(const LayerChoice& choice, std::size_t number) const;
    /// The amplifiers of a layer, R_f as inference takes it; nothing where read-out is ideal.
    [[nodiscard]] std::optional<LinearReadout> readout(const LayerChoice& choice) const;

    /// `layer1.0.conv1 tile 0,1 two_column`
    [[nodiscard]] std::string name_of(const TileChoice& choice) const;

  private:
    [[nodiscard]] Tile make_tile(const TileChoice& choice) const;
    [[nodiscard]] Eigen::VectorXd image_voltages(const Tile& tile, std::size_t number,
                                                 std::size_t position) const;

    const Experiment& experiment_;
    Graph graph_;
    std::optional<FaultSource> faults_;
    std::map<Mapping, std::shared_ptr<const GivenArrays>> given_;  ///< null: none
    std::optional<ImageDrive> drive_;
};

}  // namespace kirchnet
