#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kirchnet::test {

/// A member of a zip archive, and lies about it.
struct ZipMember {
    std::string name{};
    std::string content{};
    std::uint16_t flags = 0;
    std::uint16_t method = 0;
    std::uint32_t added_to_size = 0;         ///< announced beyond the content
    std::uint32_t added_to_packed_size = 0;  ///< as above
    std::uint32_t changed_checksum = 0;      ///< bits to flip
    bool wide = false;                       ///< sizes in zip64's extra field
    std::string own_name{};                  ///< in the member's own header; empty: `name`
};

/// A zip archive by the book (APPNOTE 6.3) but for what its members lie about.
std::string zip_of(const std::vector<ZipMember>& members);

/// What torch.save writes around a pickled object and the bytes of storage 0.
std::string pth_of(const std::string& pickle, const std::string& storage = "");

// Parts of pickle programs, protocol 2.
std::string pickled(const std::string& program);  ///< with PROTO and STOP
std::string global(const std::string& module, const std::string& name);
std::string text(const std::string& value);
std::string integer(std::int64_t value);
std::string tuple(const std::vector<std::string>& items);
std::string dictionary(const std::vector<std::string>& keys_and_values);
/// Storage 0 with `numbers` of type `type`, such as FloatStorage.
std::string storage(const std::string& type, std::int64_t numbers);
/// torch._utils._rebuild_tensor_v2 of a storage.
std::string tensor(const std::string& storage, std::int64_t offset,
                   const std::vector<std::int64_t>& size, const std::vector<std::int64_t>& strides);

/// The bytes of `count` float32 numbers 0, 1, 2, ...
std::string floats(std::size_t count);

}  // namespace kirchnet::test
