#include "data/detail/file_format.hpp"

#include <fmt/format.h>

#include "circuit/error.hpp"

namespace kirchnet {

bool has_format(const hdf5::InputGroup& file, const std::string& format) {
    return file.has_attribute("format") &&
           file.describe_attribute("format").kind == hdf5::ValueKind::text &&
           file.text("format") == format;
}

hdf5::InputGroup open_format(const std::filesystem::path& path, const std::string& format) {
    hdf5::InputGroup file = hdf5::InputGroup::open(path);
    if (!file.has_attribute("format"))
        throw InvalidInput(file.where(),
                           fmt::format("is no '{}' file: attribute 'format' is missing", format));
    if (const std::string found = file.text("format"); found != format)
        throw InvalidInput(file.where(), fmt::format("is a '{}' file, not '{}'", found, format));
    if (const auto found = file.count("format_version"); found != format::version)
        throw InvalidInput(
            file.where(),
            fmt::format("has format_version {}, this kirchnet reads {}", found, format::version));
    return file;
}

const char* yes_or_no(bool value) {
    return value ? "yes" : "no";
}

bool read_yes_or_no(const hdf5::InputGroup& group, const std::string& attribute) {
    const std::string answer = group.text(attribute);
    if (answer != "yes" && answer != "no")
        throw InvalidInput(group.where(), fmt::format("attribute '{}' is '{}', neither yes nor no",
                                                      attribute, answer));
    return answer == "yes";
}

}  // namespace kirchnet
