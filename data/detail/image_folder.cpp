#include "data/detail/image_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <set>
#include <sstream>

#include "circuit/error.hpp"
#include "data/detail/jpeg.hpp"

namespace kirchnet {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t most_memory = std::size_t{8} << 30U;  // [bytes] of pixels
constexpr std::int32_t most_classes = 1'000'000;

struct Line {
    std::string place;  ///< file and number, for messages
    std::vector<std::string> fields;
};

/// Lines that hold anything, cut at `separator`; at blanks where it is a blank.
std::vector<Line> read_lines(const fs::path& path, char separator) {
    std::ifstream file(path);
    if (!file) throw InvalidInput(path.string(), "cannot be opened");
    std::vector<Line> lines;
    std::string text;
    for (std::size_t number = 1; std::getline(file, text); ++number) {
        if (text.ends_with('\r')) text.pop_back();
        Line line{fmt::format("{}:{}", path.string(), number), {}};
        std::istringstream parts(text);
        for (std::string field; std::getline(parts, field, separator);)
            if (separator != ' ' || !field.empty()) line.fields.push_back(field);
        if (!line.fields.empty()) lines.push_back(std::move(line));
    }
    return lines;
}

std::int32_t parse_class(const Line& line, const std::string& text, std::int32_t classes) {
    std::int32_t value = -1;
    const char* const end = text.data() + text.size();
    const auto [rest, status] = std::from_chars(text.data(), end, value);
    if (status != std::errc{} || rest != end || value < 0 || value >= classes)
        throw InvalidInput(line.place,
                           fmt::format("'{}' is no class of 0 to {}", text, classes - 1));
    return value;
}

float parse_fraction(const Line& line, const std::string& text) {
    float value = -1;
    const char* const end = text.data() + text.size();
    const auto [rest, status] = std::from_chars(text.data(), end, value);
    if (status != std::errc{} || rest != end || !(value >= 0 && value <= 1))
        throw InvalidInput(line.place, fmt::format("'{}' is no fraction of 0 to 1", text));
    return value;
}

void add_image(LabelledImages& images, const RgbImage& image, std::int32_t label) {
    images.pixels.insert(images.pixels.end(), image.pixels.begin(), image.pixels.end());
    images.labels.push_back(label);
}

void reserve_pixels(const fs::path& folder, LabelledImages& images, std::size_t count) {
    const std::size_t size = images.shape.size();
    if (count > most_memory / size)
        throw InvalidInput(folder.string(), fmt::format("{} images of {} bytes need too much "
                                                        "memory; name fewer",
                                                        count, size));
    images.pixels.reserve(count * size);
}

std::size_t find_column(const Line& header, const std::string& name) {
    const auto found = std::find(header.fields.begin(), header.fields.end(), name);
    if (found == header.fields.end())
        throw InvalidInput(header.place, fmt::format("has no column '{}'", name));
    return static_cast<std::size_t>(found - header.fields.begin());
}

const std::string& field_of(const Line& line, std::size_t column) {
    if (column >= line.fields.size())
        throw InvalidInput(line.place, fmt::format("has {} columns, column {} is needed",
                                                   line.fields.size(), column + 1));
    return line.fields[column];
}

void check_size(const fs::path& path, const RgbImage& image, const ImageShape& wanted) {
    if (image.width != wanted.width || image.height != wanted.height)
        throw InvalidInput(path.string(),
                           fmt::format("is {} x {} pixels, {} x {} are needed", image.width,
                                       image.height, wanted.width, wanted.height));
}

std::int32_t count_classes(const fs::path& folder) {
    for (const auto& entry : fs::directory_iterator(folder))
        if (entry.path().extension() == ".names") {
            const std::size_t classes = read_lines(entry.path(), '\n').size();
            if (classes == 0 || classes > static_cast<std::size_t>(most_classes))
                throw InvalidInput(entry.path().string(), fmt::format("names {} classes", classes));
            return static_cast<std::int32_t>(classes);
        }
    throw InvalidInput(folder.string(), "has no .names file");
}

std::vector<fs::path> list_images(const fs::path& folder) {
    static const std::set<std::string> endings{".jpg", ".jpeg", ".JPG", ".JPEG"};
    std::vector<fs::path> paths;
    for (const auto& entry : fs::directory_iterator(folder))
        if (endings.contains(entry.path().extension().string())) paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    if (paths.empty()) throw InvalidInput(folder.string(), "holds no .jpg image");
    return paths;
}

LabelledObject parse_object(const Line& line, std::int32_t classes) {
    if (line.fields.size() != 5)
        throw InvalidInput(line.place, fmt::format("holds {} numbers, an object needs class, "
                                                   "centre x, centre y, width and height",
                                                   line.fields.size()));
    const std::int32_t label = parse_class(line, line.fields[0], classes);
    const float x = parse_fraction(line, line.fields[1]);
    const float y = parse_fraction(line, line.fields[2]);
    const float width = parse_fraction(line, line.fields[3]);
    const float height = parse_fraction(line, line.fields[4]);
    return {label, {x - width / 2, y - height / 2, x + width / 2, y + height / 2}};
}

std::vector<LabelledObject> read_objects(const fs::path& path, std::int32_t classes) {
    std::vector<LabelledObject> objects;
    if (!fs::exists(path)) return objects;
    for (const Line& line : read_lines(path, ' ')) objects.push_back(parse_object(line, classes));
    return objects;
}

}  // namespace

bool is_class_folder(const fs::path& folder) {
    return fs::is_regular_file(folder / "labels.tsv");
}

LabelledImages read_class_folder(const fs::path& folder, const std::optional<ImageShape>& input) {
    const auto lines = read_lines(folder / "labels.tsv", '\t');
    if (lines.size() < 2) throw InvalidInput((folder / "labels.tsv").string(), "names no image");
    const std::size_t label = find_column(lines.front(), "class_index");
    const std::size_t file = find_column(lines.front(), "file");
    LabelledImages images;
    for (auto line = lines.begin() + 1; line != lines.end(); ++line) {
        const fs::path path = folder / field_of(*line, file);
        const RgbImage image = read_jpeg(path);
        if (images.labels.empty()) {
            images.shape = {3, input ? input->height : image.height,
                            input ? input->width : image.width};
            reserve_pixels(folder, images, lines.size() - 1);
        }
        check_size(path, image, images.shape);
        add_image(images, image, parse_class(*line, field_of(*line, label), most_classes));
    }
    return images;
}

bool is_object_folder(const fs::path& folder) {
    if (!fs::is_directory(folder / "images") || !fs::is_directory(folder / "labels")) return false;
    const auto entries = fs::directory_iterator(folder);
    return std::any_of(fs::begin(entries), fs::end(entries),
                       [](const auto& entry) { return entry.path().extension() == ".names"; });
}

LabelledImages read_object_folder(const fs::path& folder, const std::optional<ImageShape>& input) {
    if (!input)
        throw InvalidInput(folder.string(),
                           "holds images of any size; they need a network's input "
                           "size to be resized to");
    const std::int32_t classes = count_classes(folder);
    const auto paths = list_images(folder / "images");
    LabelledImages images;
    images.shape = {3, input->height, input->width};
    reserve_pixels(folder, images, paths.size());
    for (const fs::path& path : paths) {
        add_image(images, resize_bilinear(read_jpeg(path), input->width, input->height),
                  LabelledImages::no_class);
        const fs::path labels = folder / "labels" / path.filename().replace_extension(".txt");
        images.objects.push_back(read_objects(labels, classes));
    }
    return images;
}

}  // namespace kirchnet
