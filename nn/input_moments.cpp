#include "nn/input_moments.hpp"

#include <tbb/enumerable_thread_specific.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "nn/detail/product_kernels.hpp"

namespace kirchnet {
namespace {

/// Whole numbers that stand for inputs while moments are added up: sums of their products are exact
/// in double, in whatever order threads come to them.
double codes_of(const Dac& dac) {
    constexpr double of_continuous = 4096;
    return dac.bits == 0 ? of_continuous : dac.levels();
}

/// Inputs as those whole numbers.
void convert(const Dac& dac, std::vector<float>& values) {
    const double codes = codes_of(dac);
    if (dac.bits == 0) {
        const auto scale = static_cast<float>(codes / dac.range);
        for (float& value : values) value = std::round(value * scale);
        return;
    }
    const detail::DacCodes of{static_cast<float>(codes / dac.range), 1.0F,
                              static_cast<float>(dac.is_signed ? -codes : 0),
                              static_cast<float>(codes)};
    detail::product_kernels().convert(values.data(), values.size(), of, values.data());
}

LayerMoments rows_of_tiles(const LayerOperators& layer) {
    LayerMoments moments;
    for (const TileOperator& tile : layer.tiles) {
        if (find_moments(moments, tile) != nullptr) continue;
        const auto size = static_cast<Index>(tile.rows + 1);
        moments.push_back(
            {tile.group, tile.first_row, tile.rows, Eigen::MatrixXd::Zero(size, size)});
    }
    return moments;
}

/// A kernel's place in one image of a block.
struct KernelPlace {
    std::size_t image;
    std::size_t y;
    std::size_t x;
};

/// Of each image all places, or 32 spread by the golden ratio, others in each image of a block.
std::vector<KernelPlace> sampled_places(const LayerGeometry& geometry, std::size_t images) {
    constexpr std::size_t most = 32;
    const std::size_t positions = geometry.positions();
    const std::size_t width = geometry.output.width;
    std::vector<KernelPlace> places;
    for (std::size_t image = 0; image < images; ++image)
        for (std::size_t i = 0; i < std::min(most, positions); ++i) {
            const double turns = static_cast<double>(image * most + i) * std::numbers::phi;
            const double share = turns - std::floor(turns);
            const auto spread = static_cast<std::size_t>(share * static_cast<double>(positions));
            const std::size_t at = positions <= most ? i : std::min(spread, positions - 1);
            places.push_back({image, at / width, at % width});
        }
    return places;
}

/// What one row of a layer's patch matrix has at these places; 0 in the padding.
void add_patch_row(const LayerGeometry& geometry, const FeatureMaps& in, std::size_t row,
                   const std::vector<KernelPlace>& places, std::vector<float>& out) {
    const std::size_t pixels = geometry.kernel_height * geometry.kernel_width;
    const float* const channel = in.channel(row / pixels);
    const std::size_t down = row % pixels / geometry.kernel_width;
    const std::size_t right = row % geometry.kernel_width;
    for (const KernelPlace& place : places) {
        // What lies before the first pixel wraps around to beyond the last.
        const std::size_t y = place.y * geometry.stride + down - geometry.padding;
        const std::size_t x = place.x * geometry.stride + right - geometry.padding;
        const bool inside = y < in.shape.height && x < in.shape.width;
        out.push_back(inside ? channel[(place.image * in.shape.height + y) * in.shape.width + x]
                             : 0.0F);
    }
}

/// One thread's sums of products of input codes.
class MomentSums {
  public:
    MomentSums(const Graph& graph, const std::vector<Dac>& dacs,
               const std::vector<LayerMoments>& empty)
        : graph_(graph), dacs_(dacs), sums_(empty), samples_(empty.size(), 0) {}

    void add(std::size_t layer, const FeatureMaps& in) {
        const LayerGeometry geometry = graph_.geometry(layer);
        const std::vector<KernelPlace> places = sampled_places(geometry, in.images);
        for (InputMoments& sum : sums_[layer]) {
            const Eigen::MatrixXd v = codes(layer, geometry, sum, in, places);
            sum.second.selfadjointView<Eigen::Lower>().rankUpdate(v);
        }
        samples_[layer] += places.size();
    }

    void merge(const MomentSums& other) {
        for (std::size_t layer = 0; layer < sums_.size(); ++layer) {
            samples_[layer] += other.samples_[layer];
            for (std::size_t i = 0; i < sums_[layer].size(); ++i)
                sums_[layer][i].second += other.sums_[layer][i].second;
        }
    }

    [[nodiscard]] std::vector<LayerMoments> moments() const {
        std::vector<LayerMoments> result = sums_;
        for (std::size_t layer = 0; layer < result.size(); ++layer) {
            const double full = codes_of(dacs_[layer]);
            const double whole = full * full * static_cast<double>(samples_[layer]);
            for (InputMoments& of : result[layer])
                of.second = Eigen::MatrixXd(of.second.selfadjointView<Eigen::Lower>()) / whole;
        }
        return result;
    }

  private:
    /// [rows + 1 × places]
    [[nodiscard]] Eigen::MatrixXd codes(std::size_t layer, const LayerGeometry& geometry,
                                        const InputMoments& of, const FeatureMaps& in,
                                        const std::vector<KernelPlace>& places) const {
        const std::size_t first = of.group * geometry.rows_per_group() + of.first_row;
        std::vector<float> values;
        values.reserve(of.rows * places.size());
        for (std::size_t row = first; row < first + of.rows; ++row)
            add_patch_row(geometry, in, row, places, values);
        convert(dacs_[layer], values);
        const auto rows = static_cast<Index>(of.rows);
        const auto columns = static_cast<Index>(places.size());
        Eigen::MatrixXd v(rows + 1, columns);
        v.topRows(rows) =
            Eigen::Map<const PositionMatrix>(values.data(), rows, columns).cast<double>();
        v.row(rows).setConstant(codes_of(dacs_[layer]));
        return v;
    }

    const Graph& graph_;
    const std::vector<Dac>& dacs_;
    std::vector<LayerMoments> sums_;
    std::vector<std::size_t> samples_;  ///< per layer
};

}  // namespace

const InputMoments* find_moments(const LayerMoments& layer, const TileOperator& tile) {
    const auto found = std::find_if(layer.begin(), layer.end(), [&](const InputMoments& of) {
        return of.group == tile.group && of.first_row == tile.first_row;
    });
    return found == layer.end() ? nullptr : &*found;
}

bool has_moments(const LayerOperators& layer, const LayerMoments& moments) {
    const LayerMoments wanted = rows_of_tiles(layer);
    return std::equal(wanted.begin(), wanted.end(), moments.begin(), moments.end(),
                      [](const InputMoments& x, const InputMoments& y) {
                          return x.group == y.group && x.first_row == y.first_row &&
                                 x.rows == y.rows;
                      });
}

std::vector<LayerMoments> observe_moments(const Graph& graph,
                                          const std::vector<LayerOperators>& layers,
                                          const std::vector<Dac>& dacs,
                                          const LabelledImages& images, const Progress& progress) {
    std::vector<LayerMoments> empty;
    for (const LayerOperators& layer : layers) empty.push_back(rows_of_tiles(layer));
    tbb::enumerable_thread_specific<MomentSums> sums(
        [&] { return MomentSums(graph, dacs, empty); });
    visit_layers(
        graph, software_drivers(graph), images,
        [&](std::size_t layer, const FeatureMaps& in) { sums.local().add(layer, in); }, progress);
    MomentSums total(graph, dacs, empty);
    for (const MomentSums& of_thread : sums) total.merge(of_thread);
    return total.moments();
}

}  // namespace kirchnet
