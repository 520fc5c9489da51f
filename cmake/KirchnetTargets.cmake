# How every folder becomes a library: `kirchnet_library(circuit SOURCES ... PUBLIC ... PRIVATE ...)`
# makes kirchnet_circuit with the alias kirchnet::circuit, the project's warnings and include root.

add_library(kirchnet_warnings INTERFACE)
target_compile_options(kirchnet_warnings INTERFACE -Wall -Wextra -Wpedantic -Wconversion)

function(kirchnet_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(kirchnet_${name} STATIC ${arg_SOURCES})
  add_library(kirchnet::${name} ALIAS kirchnet_${name})
  set_target_properties(kirchnet_${name} PROPERTIES EXPORT_NAME ${name}
                        POSITION_INDEPENDENT_CODE ON)
  target_include_directories(kirchnet_${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/kirchnet>)
  target_compile_features(kirchnet_${name} PUBLIC cxx_std_20)
  target_link_libraries(kirchnet_${name} PUBLIC ${arg_PUBLIC}
                        PRIVATE ${arg_PRIVATE} $<BUILD_INTERFACE:kirchnet_warnings>)
endfunction()
