#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace kirchnet {

/// What KLU does before it eliminates. The defaults suit nodal matrices of arrays: connected,
/// symmetric, diagonally dominant.
struct KluSettings {
    bool block_triangular = false;  ///< permutes to blocks and off zero diagonals first
    bool scales_rows = false;       ///< divides each row by its largest entry
};

/// LU factors of one sparse matrix by KLU (T. A. Davis and E. Palamadai Natarajan, ACM TOMS 37(3),
/// 2010), owned and move-only. `analyze` once per pattern, `factorize` or `refactorize` per set of
/// values, then `solve`. One object serves one thread: even `solve` writes to work space inside.
class KluFactorization {
  public:
    KluFactorization();
    explicit KluFactorization(KluSettings settings);
    KluFactorization(KluFactorization&&) noexcept;
    KluFactorization& operator=(KluFactorization&&) noexcept;
    ~KluFactorization();

    /// Takes a square pattern in compressed columns and eliminates in the given order.
    /// @param column_start  [size + 1]
    /// @param row           per entry, ascending within a column
    /// @param order         a permutation: the k-th row and column to eliminate
    void analyze(std::vector<std::int32_t> column_start, std::vector<std::int32_t> row,
                 std::vector<std::int32_t> order);
    /// The same with approximate minimum degree ordering.
    void analyze(std::vector<std::int32_t> column_start, std::vector<std::int32_t> row);

    /// Numerical factorisation with pivoting.
    /// @param values  per entry of the pattern
    /// @return  the column where elimination failed, or nothing when it succeeded
    [[nodiscard]] std::optional<std::int32_t> factorize(const std::vector<double>& values);
    /// New values on the pivots of the last factorisation; pivots anew where those serve the new
    /// values badly.
    [[nodiscard]] std::optional<std::int32_t> refactorize(const std::vector<double>& values);

    /// Solves A X = B in place.
    /// @param right_hand_sides  [size × any number], overwritten by X
    void solve(Eigen::Ref<Eigen::MatrixXd> right_hand_sides);

    [[nodiscard]] std::int32_t size() const;
    /// Entries in L and U together, the diagonal counted in both.
    [[nodiscard]] std::int64_t fill() const;
    /// KLU's crude estimate of the reciprocal condition: smallest over largest pivot.
    [[nodiscard]] double reciprocal_condition() const;

  private:
    struct Handles;
    KluSettings settings_;
    std::unique_ptr<Handles> handles_;
};

}  // namespace kirchnet
