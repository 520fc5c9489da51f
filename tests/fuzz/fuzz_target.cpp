// What libFuzzer calls with every input it thinks of.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "readers.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    for (const auto& reader : kirchnet::fuzz::readers())
        if (reader.name == KIRCHNET_FUZZED_READER) {
            kirchnet::fuzz::feed(reader, {reinterpret_cast<const char*>(bytes), size});
            return 0;
        }
    std::abort();  // readers.cpp lacks a name that CMakeLists.txt has
}
