#include "pth_files.hpp"

#include <fmt/format.h>

namespace kirchnet::test {
namespace {

template <class Number>
std::string bytes_of(Number value) {
    return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

/// CRC-32 bit by bit (polynomial 0xEDB88320, reflected).
std::uint32_t checksum(const std::string& bytes) {
    std::uint32_t crc = ~0U;
    for (const char byte : bytes) {
        crc ^= static_cast<unsigned char>(byte);
        for (int bit = 0; bit < 8; ++bit) crc = crc >> 1U ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0U);
    }
    return ~crc;
}

struct Sizes {
    std::uint32_t packed;
    std::uint32_t plain;
};

/// Version, flags, method, time, date, checksum, sizes: the same in both headers of a member.
std::string common_header(const ZipMember& member, const Sizes& sizes) {
    return bytes_of<std::uint16_t>(45) + bytes_of(member.flags) + bytes_of(member.method) +
           bytes_of<std::uint32_t>(0) +
           bytes_of(checksum(member.content) ^ member.changed_checksum) + bytes_of(sizes.packed) +
           bytes_of(sizes.plain);
}

std::string local_entry(const ZipMember& member, const Sizes& sizes) {
    const std::string& name = member.own_name.empty() ? member.name : member.own_name;
    return std::string("PK\3\4") + common_header(member, sizes) +
           bytes_of(static_cast<std::uint16_t>(name.size())) + bytes_of<std::uint16_t>(0) + name +
           member.content;
}

std::string central_entry(const ZipMember& member, const Sizes& sizes, std::size_t offset) {
    const Sizes shown = member.wide ? Sizes{~0U, ~0U} : sizes;
    std::string extra;
    if (member.wide)
        extra = bytes_of<std::uint16_t>(1) + bytes_of<std::uint16_t>(16) +
                bytes_of<std::uint64_t>(sizes.plain) + bytes_of<std::uint64_t>(sizes.packed);
    return std::string("PK\1\2") + bytes_of<std::uint16_t>(45) + common_header(member, shown) +
           bytes_of(static_cast<std::uint16_t>(member.name.size())) +
           bytes_of(static_cast<std::uint16_t>(extra.size())) + std::string(10, '\0') +
           bytes_of(static_cast<std::uint32_t>(offset)) + member.name + extra;
}

}  // namespace

std::string zip_of(const std::vector<ZipMember>& members) {
    std::string archive;
    std::string directory;
    for (const ZipMember& member : members) {
        const auto size = static_cast<std::uint32_t>(member.content.size());
        const Sizes sizes{size + member.added_to_packed_size, size + member.added_to_size};
        directory += central_entry(member, sizes, archive.size());
        archive += local_entry(member, sizes);
    }
    const auto count = bytes_of(static_cast<std::uint16_t>(members.size()));
    return archive + directory + "PK\5\6" + std::string(4, '\0') + count + count +
           bytes_of(static_cast<std::uint32_t>(directory.size())) +
           bytes_of(static_cast<std::uint32_t>(archive.size())) + std::string(2, '\0');
}

std::string pth_of(const std::string& pickle, const std::string& storage) {
    return zip_of({{.name = "x/data.pkl", .content = pickle},
                   {.name = "x/data/0", .content = storage},
                   {.name = "x/version", .content = "3\n"}});
}

std::string pickled(const std::string& program) {
    return fmt::format("\x80\x02{}.", program);
}

std::string global(const std::string& module, const std::string& name) {
    return fmt::format("c{}\n{}\n", module, name);
}

std::string text(const std::string& value) {
    return fmt::format("X{}{}", bytes_of(static_cast<std::uint32_t>(value.size())), value);
}

std::string integer(std::int64_t value) {
    return fmt::format("\x8a\x08{}", bytes_of(value));
}

std::string tuple(const std::vector<std::string>& items) {
    std::string program = "(";
    for (const std::string& item : items) program += item;
    return program + "t";
}

std::string dictionary(const std::vector<std::string>& keys_and_values) {
    std::string program = "}(";
    for (const std::string& item : keys_and_values) program += item;
    return program + "u";
}

std::string storage(const std::string& type, std::int64_t numbers) {
    return tuple(
               {text("storage"), global("torch", type), text("0"), text("cpu"), integer(numbers)}) +
           "Q";
}

std::string tensor(const std::string& storage, std::int64_t offset,
                   const std::vector<std::int64_t>& size,
                   const std::vector<std::int64_t>& strides) {
    const auto list = [](const std::vector<std::int64_t>& numbers) {
        std::vector<std::string> items;
        for (const std::int64_t number : numbers) items.push_back(integer(number));
        return tuple(items);
    };
    return global("torch._utils", "_rebuild_tensor_v2") +
           tuple({storage, integer(offset), list(size), list(strides), "\x89", "}"}) + "R";
}

std::string floats(std::size_t count) {
    std::string bytes;
    for (std::size_t i = 0; i < count; ++i) bytes += bytes_of(static_cast<float>(i));
    return bytes;
}

}  // namespace kirchnet::test
