// Compiled once per instruction set; KIRCHNET_ISA names the set. Plain loops over plain pointers,
// which compilers turn into vectors.
#include "nn/detail/map_kernels.hpp"

namespace kirchnet::detail::KIRCHNET_ISA {
namespace {

/// Columns of a plane's row that lie within the input: [begin, end).
struct Inside {
    std::size_t begin;
    std::size_t end;
};

Inside inside(const Spread& s, std::size_t phase) {
    // The first padded column p = i stride + phase that is at least `padding`, and at least
    // `padding + width`.
    const auto first_from = [&](std::size_t column) {
        const std::size_t i = column > phase ? (column - phase + s.stride - 1) / s.stride : 0;
        return i < s.plane_width ? i : s.plane_width;
    };
    return {first_from(s.padding), first_from(s.padding + s.width)};
}

/// to[i] = from[i stride]
inline void take_every(const float* __restrict from, std::size_t stride, std::size_t count,
                       float* __restrict to) {
    if (stride == 1)
        for (std::size_t i = 0; i < count; ++i) to[i] = from[i];
    else if (stride == 2)
        for (std::size_t i = 0; i < count; ++i) to[i] = from[2 * i];
    else
        for (std::size_t i = 0; i < count; ++i) to[i] = from[i * stride];
}

inline void zero(float* to, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) to[i] = 0;
}

inline void spread_row(const Spread& s, const float* row, std::size_t phase, Inside within,
                       float* to) {
    zero(to, within.begin);
    if (within.end > within.begin)
        take_every(row + (within.begin * s.stride + phase - s.padding), s.stride,
                   within.end - within.begin, to + within.begin);
    zero(to + within.end, s.plane_width - within.end);
}

void spread_plane(const Spread& s, std::size_t row_phase, std::size_t phase) {
    const Inside within = inside(s, phase);
    float* to = s.out + (row_phase * s.stride + phase) * s.plane;
    for (std::size_t i = 0; i < s.plane_height; ++i, to += s.plane_width) {
        const std::size_t padded = i * s.stride + row_phase;
        if (padded >= s.padding && padded < s.padding + s.height)
            spread_row(s, s.in + (padded - s.padding) * s.width, phase, within, to);
        else
            zero(to, s.plane_width);
    }
}

void spread(const Spread& s) {
    for (std::size_t row_phase = 0; row_phase < s.row_phases; ++row_phase)
        for (std::size_t phase = 0; phase < s.column_phases; ++phase)
            spread_plane(s, row_phase, phase);
}

/// One span of an output.
template <bool HasShared, bool HasAddend>
void finish_span(const OutputEnd& end, const OutputSpan& span) {
    const float* const sum = end.sum + span.column;
    const float* const shared = HasShared ? end.shared + span.column : nullptr;
    const float* const addend = HasAddend ? end.addend + span.position : nullptr;
    float* const __restrict out = end.out + span.position;
    const float lowest = end.rectify ? 0.0F : -__builtin_inff();
    for (std::size_t i = 0; i < span.length; ++i) {
        float value = sum[i] * end.factor + end.shift;
        if constexpr (HasShared) value += shared[i] * end.shared_factor;
        if constexpr (HasAddend) value += addend[i];
        out[i] = value > lowest ? value : lowest;
    }
}

template <bool HasShared, bool HasAddend>
void finish_spans(const OutputEnd& end) {
    for (std::size_t i = 0; i < end.span_count; ++i)
        finish_span<HasShared, HasAddend>(end, end.spans[i]);
}

void finish(const OutputEnd& end) {
    if (end.shared != nullptr)
        end.addend != nullptr ? finish_spans<true, true>(end) : finish_spans<true, false>(end);
    else
        end.addend != nullptr ? finish_spans<false, true>(end) : finish_spans<false, false>(end);
}

}  // namespace

extern const MapKernels map_kernels;
constinit const MapKernels map_kernels{spread, finish};

}  // namespace kirchnet::detail::KIRCHNET_ISA
