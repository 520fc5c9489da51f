#include "nn/feature_maps.hpp"

#include <algorithm>
#include <cmath>
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
    void operator()(const AddOp&) const {
        out.resize(in[0]->shape, in[0]->images);
        std::transform(in[0]->values.begin(), in[0]->values.end(), in[1]->values.begin(),
                       out.values.begin(), [](float x, float y) { return x + y; });
    }
    void operator()(const PoolOp& pool) const;
    void operator()(const PadShortcutOp& shortcut) const;
};

float pool_window(const PoolOp& pool, const ImageShape& shape, const float* image, std::size_t y,
                  std::size_t x) {
    const bool global = pool.kernel == 0;
    const std::size_t height = global ? shape.height : pool.kernel;
    const std::size_t width = global ? shape.width : pool.kernel;
    const bool average = pool.kind == PoolOp::Kind::average;
    float value = average ? 0 : -std::numeric_limits<float>::infinity();
    for (std::size_t ky = 0; ky < height; ++ky)
        for (std::size_t kx = 0; kx < width; ++kx) {
            // Wraps to a huge number left of the image, which the bounds check refuses too.
            const std::size_t iy = y * pool.stride + ky - pool.padding;
            const std::size_t ix = x * pool.stride + kx - pool.padding;
            if (iy >= shape.height || ix >= shape.width) continue;
            const float pixel = image[iy * shape.width + ix];
            value = average ? value + pixel : std::max(value, pixel);
        }
    return average ? value / static_cast<float>(height * width) : value;
}

void Apply::operator()(const PoolOp& pool) const {
    const ImageShape& shape = in[0]->shape;
    const auto side = [&](std::size_t size) {
        return pool.kernel == 0 ? 1 : (size + 2 * pool.padding - pool.kernel) / pool.stride + 1;
    };
    out.resize({shape.channels, side(shape.height), side(shape.width)}, in[0]->images);
    for (std::size_t c = 0; c < shape.channels; ++c) {
        float* target = out.channel(c);
        for (std::size_t image = 0; image < out.images; ++image) {
            const float* source = in[0]->channel(c) + image * shape.height * shape.width;
            for (std::size_t y = 0; y < out.shape.height; ++y)
                for (std::size_t x = 0; x < out.shape.width; ++x)
                    *target++ = pool_window(pool, shape, source, y, x);
        }
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

void apply(const Operation& operation, const std::vector<const FeatureMaps*>& in,
           FeatureMaps& out) {
    std::visit(Apply{in, out}, operation);
}

}  // namespace kirchnet
