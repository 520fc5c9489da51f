#include "data/operator_cache.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "circuit/error.hpp"
#include "circuit/instruction_set.hpp"
#include "data/atomic_file.hpp"
#include "data/detail/content_hash.hpp"
#include "data/detail/decompression.hpp"
#include "data/detail/file_format.hpp"

namespace kirchnet {
namespace fs = std::filesystem;
namespace {

using hdf5::InputGroup;
using hdf5::OutputGroup;
using hdf5::Storage;

constexpr std::string_view key_version = "1";
constexpr std::size_t seal_size = 32;

/// HDF5 may be built without its own lock; with it, it serves one thread at a time just as well.
std::mutex& hdf5_mutex() {
    static std::mutex mutex;
    return mutex;
}

void add_wires(ContentHash& hash, const Wires& wires) {
    for (const LineResistance* resistance :
         {&wires.word_line_segment, &wires.bit_line_segment, &wires.driver, &wires.sense})
        hash.add(resistance->values());
    hash.add(yes_or_no(wires.end_segments));
    hash.add(to_string(wires.drive));
    hash.add(to_string(wires.sense_at));
    for (const Bridge& bridge : wires.bridges)
        hash.add(fmt::format("{} {} {} {}", static_cast<int>(bridge.lines), bridge.word_line,
                             bridge.bit_line, bridge.resistance));
}

/// No entry is larger: values in chunks that may be half empty, and HDF5's bookkeeping.
std::size_t largest_entry(const OperatorKey& key) {
    constexpr std::size_t bookkeeping = 1U << 16U;
    return 2 * sizeof(double) * static_cast<std::size_t>(key.bit_lines * key.word_lines) +
           bookkeeping;
}

/// HDF5 does not survive every kind of damage to its bookkeeping, so it is shown whole files only.
void check_seal(const fs::path& path, const OperatorKey& key) {
    const Bytes bytes = read_whole(path, largest_entry(key));
    std::string_view content(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const std::string_view seal =
        content.substr(content.size() - std::min(seal_size, content.size()));
    content.remove_suffix(seal.size());
    if (xxh128_digits(content) != seal)
        throw InvalidInput(path.string(), "does not end in the checksum of its content");
}

void require_attribute(const InputGroup& file, const char* name, const std::string& expected) {
    if (const std::string found = file.text(name); found != expected)
        throw InvalidInput(file.where(),
                           fmt::format("attribute '{}' is '{}', not '{}'", name, found, expected));
}

CellMatrix read_matrix(const InputGroup& file, const OperatorKey& key) {
    const auto array = file.read<double>("transfer", 2);
    const hdf5::Shape expected{static_cast<std::size_t>(key.bit_lines),
                               static_cast<std::size_t>(key.word_lines)};
    if (array.shape != expected)
        file.fail("transfer", fmt::format("has shape {}, not {}", hdf5::to_string(array.shape),
                                          hdf5::to_string(expected)));
    return Eigen::Map<const CellMatrix>(array.values.data(), key.bit_lines, key.word_lines);
}

CellMatrix read_entry(const fs::path& path, const OperatorKey& key) {
    check_seal(path, key);
    const std::scoped_lock lock(hdf5_mutex());
    const InputGroup file = open_format(path, format::transfer_matrix);
    require_attribute(file, "key", key.hash);
    require_attribute(file, "engine", key.engine);
    return read_matrix(file, key);
}

std::string make_entry(const OperatorKey& key, const CellMatrix& T) {
    const std::scoped_lock lock(hdf5_mutex());
    OutputGroup file = OutputGroup::create(format::transfer_matrix, format::version);
    file.set("key", key.hash);
    file.set("engine", key.engine);
    file.write("transfer", {static_cast<std::size_t>(T.rows()), static_cast<std::size_t>(T.cols())},
               std::span<const double>(T.data(), static_cast<std::size_t>(T.size())), "S",
               Storage::checked);
    const std::string image = file.image();
    return image + xxh128_digits(image);
}

/// @throws FileError  when no file can be made there
void check_writable(const fs::path& folder) {
    std::error_code problem;
    fs::create_directories(folder, problem);
    if (problem)
        throw FileError(folder.string(),
                        fmt::format("operator cache cannot be made: {}", problem.message()));
    try {
        const AtomicFile probe(folder / "probe");
    } catch (const FileError& error) {
        throw FileError(folder.string(),
                        fmt::format("operator cache cannot be used: {}", error.what()));
    }
}

}  // namespace

OperatorKey operator_key(std::string_view engine, const Crossbar& crossbar, Index bit_lines) {
    ContentHash hash;
    hash.add(key_version);
    hash.add(KIRCHNET_VERSION);
    hash.add(to_string(best_instruction_set()));
    hash.add(engine);
    hash.add(fmt::to_string(bit_lines));
    hash.add(to_string(crossbar.law()));
    add_wires(hash, crossbar.wires());
    hash.add(crossbar.conductance());
    return {hash.digits(), std::string(engine), bit_lines, crossbar.shape().word_lines};
}

OperatorCache::OperatorCache(fs::path folder) : folder_(std::move(folder)) {
    check_writable(folder_);
}

fs::path OperatorCache::path_of(const OperatorKey& key) const {
    return folder_ / key.hash.substr(0, 2) / (key.hash + ".h5");
}

std::optional<Eigen::MatrixXd> OperatorCache::find(const OperatorKey& key) {
    const fs::path path = path_of(key);
    std::error_code unreadable;
    if (!fs::exists(path, unreadable)) {
        count_miss();
        return std::nullopt;
    }
    try {
        Eigen::MatrixXd T = read_entry(path, key);
        count_hit();
        return T;
    } catch (const InvalidInput& problem) {
        count_damaged(problem.what());
        return std::nullopt;
    }
}

void OperatorCache::store(const OperatorKey& key, const Eigen::MatrixXd& T) {
    if (!T.allFinite()) return;
    const fs::path path = path_of(key);
    const std::string bytes = make_entry(key, T);
    try {
        std::error_code told_by_writing;
        fs::create_directories(path.parent_path(), told_by_writing);
        write_text_atomically(path, bytes, Durability::renamed);
    } catch (const FileError& problem) {
        count_unstored(problem.what());
    }
}

void OperatorCache::count_hit() {
    const std::scoped_lock lock(mutex_);
    ++counts_.hits;
}

void OperatorCache::count_miss() {
    const std::scoped_lock lock(mutex_);
    ++counts_.misses;
}

void OperatorCache::count_damaged(const std::string& problem) {
    const std::scoped_lock lock(mutex_);
    ++counts_.misses;
    if (counts_.damaged++ == 0) first_damage_ = problem;
}

void OperatorCache::count_unstored(const std::string& problem) {
    const std::scoped_lock lock(mutex_);
    if (counts_.unstored++ == 0) first_refusal_ = problem;
}

OperatorCacheCounts OperatorCache::counts() const {
    const std::scoped_lock lock(mutex_);
    return counts_;
}

std::vector<std::string> OperatorCache::warnings() const {
    const std::scoped_lock lock(mutex_);
    std::vector<std::string> lines;
    if (counts_.damaged > 0)
        lines.push_back(fmt::format(
            "operator cache {}: {} damaged or foreign, computed and written anew; the first: {}",
            folder_.string(), counts_.damaged, first_damage_));
    if (counts_.unstored > 0)
        lines.push_back(fmt::format("operator cache {}: {} could not be stored; the first: {}",
                                    folder_.string(), counts_.unstored, first_refusal_));
    return lines;
}

CachedSolver::CachedSolver(std::unique_ptr<OperatingPointSolver> engine,
                           std::shared_ptr<OperatorCache> cache)
    : engine_(std::move(engine)), cache_(std::move(cache)) {}

OperatingPoint CachedSolver::solve(const Crossbar& crossbar,
                                   const Eigen::Ref<const Eigen::MatrixXd>& inputs,
                                   Voltages voltages) {
    return engine_->solve(crossbar, inputs, voltages);
}

Eigen::MatrixXd CachedSolver::transfer_rows(const Crossbar& crossbar, Index bit_lines) {
    // A caller's law is known by its name alone, which says too little.
    if (crossbar.law().custom_law() != nullptr) return engine_->transfer_rows(crossbar, bit_lines);
    const OperatorKey key = operator_key(name(), crossbar, bit_lines);
    if (auto stored = cache_->find(key)) return *std::move(stored);
    Eigen::MatrixXd T = engine_->transfer_rows(crossbar, bit_lines);
    cache_->store(key, T);
    return T;
}

}  // namespace kirchnet
