#include "solver/klu_factorization.hpp"

#include <fmt/format.h>
#include <klu.h>

#include <cassert>
#include <new>

#include "circuit/error.hpp"

namespace kirchnet {
namespace {

// Pivots of an earlier matrix may grow entries by this much before pivoting anew is worth its time;
// a nodal matrix on its diagonal pivots does not grow at all.
constexpr double least_reciprocal_growth = 1e-3;

[[noreturn]] void refuse(const klu_common& common, int size, const char* step) {
    if (common.status == KLU_OUT_OF_MEMORY) throw std::bad_alloc();
    if (common.status == KLU_TOO_LARGE)
        throw InvalidInput("array", fmt::format("its {} nets give factors too large to number in "
                                                "32 bits; use smaller arrays",
                                                size));
    throw Error(fmt::format("KLU refused to {} ({} nets, status {})", step, size, common.status));
}

}  // namespace

/// KLU's three objects and the pattern they refer to.
struct KluFactorization::Handles {
    klu_common common{};
    klu_symbolic* symbolic = nullptr;
    klu_numeric* numeric = nullptr;
    std::vector<std::int32_t> column_start;
    std::vector<std::int32_t> row;

    Handles(std::vector<std::int32_t> starts, std::vector<std::int32_t> rows,
            const KluSettings& settings)
        : column_start(std::move(starts)), row(std::move(rows)) {
        klu_defaults(&common);
        common.btf = settings.block_triangular ? 1 : 0;
        common.scale = settings.scales_rows ? 2 : 0;
        common.initmem = 5;  // L has 3 to 5 times the entries of A up to 256 x 256 cells
    }
    Handles(const Handles&) = delete;
    Handles& operator=(const Handles&) = delete;
    ~Handles() {
        klu_free_numeric(&numeric, &common);
        klu_free_symbolic(&symbolic, &common);
    }

    [[nodiscard]] int size() const { return static_cast<int>(column_start.size()) - 1; }

    void require(bool done, const char* step) const {
        if (!done) refuse(common, size(), step);
    }
    std::optional<std::int32_t> outcome(bool done, const char* step) const {
        if (common.status == KLU_SINGULAR) return common.singular_col;
        require(done, step);
        return std::nullopt;
    }
    bool has_grown(std::vector<double>& values) {
        require(klu_rgrowth(column_start.data(), row.data(), values.data(), symbolic, numeric,
                            &common) != 0,
                "measure pivot growth");
        return !(common.rgrowth >= least_reciprocal_growth);
    }
};

KluFactorization::KluFactorization() = default;
KluFactorization::KluFactorization(KluSettings settings) : settings_(settings) {}
KluFactorization::KluFactorization(KluFactorization&&) noexcept = default;
KluFactorization& KluFactorization::operator=(KluFactorization&&) noexcept = default;
KluFactorization::~KluFactorization() = default;

void KluFactorization::analyze(std::vector<std::int32_t> column_start,
                               std::vector<std::int32_t> row, std::vector<std::int32_t> order) {
    auto fresh = std::make_unique<Handles>(std::move(column_start), std::move(row), settings_);
    assert(static_cast<int>(order.size()) == fresh->size());
    fresh->symbolic =
        klu_analyze_given(fresh->size(), fresh->column_start.data(), fresh->row.data(),
                          order.data(), order.data(), &fresh->common);
    fresh->require(fresh->symbolic != nullptr, "analyze");
    handles_ = std::move(fresh);
}

void KluFactorization::analyze(std::vector<std::int32_t> column_start,
                               std::vector<std::int32_t> row) {
    auto fresh = std::make_unique<Handles>(std::move(column_start), std::move(row), settings_);
    fresh->symbolic =
        klu_analyze(fresh->size(), fresh->column_start.data(), fresh->row.data(), &fresh->common);
    fresh->require(fresh->symbolic != nullptr, "analyze");
    handles_ = std::move(fresh);
}

std::optional<std::int32_t> KluFactorization::factorize(const std::vector<double>& values) {
    assert(handles_ && values.size() == handles_->row.size());
    Handles& h = *handles_;
    klu_free_numeric(&h.numeric, &h.common);
    auto copy = values;  // KLU takes a mutable pointer
    h.numeric = klu_factor(h.column_start.data(), h.row.data(), copy.data(), h.symbolic, &h.common);
    return h.outcome(h.numeric != nullptr, "factorize");
}

std::optional<std::int32_t> KluFactorization::refactorize(const std::vector<double>& values) {
    assert(handles_ && values.size() == handles_->row.size());
    Handles& h = *handles_;
    if (h.numeric == nullptr) return factorize(values);
    auto copy = values;
    const bool done = klu_refactor(h.column_start.data(), h.row.data(), copy.data(), h.symbolic,
                                   h.numeric, &h.common) != 0;
    if (!done && h.common.status != KLU_SINGULAR) h.require(done, "refactorize");
    if (!done || h.has_grown(copy)) return factorize(values);
    return std::nullopt;
}

void KluFactorization::solve(Eigen::Ref<Eigen::MatrixXd> right_hand_sides) {
    assert(handles_ && handles_->numeric && right_hand_sides.rows() == handles_->size());
    Handles& h = *handles_;
    h.require(klu_solve(h.symbolic, h.numeric, static_cast<int>(right_hand_sides.outerStride()),
                        static_cast<int>(right_hand_sides.cols()), right_hand_sides.data(),
                        &h.common) != 0,
              "solve");
}

std::int32_t KluFactorization::size() const {
    return handles_ ? handles_->size() : 0;
}

std::int64_t KluFactorization::fill() const {
    if (!handles_ || handles_->numeric == nullptr) return 0;
    return std::int64_t{handles_->numeric->lnz} + handles_->numeric->unz;
}

double KluFactorization::reciprocal_condition() const {
    assert(handles_ && handles_->numeric);
    Handles& h = *handles_;
    h.require(klu_rcond(h.symbolic, h.numeric, &h.common) != 0, "estimate the condition");
    return h.common.rcond;
}

}  // namespace kirchnet
