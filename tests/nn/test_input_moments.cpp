#include <doctest/doctest.h>
#include <tbb/global_control.h>

#include "circuit/ideal_solver.hpp"
#include "nn/inference.hpp"
#include "nn/input_moments.hpp"
#include "small_networks.hpp"
#include "small_tiles.hpp"

using namespace kirchnet;

namespace {

const SolverFactory ideal = [] { return std::make_unique<IdealSolver>(); };

}  // namespace

TEST_CASE("moments are those of the patches that images put on a tile's rows") {
    const Graph graph(test::small_network());
    const auto images = test::random_images(graph.network().input, 5);
    const auto layers =
        extract_operators(graph, test::small_tiles(Mapping::differential, 0), std::nullopt, ideal);
    const auto moments = observe_moments(graph, layers, test::continuous_dacs(graph), images);
    for (std::size_t layer = 0; layer < 3; ++layer) {
        REQUIRE(has_moments(layers[layer], moments[layer]));
        const auto geometry = graph.geometry(layer);
        for (const InputMoments& of : moments[layer]) {
            Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(static_cast<Index>(of.rows + 1),
                                                        static_cast<Index>(of.rows + 1));
            for (std::size_t image = 0; image < 5; ++image)
                for (std::size_t at = 0; at < geometry.positions(); ++at) {
                    const auto patch = layer_inputs(graph, software_drivers(graph), images, image,
                                                    layer, 0, at, geometry.groups);
                    Eigen::VectorXd v(of.rows + 1);
                    for (std::size_t row = 0; row < of.rows; ++row)
                        v(static_cast<Index>(row)) =
                            patch[of.group * geometry.rows_per_group() + of.first_row + row];
                    v(static_cast<Index>(of.rows)) = 1;
                    sum += v * v.transpose();
                }
            sum /= static_cast<double>(5 * geometry.positions());
            // Continuous inputs are taken to 1/4096 of the DAC's range.
            CHECK((of.second - sum).cwiseAbs().maxCoeff() < 1e-3 * (1 + sum.cwiseAbs().maxCoeff()));
        }
    }
    const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
    const auto alone = observe_moments(graph, layers, test::continuous_dacs(graph), images);
    for (std::size_t layer = 0; layer < 3; ++layer)
        for (std::size_t i = 0; i < moments[layer].size(); ++i)
            CHECK(alone[layer][i].second == moments[layer][i].second);
}
