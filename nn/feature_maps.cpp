#include "nn/feature_maps.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace kirchnet {
namespace {

/// Output positions whose input coordinate o * stride + offset lies within [0, size).
struct Span {
    std::size_t begin;
    std::size_t end;
};

Span valid_outputs(std::size_t outputs, std::size_t size, std::size_t stride,
                   std::ptrdiff_t offset) {
    const auto step = static_cast<std::ptrdiff_t>(stride);
    const std::ptrdiff_t begin = offset >= 0 ? 0 : (-offset + step - 1) / step;
    const std::ptrdiff_t last = static_cast<std::ptrdiff_t>(size) - 1 - offset;
    const std::ptrdiff_t end = last < 0 ? 0 : last / step + 1;
    const auto count = static_cast<std::ptrdiff_t>(outputs);
    return {static_cast<std::size_t>(std::min(begin, count)),
            static_cast<std::size_t>(std::clamp(end, std::min(begin, count), count))};
}

/// One row of patches: kernel position (ky, kx) of one input channel, over all images.
void gather_row(const LayerGeometry& g, const float* channel, std::size_t images, std::size_t ky,
                std::size_t kx, float* out) {
    const auto dy = static_cast<std::ptrdiff_t>(ky) - static_cast<std::ptrdiff_t>(g.padding);
    const auto dx = static_cast<std::ptrdiff_t>(kx) - static_cast<std::ptrdiff_t>(g.padding);
    const Span ys = valid_outputs(g.output.height, g.input.height, g.stride, dy);
    const Span xs = valid_outputs(g.output.width, g.input.width, g.stride, dx);
    std::fill(out, out + images * g.positions(), 0.0F);
    for (std::size_t image = 0; image < images; ++image)
        for (std::size_t y = ys.begin; y < ys.end; ++y) {
            const auto iy = static_cast<std::ptrdiff_t>(y * g.stride) + dy;
            const float* source =
                channel + (image * g.input.height + static_cast<std::size_t>(iy)) * g.input.width;
            float* target = out + (image * g.output.height + y) * g.output.width;
            if (g.stride == 1)
                std::copy(source + static_cast<std::ptrdiff_t>(xs.begin) + dx,
                          source + static_cast<std::ptrdiff_t>(xs.end) + dx, target + xs.begin);
            else
                for (std::size_t x = xs.begin; x < xs.end; ++x)
                    target[x] = source[static_cast<std::ptrdiff_t>(x * g.stride) + dx];
        }
}

float sigmoid(float x) {
    return 1.0F / (1.0F + std::exp(-x));
}

float hard_sigmoid(float x) {
    return std::clamp(x / 6.0F + 0.5F, 0.0F, 1.0F);
}

/// ln(1 + exp(x)); for large x it is x.
float softplus(float x) {
    constexpr float linear_from = 20.0F;  // exp(-20) is below half a unit in the last place of 20
    return x > linear_from ? x : std::log1p(std::exp(x));
}

ChannelNorm channel_norm(const BatchNormOp& norm, std::size_t c) {
    const float scale =
        norm.weight.values[c] / std::sqrt(norm.running_variance.values[c] + norm.epsilon);
    return {scale, norm.bias.values[c] - norm.running_mean.values[c] * scale};
}

struct Apply {
    const std::vector<const FeatureMaps*>& in;
    FeatureMaps& out;

    // Run by the layer driver and the loader.
    void operator()(const InputOp&) const {}
    void operator()(const ConvOp&) const {}
    void operator()(const LinearOp&) const {}

    void operator()(const BatchNormOp& norm) const {
        out.resize(in[0]->shape, in[0]->images);
        for (std::size_t c = 0; c < out.shape.channels; ++c)
            std::transform(
                in[0]->channel(c), in[0]->channel(c) + in[0]->plane(), out.channel(c),
                [of = channel_norm(norm, c)](float x) { return x * of.scale + of.shift; });
    }
    void operator()(const ReluOp&) const {
        out.resize(in[0]->shape, in[0]->images);
        std::transform(in[0]->values.begin(), in[0]->values.end(), out.values.begin(),
                       [](float x) { return x > 0 ? x : 0; });
    }
    void operator()(const ActivationOp& activation) const {
        out.resize(in[0]->shape, in[0]->images);
        activate(activation, in[0]->values.data(), out.values.size(), out.values.data());
    }
    void operator()(const AddOp&) const {
        out.resize(in[0]->shape, in[0]->images);
        std::transform(in[0]->values.begin(), in[0]->values.end(), in[1]->values.begin(),
                       out.values.begin(), [](float x, float y) { return x + y; });
    }
    void operator()(const ConcatOp&) const {
        ImageShape shape{0, in[0]->shape.height, in[0]->shape.width};
        for (const FeatureMaps* part : in) shape.channels += part->shape.channels;
        out.resize(shape, in[0]->images);
        auto target = out.values.begin();
        for (const FeatureMaps* part : in)
            target = std::copy(part->values.begin(), part->values.end(), target);
    }
    void operator()(const SliceOp& slice) const {
        out.resize({slice.count, in[0]->shape.height, in[0]->shape.width}, in[0]->images);
        std::copy_n(in[0]->channel(slice.first), out.values.size(), out.values.begin());
    }
    void operator()(const UpsampleOp& upsample) const;
    void operator()(const PoolOp& pool) const;
    void operator()(const PadShortcutOp& shortcut) const;
};

void Apply::operator()(const UpsampleOp& upsample) const {
    const ImageShape& shape = in[0]->shape;
    const std::size_t factor = upsample.factor;
    out.resize({shape.channels, shape.height * factor, shape.width * factor}, in[0]->images);
    const float* source = in[0]->values.data();
    float* target = out.values.data();
    const std::size_t width = shape.width * factor;
    for (std::size_t row = 0; row < shape.channels * out.images * shape.height; ++row) {
        for (std::size_t x = 0; x < width; ++x) target[x] = source[x / factor];
        for (std::size_t copy = 1; copy < factor; ++copy)
            std::copy_n(target, width, target + copy * width);
        source += shape.width;
        target += factor * width;
    }
}

/// Rows (or columns) of the image that lie under window `at`.
Span under_window(const PoolOp& pool, std::size_t at, std::size_t size) {
    const std::size_t from = at * pool.stride;
    return {std::max(from, pool.padding) - pool.padding,
            std::min(from + pool.kernel - pool.padding, size)};
}

/// Combines the pixels under every window of one map: first down the columns of a row of windows,
/// then along that row, so that both inner loops run over neighbours.
/// @param row  as wide as the image
template <typename Combine>
void pool_windows(const PoolOp& pool, const ImageShape& from, const ImageShape& to,
                  const float* image, float start, Combine combine, std::vector<float>& row,
                  float* out) {
    for (std::size_t y = 0; y < to.height; ++y, out += to.width) {
        const Span ys = under_window(pool, y, from.height);
        std::fill(row.begin(), row.end(), start);
        for (std::size_t iy = ys.begin; iy < ys.end; ++iy)
            std::transform(row.begin(), row.end(), image + iy * from.width, row.begin(), combine);
        std::fill_n(out, to.width, start);
        for (std::size_t kx = 0; kx < pool.kernel; ++kx) {
            const auto offset =
                static_cast<std::ptrdiff_t>(kx) - static_cast<std::ptrdiff_t>(pool.padding);
            const Span xs = valid_outputs(to.width, from.width, pool.stride, offset);
            for (std::size_t x = xs.begin; x < xs.end; ++x)
                out[x] = combine(out[x], row[x * pool.stride + kx - pool.padding]);
        }
    }
}

/// From sums to averages.
void divide_windows(const PoolOp& pool, const ImageShape& from, const ImageShape& to, float* out) {
    const auto whole = static_cast<float>(pool.kernel * pool.kernel);
    for (std::size_t y = 0; y < to.height; ++y) {
        const Span ys = under_window(pool, y, from.height);
        for (std::size_t x = 0; x < to.width; ++x) {
            const Span xs = under_window(pool, x, from.width);
            const auto inside = static_cast<float>((ys.end - ys.begin) * (xs.end - xs.begin));
            *out++ /= pool.counts_padding ? whole : inside;
        }
    }
}

float pool_map(const PoolOp& pool, const float* image, std::size_t pixels) {
    if (pool.kind == PoolOp::Kind::maximum) return *std::max_element(image, image + pixels);
    float sum = 0;
    for (std::size_t i = 0; i < pixels; ++i) sum += image[i];
    return sum / static_cast<float>(pixels);
}

void Apply::operator()(const PoolOp& pool) const {
    const ImageShape& shape = in[0]->shape;
    const std::size_t pixels = shape.height * shape.width;
    const auto side = [&](std::size_t size) {
        return (size + 2 * pool.padding + pool.extra_padding - pool.kernel) / pool.stride + 1;
    };
    const bool global = pool.kernel == 0;
    out.resize({shape.channels, global ? 1 : side(shape.height), global ? 1 : side(shape.width)},
               in[0]->images);
    const bool average = pool.kind == PoolOp::Kind::average;
    thread_local std::vector<float> row;  // kept, so that blocks of images allocate nothing
    row.resize(shape.width);
    const float* source = in[0]->values.data();
    float* target = out.values.data();
    for (std::size_t map = 0; map < shape.channels * out.images; ++map) {
        if (global) {
            *target = pool_map(pool, source, pixels);
        } else if (average) {
            pool_windows(pool, shape, out.shape, source, 0.0F, std::plus<>(), row, target);
            divide_windows(pool, shape, out.shape, target);
        } else {
            pool_windows(
                pool, shape, out.shape, source, -std::numeric_limits<float>::infinity(),
                [](float a, float b) { return a < b ? b : a; }, row, target);
        }
        source += pixels;
        target += out.shape.height * out.shape.width;
    }
}

void Apply::operator()(const PadShortcutOp& shortcut) const {
    const ImageShape& shape = in[0]->shape;
    const std::size_t step = shortcut.stride;
    out.resize(
        {shortcut.out_channels, (shape.height + step - 1) / step, (shape.width + step - 1) / step},
        in[0]->images);
    std::fill(out.values.begin(), out.values.end(), 0.0F);
    const std::size_t before = (shortcut.out_channels - shape.channels) / 2;
    for (std::size_t c = 0; c < shape.channels; ++c) {
        float* target = out.channel(before + c);
        for (std::size_t image = 0; image < out.images; ++image)
            for (std::size_t y = 0; y < out.shape.height; ++y)
                for (std::size_t x = 0; x < out.shape.width; ++x)
                    *target++ = in[0]->channel(
                        c)[(image * shape.height + y * step) * shape.width + x * step];
    }
}

}  // namespace

void FeatureMaps::resize(const ImageShape& new_shape, std::size_t new_images) {
    shape = new_shape;
    images = new_images;
    values.resize(new_images * new_shape.size());
}

void load_images(const Network& network, const LabelledImages& images, std::size_t first,
                 std::size_t count, FeatureMaps& out) {
    out.resize(network.input, count);
    const std::size_t pixels = network.input.height * network.input.width;
    for (std::size_t c = 0; c < network.input.channels; ++c)
        for (std::size_t i = 0; i < count; ++i) {
            const auto* source =
                images.pixels.data() + ((first + i) * network.input.channels + c) * pixels;
            std::transform(source, source + pixels, out.channel(c) + i * pixels,
                           [&](std::uint8_t pixel) {
                               return (static_cast<float>(pixel) / 255.0F - network.mean[c]) /
                                      network.deviation[c];
                           });
        }
}

void gather_patches(const LayerGeometry& geometry, const FeatureMaps& in, std::size_t group,
                    std::size_t first_row, std::size_t rows, std::vector<float>& out) {
    const std::size_t columns = in.images * geometry.positions();
    const std::size_t kernel = geometry.kernel_height * geometry.kernel_width;
    const std::size_t first_channel = group * geometry.input.channels / geometry.groups;
    if (out.size() < rows * columns) out.resize(rows * columns);
    for (std::size_t i = 0; i < rows; ++i) {
        const std::size_t row = first_row + i;
        gather_row(geometry, in.channel(first_channel + row / kernel), in.images,
                   row % kernel / geometry.kernel_width, row % geometry.kernel_width,
                   out.data() + i * columns);
    }
}

std::vector<ChannelNorm> channel_norms(const BatchNormOp& norm) {
    std::vector<ChannelNorm> norms(norm.weight.values.size());
    for (std::size_t c = 0; c < norms.size(); ++c) norms[c] = channel_norm(norm, c);
    return norms;
}

void activate(const ActivationOp& activation, const float* in, std::size_t size, float* out) {
    using Kind = ActivationOp::Kind;
    const auto map_values = [&](auto function) { std::transform(in, in + size, out, function); };
    switch (activation.kind) {
        case Kind::leaky_relu:
            return map_values(
                [slope = activation.slope](float x) { return x > 0 ? x : slope * x; });
        case Kind::relu6:
            return map_values([](float x) { return std::clamp(x, 0.0F, 6.0F); });
        case Kind::sigmoid:
            return map_values(sigmoid);
        case Kind::tanh:
            return map_values([](float x) { return std::tanh(x); });
        case Kind::silu:
            return map_values([](float x) { return x * sigmoid(x); });
        case Kind::mish:
            return map_values([](float x) { return x * std::tanh(softplus(x)); });
        case Kind::hard_sigmoid:
            return map_values(hard_sigmoid);
        case Kind::hard_swish:
            return map_values([](float x) { return x * hard_sigmoid(x); });
    }
}

void apply(const Operation& operation, const std::vector<const FeatureMaps*>& in,
           FeatureMaps& out) {
    std::visit(Apply{in, out}, operation);
}

}  // namespace kirchnet
