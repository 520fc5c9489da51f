#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "circuit/geometry.hpp"
#include "data/network.hpp"

namespace kirchnet {

/// A weighted layer as the matrix product it is: every output pixel is W [outputs × rows] times the
/// patch [rows] under the kernel. A fully connected layer is a convolution whose kernel covers the
/// whole input.
struct LayerGeometry {
    ImageShape input;
    ImageShape output;
    std::size_t kernel_height = 1;
    std::size_t kernel_width = 1;
    std::size_t stride = 1;
    std::size_t padding = 0;
    std::size_t groups = 1;

    /// Rows of one group's weight matrix: (ic, ky, kx) in that order, kx fastest.
    [[nodiscard]] std::size_t rows_per_group() const {
        return input.channels / groups * kernel_height * kernel_width;
    }
    [[nodiscard]] std::size_t outputs_per_group() const { return output.channels / groups; }
    [[nodiscard]] std::size_t positions() const { return output.height * output.width; }
};

/// A network that can run: every reference resolved, every shape inferred, every tensor checked.
class Graph {
  public:
    /// @throws InvalidInput  naming the node whose input, shape or weight does not fit
    explicit Graph(Network network);

    [[nodiscard]] const Network& network() const { return network_; }
    [[nodiscard]] std::size_t size() const { return network_.nodes.size(); }
    [[nodiscard]] const Node& node(std::size_t index) const { return network_.nodes[index]; }
    [[nodiscard]] const std::vector<std::size_t>& inputs(std::size_t index) const {
        return inputs_[index];
    }
    [[nodiscard]] const ImageShape& shape(std::size_t index) const { return shapes_[index]; }
    /// Nodes that become crossbars (convolutions and linear layers), in order.
    [[nodiscard]] const std::vector<std::size_t>& layers() const { return layers_; }
    /// Whether the network finds objects instead of naming the whole image.
    [[nodiscard]] bool is_detector() const { return !network_.heads.empty(); }
    [[nodiscard]] std::size_t classes() const {
        return is_detector() ? network_.detection_classes : shapes_.back().size();
    }
    /// Nodes whose maps are read from outside: a detector's heads, or the last node.
    [[nodiscard]] const std::vector<std::size_t>& outputs() const { return outputs_; }

    /// Position within `layers()` of the layer called `name`.
    /// @throws InvalidInput  listing the layers there are
    [[nodiscard]] std::size_t find_layer(std::string_view name) const;
    /// @param layer  position within `layers()`
    [[nodiscard]] LayerGeometry geometry(std::size_t layer) const;
    /// [outputs × rows per group], output channel slowest.
    [[nodiscard]] const Tensor& weights(std::size_t layer) const;
    /// [outputs], or no values.
    [[nodiscard]] const Tensor& bias(std::size_t layer) const;
    [[nodiscard]] const std::string& layer_name(std::size_t layer) const {
        return node(layers_[layer]).name;
    }

  private:
    Network network_;
    std::vector<std::vector<std::size_t>> inputs_;
    std::vector<ImageShape> shapes_;
    std::vector<std::size_t> layers_;
    std::vector<std::size_t> outputs_;
};

}  // namespace kirchnet
