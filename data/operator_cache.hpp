#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "circuit/operating_point_solver.hpp"

namespace kirchnet {

/// Names one transfer matrix by all that decides its bits.
struct OperatorKey {
    std::string hash;      ///< 32 hexadecimal digits
    std::string engine;    ///< `OperatingPointSolver::name`
    Index bit_lines = 0;   ///< rows of T
    Index word_lines = 0;  ///< columns of T
};

/// The hash covers wires, conductances and law of the cells as they are, engine, rows wanted,
/// version of kirchnet and the instruction set its kernels run on; not the intended conductances
/// and faults, which leave T alone.
OperatorKey operator_key(std::string_view engine, const Crossbar& crossbar, Index bit_lines);

/// What became of the transfer matrices that a cache was asked for.
struct OperatorCacheCounts {
    std::size_t hits = 0;      ///< read instead of computed
    std::size_t misses = 0;    ///< all others
    std::size_t damaged = 0;   ///< misses whose file was there, but not usable
    std::size_t unstored = 0;  ///< misses that the disk refused to keep
};

/// Transfer matrices in a folder, one file each (docs/formats.md), found by the content of the
/// array they belong to. Any number of threads and processes may use one folder: a file is there
/// as a whole or not at all. Whatever is damaged, or not what its name says, is taken as absent.
class OperatorCache {
  public:
    /// Makes the folder where it is missing.
    /// @throws FileError  when it cannot be made or written to
    explicit OperatorCache(std::filesystem::path folder);

    [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
    /// Where the matrix of a key lies, stored or not.
    [[nodiscard]] std::filesystem::path path_of(const OperatorKey& key) const;

    /// Nothing where it has to be computed.
    [[nodiscard]] std::optional<Eigen::MatrixXd> find(const OperatorKey& key);
    /// Keeps a matrix of finite values. A disk that refuses is counted: it costs speed, no results.
    void store(const OperatorKey& key, const Eigen::MatrixXd& T);

    [[nodiscard]] OperatorCacheCounts counts() const;
    /// A line on files that were damaged and a line on files that could not be written, if any.
    [[nodiscard]] std::vector<std::string> warnings() const;

  private:
    void count_hit();
    void count_miss();
    void count_damaged(const std::string& problem);
    void count_unstored(const std::string& problem);

    std::filesystem::path folder_;
    mutable std::mutex mutex_;  ///< guards what follows
    OperatorCacheCounts counts_;
    std::string first_damage_;
    std::string first_refusal_;
};

/// An engine whose transfer matrices come from a cache where it holds them: the same bits, without
/// the work. Operating points are solved as ever. One object serves one thread; the cache is
/// shared.
class CachedSolver final : public OperatingPointSolver {
  public:
    CachedSolver(std::unique_ptr<OperatingPointSolver> engine,
                 std::shared_ptr<OperatorCache> cache);

    [[nodiscard]] std::string_view name() const override { return engine_->name(); }
    [[nodiscard]] OperatingPoint solve(const Crossbar& crossbar,
                                       const Eigen::Ref<const Eigen::MatrixXd>& inputs,
                                       Voltages voltages) override;
    [[nodiscard]] Eigen::MatrixXd transfer_rows(const Crossbar& crossbar, Index bit_lines) override;

  private:
    std::unique_ptr<OperatingPointSolver> engine_;
    std::shared_ptr<OperatorCache> cache_;
};

}  // namespace kirchnet
