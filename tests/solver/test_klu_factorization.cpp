#include <doctest/doctest.h>

#include <utility>

#include "solver/klu_factorization.hpp"

using namespace kirchnet;

namespace {

// [ 4 -1  0 ]        [ 1 ]   [ 2 ]
// [-1  4 -2 ]  times [ 2 ] = [ 1 ]
// [ 0 -2  5 ]        [ 3 ]   [11 ]
const std::vector<std::int32_t> starts{0, 2, 5, 7};
const std::vector<std::int32_t> rows{0, 1, 0, 1, 2, 1, 2};
const std::vector<double> values{4, -1, -1, 4, -2, -2, 5};

KluFactorization analyzed() {
    KluFactorization factors;
    factors.analyze(starts, rows, {2, 0, 1});
    return factors;
}

}  // namespace

TEST_CASE("a 3 x 3 system is solved for several right-hand sides in one call") {
    KluFactorization factors = analyzed();
    REQUIRE_FALSE(factors.factorize(values));
    Eigen::MatrixXd b(3, 6);
    for (Eigen::Index k = 0; k < 6; ++k)
        b.col(k) = Eigen::Vector3d(2, 1, 11) * static_cast<double>(k);
    factors.solve(b);
    for (Eigen::Index k = 0; k < 6; ++k)
        CHECK((b.col(k) - Eigen::Vector3d(1, 2, 3) * static_cast<double>(k)).norm() < 1e-14);
    CHECK(factors.size() == 3);
    // Tridiagonal in an order that adds no entry: 5 in L, 5 in U, diagonals included.
    CHECK(factors.fill() == 10);
}

TEST_CASE("right-hand sides may be the top rows of a taller matrix") {
    KluFactorization factors = analyzed();
    REQUIRE_FALSE(factors.factorize(values));
    Eigen::MatrixXd tall = Eigen::MatrixXd::Constant(5, 2, 7);
    tall.topRows(3) << 2, 4, 1, 2, 11, 22;
    factors.solve(tall.topRows(3));
    CHECK((tall.col(0).head(3) - Eigen::Vector3d(1, 2, 3)).norm() < 1e-14);
    CHECK((tall.col(1).head(3) - Eigen::Vector3d(2, 4, 6)).norm() < 1e-14);
    CHECK(tall.bottomRows(2) == Eigen::MatrixXd::Constant(2, 2, 7));
}

TEST_CASE("refactorising gives the same bits as factorising afresh") {
    const std::vector<double> others{9, -3, -3, 5, -1, -1, 2};
    KluFactorization fresh = analyzed();
    REQUIRE_FALSE(fresh.factorize(others));
    KluFactorization reused = analyzed();
    REQUIRE_FALSE(reused.factorize(values));
    REQUIRE_FALSE(reused.refactorize(others));
    Eigen::MatrixXd x = Eigen::Vector3d(1, 2, 3);
    Eigen::MatrixXd y = x;
    fresh.solve(x);
    reused.solve(y);
    CHECK(x == y);
}

TEST_CASE("pivots that serve new values badly are chosen anew") {
    // [1 2; 3 4] pivots on its diagonal; [1e-14 1; 1 1] must not. Solution of the latter for
    // b = (1, 2): x = (1, 1) to 1e-14. On the old pivots about two digits would be left.
    KluFactorization factors;
    factors.analyze({0, 2, 4}, {0, 1, 0, 1}, {0, 1});
    REQUIRE_FALSE(factors.factorize({4, 3, 2, 4}));
    REQUIRE_FALSE(factors.refactorize({1e-14, 1, 1, 1}));
    Eigen::MatrixXd b = Eigen::Vector2d(1, 2);
    factors.solve(b);
    CHECK((b.col(0) - Eigen::Vector2d(1, 1)).norm() < 1e-13);
}

TEST_CASE("a singular matrix names a column, and the object recovers") {
    KluFactorization factors = analyzed();
    // Columns 1 and 2 are multiples of each other once column 0 is isolated.
    const std::vector<double> singular{4, 0, 0, 1, -2, -2, 4};
    const auto failed = factors.factorize(singular);
    REQUIRE(failed.has_value());
    CHECK((*failed == 1 || *failed == 2));
    REQUIRE_FALSE(factors.factorize(values));
    CHECK(factors.refactorize(singular).has_value());
    REQUIRE_FALSE(factors.refactorize(values));
    Eigen::MatrixXd b = Eigen::Vector3d(2, 1, 11);
    factors.solve(b);
    CHECK((b.col(0) - Eigen::Vector3d(1, 2, 3)).norm() < 1e-14);
}

TEST_CASE("the reciprocal condition of a diagonal matrix is smallest over largest entry") {
    KluFactorization factors;
    factors.analyze({0, 1, 2}, {0, 1}, {0, 1});
    REQUIRE_FALSE(factors.factorize({8, 2}));
    CHECK(factors.reciprocal_condition() == 0.25);
}

TEST_CASE("factors move with their owner") {
    KluFactorization factors = analyzed();
    REQUIRE_FALSE(factors.factorize(values));
    KluFactorization other;
    other = std::move(factors);
    Eigen::MatrixXd b = Eigen::Vector3d(2, 1, 11);
    other.solve(b);
    CHECK((b.col(0) - Eigen::Vector3d(1, 2, 3)).norm() < 1e-14);
}

TEST_CASE("minimum degree ordering solves the same system") {
    KluFactorization factors;
    factors.analyze(starts, rows);
    REQUIRE_FALSE(factors.factorize(values));
    Eigen::MatrixXd b = Eigen::Vector3d(2, 1, 11);
    factors.solve(b);
    CHECK((b.col(0) - Eigen::Vector3d(1, 2, 3)).norm() < 1e-14);
}
