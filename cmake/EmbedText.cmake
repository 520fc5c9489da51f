# Text files as constants of the program: a script that a build step runs.
#   cmake -DOUT=page_files.cpp -DHEADER=tools/output/page_files.hpp "-DFILES=name=path;name=path"
#         -P EmbedText.cmake
set(body "")
foreach(entry IN LISTS FILES)
  string(REGEX MATCH "^([a-z_]+)=(.*)$" _ "${entry}")
  set(name ${CMAKE_MATCH_1})
  set(path ${CMAKE_MATCH_2})
  file(READ "${path}" bytes HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  # Bytes, since literals of that length are beyond what compilers promise to take.
  string(APPEND body "constexpr unsigned char ${name}_bytes[] = {${bytes}0};\n")
  string(APPEND accessors
         "std::string_view ${name}() { return text_of(${name}_bytes); }\n")
endforeach()
file(WRITE "${OUT}.new" "#include \"${HEADER}\"

#include <cstddef>

namespace kirchnet::page {
namespace {

${body}
template <std::size_t size>
std::string_view text_of(const unsigned char (&bytes)[size]) {
    return {reinterpret_cast<const char*>(bytes), size - 1};
}

}  // namespace

${accessors}
}  // namespace kirchnet::page
")
file(RENAME "${OUT}.new" "${OUT}")
