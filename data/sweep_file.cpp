#include "data/sweep_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

#include "circuit/error.hpp"
#include "data/detail/file_format.hpp"

namespace kirchnet {
namespace {

using hdf5::InputGroup;
using hdf5::OutputGroup;
using hdf5::Shape;
using hdf5::Storage;

constexpr const char* pure_number = "1";
constexpr std::size_t bits_per_byte = 8;

/// One field of all items, in order.
template <typename Value, typename Item, typename Field>
std::vector<Value> column(const std::vector<Item>& items, Field field) {
    std::vector<Value> values;
    values.reserve(items.size());
    for (const Item& item : items) values.push_back(static_cast<Value>(field(item)));
    return values;
}

void write_networks(OutputGroup group, const std::vector<SweepNetwork>& networks) {
    group.write_texts("file", column<std::string>(networks, [](auto& n) { return n.file; }));
    group.write_texts("name", column<std::string>(networks, [](auto& n) { return n.name; }));
    group.write_texts("digest", column<std::string>(networks, [](auto& n) { return n.digest; }));
    group.write("zeros", column<double>(networks, [](auto& n) { return n.zeros; }), pure_number);
    group.write("software_accuracy",
                column<double>(networks, [](auto& n) { return n.software_accuracy; }), pure_number);
}

void write_points(OutputGroup group, const SweepRecord& record) {
    for (std::size_t axis = 0; axis < record.axes.size(); ++axis)
        group.write_texts(record.axes[axis], column<std::string>(record.points, [&](auto& point) {
                              return point.values[axis];
                          }));
    group.write("network_index",
                column<std::uint64_t>(record.points, [](auto& p) { return p.network; }), "index");
    group.write("is_random",
                column<std::uint8_t>(record.points, [](auto& p) { return p.is_random ? 1 : 0; }),
                pure_number);
}

void write_units(OutputGroup group, const std::vector<SweepUnit>& units) {
    group.write("point", column<std::uint32_t>(units, [](auto& u) { return u.point; }), "index");
    group.write("trial", column<std::uint32_t>(units, [](auto& u) { return u.trial; }), "index");
    group.write("score", column<double>(units, [](auto& u) { return u.score; }), pure_number);
    group.write("digest", column<std::uint64_t>(units, [](auto& u) { return u.digest; }),
                pure_number);
    group.write("operator_seconds",
                column<double>(units, [](auto& u) { return u.operator_seconds; }), "s");
    group.write("inference_seconds",
                column<double>(units, [](auto& u) { return u.inference_seconds; }), "s");
    group.write("worst_deviation", column<double>(units, [](auto& u) { return u.worst_deviation; }),
                pure_number);
    std::vector<std::uint8_t> right;
    for (const SweepUnit& unit : units)
        right.insert(right.end(), unit.right.begin(), unit.right.end());
    group.write("right", Shape{units.size(), units.empty() ? 0 : units.front().right.size()},
                std::span<const std::uint8_t>(right), "bits", Storage::packed);
}

/// A column that has one entry per item.
template <typename Number>
std::vector<Number> read_column(const InputGroup& group, const std::string& name,
                                std::size_t rows) {
    auto values = group.read_vector<Number>(name);
    if (values.size() != rows)
        group.fail(name, fmt::format("holds {} values and not {}", values.size(), rows));
    return values;
}

std::vector<std::string> read_text_column(const InputGroup& group, const std::string& name,
                                          std::size_t rows) {
    auto texts = group.read_texts(name);
    if (texts.size() != rows)
        group.fail(name, fmt::format("holds {} texts and not {}", texts.size(), rows));
    return texts;
}

std::vector<SweepNetwork> read_networks(const InputGroup& group) {
    const auto files = group.read_texts("file");
    const std::size_t rows = files.size();
    const auto names = read_text_column(group, "name", rows);
    const auto digests = read_text_column(group, "digest", rows);
    const auto zeros = read_column<double>(group, "zeros", rows);
    const auto accuracies = read_column<double>(group, "software_accuracy", rows);
    std::vector<SweepNetwork> networks;
    for (std::size_t i = 0; i < rows; ++i)
        networks.push_back({files[i], names[i], digests[i], zeros[i], accuracies[i]});
    return networks;
}

std::vector<SweepPoint> read_points(const InputGroup& group, const std::vector<std::string>& axes,
                                    std::size_t networks) {
    const auto network = group.read_vector<std::uint64_t>("network_index");
    const auto random = read_column<std::uint8_t>(group, "is_random", network.size());
    std::vector<SweepPoint> points(network.size());
    for (std::size_t i = 0; i < points.size(); ++i) {
        if (network[i] >= networks)
            group.fail("network_index",
                       fmt::format("point {} names network {} of {}", i, network[i], networks));
        points[i].network = network[i];
        points[i].is_random = random[i] != 0;
    }
    for (const std::string& axis : axes) {
        auto values = read_text_column(group, axis, points.size());
        for (std::size_t i = 0; i < points.size(); ++i)
            points[i].values.push_back(std::move(values[i]));
    }
    return points;
}

void read_right(const InputGroup& group, std::size_t images, std::vector<SweepUnit>& units) {
    const auto right = group.read<std::uint8_t>("right", 2);
    const std::size_t bytes = right.shape[1];
    const std::size_t expected = (images + bits_per_byte - 1) / bits_per_byte;
    if (right.shape[0] != units.size() || (!units.empty() && bytes != 0 && bytes != expected))
        group.fail("right", fmt::format("is {} for {} units of {} images",
                                        hdf5::to_string(right.shape), units.size(), images));
    auto from = right.values.begin();
    for (SweepUnit& unit : units) {
        unit.right.assign(from, from + static_cast<std::ptrdiff_t>(bytes));
        from += static_cast<std::ptrdiff_t>(bytes);
    }
}

std::vector<SweepUnit> read_units(const InputGroup& group, std::size_t points, std::size_t images) {
    const auto point = group.read_vector<std::uint32_t>("point");
    const std::size_t rows = point.size();
    const auto trial = read_column<std::uint32_t>(group, "trial", rows);
    const auto score = read_column<double>(group, "score", rows);
    const auto digest = read_column<std::uint64_t>(group, "digest", rows);
    const auto operators = read_column<double>(group, "operator_seconds", rows);
    const auto inference = read_column<double>(group, "inference_seconds", rows);
    const auto deviation = read_column<double>(group, "worst_deviation", rows);
    std::vector<SweepUnit> units;
    for (std::size_t i = 0; i < rows; ++i) {
        if (point[i] >= points)
            group.fail("point", fmt::format("unit {} is of point {} of {}", i, point[i], points));
        units.push_back({point[i],
                         trial[i],
                         score[i],
                         {},
                         digest[i],
                         operators[i],
                         inference[i],
                         deviation[i]});
    }
    read_right(group, images, units);
    return units;
}

using UnitKey = std::pair<std::uint32_t, std::uint32_t>;

UnitKey key_of(const SweepUnit& unit) {
    return {unit.trial, unit.point};
}

/// Whether two runs of one unit say the same: times may differ.
bool agree(const SweepUnit& a, const SweepUnit& b) {
    return a.score == b.score && a.right == b.right && a.digest == b.digest;
}

}  // namespace

std::vector<std::uint8_t> pack_bits(const std::vector<bool>& bits) {
    std::vector<std::uint8_t> bytes((bits.size() + bits_per_byte - 1) / bits_per_byte, 0);
    for (std::size_t i = 0; i < bits.size(); ++i)
        if (bits[i])
            bytes[i / bits_per_byte] = static_cast<std::uint8_t>(bytes[i / bits_per_byte] |
                                                                 (0x80U >> (i % bits_per_byte)));
    return bytes;
}

std::vector<bool> unpack_bits(const std::vector<std::uint8_t>& bytes, std::size_t count) {
    if (bytes.size() * bits_per_byte < count)
        throw InvalidInput(fmt::format("{} bytes hold no {} bits", bytes.size(), count));
    std::vector<bool> bits(count);
    for (std::size_t i = 0; i < count; ++i)
        bits[i] = (bytes[i / bits_per_byte] & (0x80U >> (i % bits_per_byte))) != 0;
    return bits;
}

void write_sweep(const std::filesystem::path& path, const SweepRecord& record) {
    OutputGroup file = OutputGroup::create(format::sweep, format::version);
    file.set("name", record.name);
    file.set("plan", record.plan);
    file.set("identity", record.identity);
    file.set("settings", record.settings);
    file.set("shard", record.shard);
    file.set("metric", record.metric);
    file.set("seed", record.seed);
    file.set("trials", static_cast<std::uint64_t>(record.trials));
    file.set("images", static_cast<std::uint64_t>(record.images));
    file.set("complete", yes_or_no(record.complete));
    file.write_texts("axes", record.axes);
    write_networks(file.group("networks"), record.networks);
    write_points(file.group("points"), record);
    write_units(file.group("units"), record.units);
    file.save(path);
}

SweepRecord read_sweep(const std::filesystem::path& path) {
    const InputGroup file = open_format(path, format::sweep);
    SweepRecord record;
    record.name = file.text("name");
    record.plan = file.text("plan");
    record.identity = file.text("identity");
    record.settings = file.text("settings");
    record.shard = file.text("shard");
    record.metric = file.text("metric");
    record.seed = file.count("seed");
    const std::uint64_t trials = file.count("trials");
    if (!std::in_range<std::uint32_t>(trials))
        throw InvalidInput(file.where(), fmt::format("attribute 'trials' is {}", trials));
    record.trials = static_cast<std::uint32_t>(trials);
    record.images = file.count("images");
    record.complete = read_yes_or_no(file, "complete");
    record.axes = file.read_texts("axes");
    record.networks = read_networks(file.group("networks"));
    record.points = read_points(file.group("points"), record.axes, record.networks.size());
    record.units = read_units(file.group("units"), record.points.size(), record.images);
    return record;
}

SweepRecord merge_sweeps(const std::vector<SweepRecord>& shards,
                         const std::vector<std::string>& names) {
    if (shards.empty()) throw InvalidInput("there are no shards to merge");
    SweepRecord merged = shards.front();
    std::map<UnitKey, std::pair<const SweepUnit*, std::size_t>> units;
    for (std::size_t s = 0; s < shards.size(); ++s) {
        if (shards[s].identity != merged.identity || shards[s].points != merged.points)
            throw InvalidInput(names[s], fmt::format("is a shard of another plan than {}: '{}' and "
                                                     "'{}'",
                                                     names.front(), shards[s].name, merged.name));
        merged.trials = std::max(merged.trials, shards[s].trials);
        for (const SweepUnit& unit : shards[s].units) {
            const auto [found, is_new] = units.emplace(key_of(unit), std::pair{&unit, s});
            if (!is_new && !agree(*found->second.first, unit))
                throw InvalidInput(
                    names[s], fmt::format("disagrees with {} about unit {}/{} (scores {} and {})",
                                          names[found->second.second], unit.point, unit.trial,
                                          unit.score, found->second.first->score));
        }
    }
    merged.shard = "1/1";
    merged.units.clear();
    for (const auto& [key, unit] : units) merged.units.push_back(*unit.first);
    std::size_t wanted = 0;
    for (const SweepPoint& point : merged.points) wanted += point.is_random ? merged.trials : 1;
    merged.complete = merged.units.size() == wanted ||
                      std::all_of(shards.begin(), shards.end(), [](const SweepRecord& s) {
                          return s.complete && s.shard == "1/1";
                      });
    return merged;
}

SweepLock::SweepLock(const std::filesystem::path& results) : path_(results) {
    path_ += ".lock";
    descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor_ < 0) throw FileError(path_.string(), std::strerror(errno));
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
    const int reason = errno;
    ::close(descriptor_);
    if (reason != EWOULDBLOCK) throw FileError(path_.string(), std::strerror(reason));
    throw InvalidInput(results.string(),
                       "is being written by another process; a sweep is shared out by --shard");
}

SweepLock::~SweepLock() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
    ::close(descriptor_);
}

}  // namespace kirchnet
