#include "data/cell_map_file.hpp"

#include <fmt/format.h>

#include <array>
#include <iterator>
#include <limits>
#include <optional>

#include "circuit/names.hpp"
#include "circuit/units.hpp"
#include "data/atomic_file.hpp"
#include "data/detail/file_format.hpp"

namespace kirchnet {

class CellMapWriter::Sink {
  public:
    Sink() = default;
    Sink(const Sink&) = delete;
    Sink& operator=(const Sink&) = delete;
    virtual ~Sink() = default;
    virtual void add(const std::string& layer, double scale, const CellRow& row) = 0;
    virtual void finish() = 0;
};

namespace {

constexpr std::int32_t none = -1;

std::string kind_of(const CellMeaning& cell) {
    if (std::holds_alternative<CellAddress>(cell.identity)) return "weight";
    return cell.is_reference ? "reference" : "pad";
}

std::int32_t slice_of(const CellIdentity& identity) {
    return std::visit([](const auto& place) { return place.slice; }, identity);
}

/// A field that may hold commas or quotes, as CSV quotes it.
std::string quoted(const std::string& text) {
    if (text.find_first_of(",\"\n") == std::string::npos) return text;
    std::string result = "\"";
    for (const char letter : text) result += letter == '"' ? "\"\"" : std::string(1, letter);
    return result + "\"";
}

}  // namespace

class CellMapWriter::Csv final : public Sink {
  public:
    explicit Csv(const std::filesystem::path& path) : file_(path) {
        buffer_ =
            "layer,tile_row,tile_column,instance,polarity,word_line,bit_line,kind,slice,"
            "output_channel,input_channel,kernel_y,kernel_x,weight,level,digit,state,"
            "intended_conductance_s,conductance_s,fault\n";
    }

    void add(const std::string& layer, double scale, const CellRow& row) override {
        const CellMeaning& cell = row.cell;
        const CellPosition& at = cell.position;
        fmt::format_to(std::back_inserter(buffer_), "{},{},{},{},{},{},{},{},{},", quoted(layer),
                       row.tile_row, row.tile_column, cell_name(at), to_char(at.polarity),
                       at.word_line, at.bit_line, kind_of(cell), slice_of(cell.identity));
        if (const auto* address = std::get_if<CellAddress>(&cell.identity))
            fmt::format_to(std::back_inserter(buffer_), "{},{},{},{},", address->output_channel,
                           address->input_channel, address->kernel_y, address->kernel_x);
        else
            buffer_ += ",,,,";
        fmt::format_to(std::back_inserter(buffer_), "{},{},{},{},{},{},{}\n",
                       cell.weight ? format_exact(*cell.weight * scale) : "",
                       cell.level ? fmt::to_string(*cell.level) : "",
                       cell.digit ? fmt::to_string(*cell.digit) : "", format_exact(cell.state),
                       format_exact(cell.intended_conductance), format_exact(cell.conductance),
                       to_string(cell.fault));
        constexpr std::size_t enough = 1 << 20;
        if (buffer_.size() > enough) flush();
    }

    void finish() override {
        flush();
        file_.commit();
    }

  private:
    void flush() {
        file_.write(buffer_);
        buffer_.clear();
    }

    AtomicFile file_;
    std::string buffer_;
};

class CellMapWriter::Hdf5 final : public Sink {
  public:
    explicit Hdf5(const std::filesystem::path& path)
        : path_(path), file_(hdf5::OutputGroup::create(format::cell_map, format::version)) {}

    void add(const std::string& layer, double scale, const CellRow& row) override {
        if (layer != layer_) write_layer();
        layer_ = layer;
        scale_ = scale;
        const CellMeaning& cell = row.cell;
        const auto int32 = [](Index value) { return static_cast<std::int32_t>(value); };
        const auto* address = std::get_if<CellAddress>(&cell.identity);
        const std::array<std::int32_t, place_columns> place{
            int32(row.tile_row),
            int32(row.tile_column),
            static_cast<std::int32_t>(cell.position.polarity),
            int32(cell.position.word_line),
            int32(cell.position.bit_line),
            slice_of(cell.identity),
            address != nullptr ? address->output_channel : none,
            address != nullptr ? address->input_channel : none,
            address != nullptr ? address->kernel_y : none,
            address != nullptr ? address->kernel_x : none,
            cell.level.value_or(0),
            cell.digit.value_or(none)};
        places_.insert(places_.end(), place.begin(), place.end());
        kinds_.push_back(address != nullptr ? 0 : cell.is_reference ? 1 : 2);
        faults_.push_back(static_cast<std::uint8_t>(cell.fault));
        weights_.push_back(cell.weight ? *cell.weight * scale
                                       : std::numeric_limits<double>::quiet_NaN());
        states_.push_back(cell.state);
        intended_.push_back(cell.intended_conductance);
        actual_.push_back(cell.conductance);
    }

    void finish() override {
        write_layer();
        file_.write_texts("layers", layers_);
        file_.save(path_);
    }

  private:
    static constexpr std::size_t place_columns = 12;

    void write_layer() {
        if (kinds_.empty()) return;
        auto group = file_.group(fmt::format("layer_{}", layers_.size()));
        group.set("layer", layer_);
        group.set("scale", scale_);
        constexpr auto packed = hdf5::Storage::packed;
        group.write("cell", {kinds_.size(), place_columns}, std::span<const std::int32_t>(places_),
                    "index", packed);
        group.set_on("cell", "columns",
                     "tile_row, tile_column, polarity (0 a, 1 b), word_line, bit_line, slice, "
                     "output_channel, input_channel, kernel_y, kernel_x (-1: holds no weight), "
                     "level (0 where continuous or none), digit (-1: whole weight)");
        group.write("kind", kinds_, "code", packed);
        group.set_on("kind", "codes", "0 weight, 1 reference, 2 pad");
        group.write("fault", faults_, "code", packed);
        group.set_on("fault", "codes", "0 none, 1 stuck_off, 2 stuck_on, 3 open");
        group.write("weight", weights_, "1", packed);
        group.write("state", states_, "1", packed);
        group.write("intended_conductance", intended_, "S", packed);
        group.write("conductance", actual_, "S", packed);
        layers_.push_back(layer_);
        places_.clear();
        kinds_.clear();
        faults_.clear();
        for (auto* column : {&weights_, &states_, &intended_, &actual_}) column->clear();
    }

    std::filesystem::path path_;
    hdf5::OutputGroup file_;
    std::vector<std::string> layers_;
    std::string layer_;
    double scale_ = 1;
    std::vector<std::int32_t> places_;
    std::vector<std::uint8_t> kinds_;
    std::vector<std::uint8_t> faults_;
    std::vector<double> weights_;
    std::vector<double> states_;
    std::vector<double> intended_;
    std::vector<double> actual_;
};

CellMapWriter::CellMapWriter(const std::filesystem::path& path) {
    if (path.extension() == ".h5" || path.extension() == ".hdf5")
        sink_ = std::make_unique<Hdf5>(path);
    else
        sink_ = std::make_unique<Csv>(path);
}

CellMapWriter::~CellMapWriter() = default;

void CellMapWriter::add(const std::string& layer, double scale, const std::vector<CellRow>& rows) {
    for (const CellRow& row : rows) sink_->add(layer, scale, row);
}

void CellMapWriter::finish() {
    sink_->finish();
}

}  // namespace kirchnet
