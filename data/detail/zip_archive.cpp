// Layout (PKWARE's APPNOTE 6.3, sections 4.3 and 4.5.3): members, each behind a local header; the
// central directory, a header per member; its end record, before which zip64 puts a wider one.
#include "data/detail/zip_archive.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <utility>

#include "circuit/error.hpp"
#include "data/detail/little_endian.hpp"
#include "data/detail/plain_text.hpp"

namespace kirchnet {
namespace {

constexpr std::string_view local_signature("PK\3\4", 4);
constexpr std::string_view central_signature("PK\1\2", 4);
constexpr std::string_view end_signature("PK\5\6", 4);
constexpr std::string_view wide_end_signature("PK\6\6", 4);
constexpr std::string_view wide_locator_signature("PK\6\7", 4);

// Fixed parts [bytes].
constexpr std::size_t local_size = 30;
constexpr std::size_t central_size = 46;
constexpr std::size_t end_size = 22;
constexpr std::size_t wide_end_size = 56;
constexpr std::size_t wide_locator_size = 20;
constexpr std::size_t longest_comment = 65535;

constexpr std::uint16_t encrypted = 1;  // flag
constexpr std::uint32_t in_wide_field = 0xFFFFFFFF;
constexpr std::uint16_t wide_field = 1;  // zip64's extra field

template <class Number>
Number field(std::string_view bytes, std::size_t at) {
    return load_little_endian<Number>(bytes, at);
}

struct Directory {
    std::uint64_t members = 0;
    std::uint64_t start = 0;
};

}  // namespace

ZipArchive::ZipArchive(std::string_view bytes, std::string where)
    : bytes_(bytes), where_(std::move(where)) {
    read_directory();
}

void ZipArchive::fail(const std::string& name, const std::string& problem) const {
    throw InvalidInput(fmt::format("{}:{}", where_, printable(name)), problem);
}

std::string_view ZipArchive::slice(std::uint64_t at, std::uint64_t size, const char* what) const {
    if (at > bytes_.size() || size > bytes_.size() - at)
        throw InvalidInput(where_, fmt::format("zip archive is truncated or damaged: its {} lies "
                                               "outside the file",
                                               what));
    return bytes_.substr(at, size);
}

void ZipArchive::read_directory() {
    const std::size_t from = bytes_.size() - std::min(bytes_.size(), longest_comment + end_size);
    const std::size_t at = bytes_.substr(from).rfind(end_signature);
    if (at == std::string_view::npos)
        throw InvalidInput(where_, "zip archive is truncated: it has no directory");
    const std::string_view end = slice(from + at, end_size, "end record");
    Directory directory{field<std::uint16_t>(end, 10), field<std::uint32_t>(end, 16)};
    if (from + at >= wide_locator_size) {
        const auto locator = slice(from + at - wide_locator_size, wide_locator_size, "locator");
        if (locator.starts_with(wide_locator_signature)) {
            const auto wide =
                slice(field<std::uint64_t>(locator, 8), wide_end_size, "zip64 end record");
            if (!wide.starts_with(wide_end_signature))
                throw InvalidInput(where_, "zip archive is damaged: no zip64 end record");
            directory = {field<std::uint64_t>(wide, 32), field<std::uint64_t>(wide, 48)};
        }
    }
    std::size_t next = directory.start;
    for (std::uint64_t i = 0; i < directory.members; ++i) next = read_entry(next);
}

std::size_t ZipArchive::read_entry(std::size_t at) {
    const std::string_view entry = slice(at, central_size, "directory");
    if (!entry.starts_with(central_signature))
        throw InvalidInput(where_, "zip archive is damaged: its directory is none");
    const std::size_t name_size = field<std::uint16_t>(entry, 28);
    const std::size_t extra_size = field<std::uint16_t>(entry, 30);
    const std::size_t comment_size = field<std::uint16_t>(entry, 32);
    const std::string name(slice(at + central_size, name_size, "directory"));
    Member member{.flags = field<std::uint16_t>(entry, 8),
                  .method = field<std::uint16_t>(entry, 10),
                  .checksum = field<std::uint32_t>(entry, 16),
                  .packed_size = field<std::uint32_t>(entry, 20),
                  .size = field<std::uint32_t>(entry, 24),
                  .header = field<std::uint32_t>(entry, 42)};
    widen(member, slice(at + central_size + name_size, extra_size, "directory"), name);
    if (member.packed_size > bytes_.size() - total_)
        fail(name, "overlaps other members of the zip archive, or is larger than the file");
    total_ += member.packed_size;
    if (!members_.emplace(name, member).second) fail(name, "is twice in the zip archive");
    return at + central_size + name_size + extra_size + comment_size;
}

/// Numbers that do not fit 32 bits stand in the extra field, in this order.
void ZipArchive::widen(Member& member, std::string_view extra, const std::string& name) const {
    std::uint64_t* const numbers[] = {&member.size, &member.packed_size, &member.header};
    while (extra.size() >= 4) {
        const auto kind = field<std::uint16_t>(extra, 0);
        const std::size_t size = field<std::uint16_t>(extra, 2);
        if (size > extra.size() - 4) break;
        std::string_view wide = extra.substr(4, size);
        extra.remove_prefix(4 + size);
        if (kind != wide_field) continue;
        for (std::uint64_t* number : numbers) {
            if (*number != in_wide_field) continue;
            if (wide.size() < sizeof(std::uint64_t)) fail(name, "has a damaged zip64 field");
            *number = field<std::uint64_t>(wide, 0);
            wide.remove_prefix(sizeof(std::uint64_t));
        }
        return;
    }
}

std::string ZipArchive::find(std::string_view ending) const {
    std::string found;
    for (const auto& [name, member] : members_) {
        if (!name.ends_with(ending)) continue;
        if (!found.empty())
            throw InvalidInput(
                where_, fmt::format("holds both '{}' and '{}'", printable(found), printable(name)));
        found = name;
    }
    return found;
}

void ZipArchive::check_readable(const Member& member, const std::string& name) const {
    if ((member.flags & encrypted) != 0) fail(name, "is encrypted");
    if (member.method != 0)
        fail(name,
             fmt::format("is compressed (method {}); PyTorch stores members as they are: save "
                         "the file with torch.save again",
                         member.method));
    if (member.packed_size != member.size)
        fail(name, fmt::format("announces {} bytes of {} stored", member.size, member.packed_size));
}

/// The bytes behind the member's own header.
std::string_view ZipArchive::content(const Member& member, const std::string& name) const {
    const std::string_view local = slice(member.header, local_size, "member");
    if (!local.starts_with(local_signature)) fail(name, "has no header where it should begin");
    const std::size_t name_size = field<std::uint16_t>(local, 26);
    const std::size_t extra_size = field<std::uint16_t>(local, 28);
    if (slice(member.header + local_size, name_size, "member") != name)
        fail(name, "has another name in its own header");
    return slice(member.header + local_size + name_size + extra_size, member.size, "member");
}

std::string_view ZipArchive::read(const std::string& name) const {
    const auto found = members_.find(name);
    if (found == members_.end()) fail(name, "is missing from the zip archive");
    check_readable(found->second, name);
    const std::string_view bytes = content(found->second, name);
    const auto checksum =
        crc32_z(0, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    if (checksum != found->second.checksum) fail(name, "is damaged: its checksum does not match");
    return bytes;
}

}  // namespace kirchnet
