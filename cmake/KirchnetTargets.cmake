# How every folder becomes a library: `kirchnet_library(circuit SOURCES ... PUBLIC ... PRIVATE ...)`
# makes kirchnet_circuit with the alias kirchnet::circuit, the project's warnings and include root.

add_library(kirchnet_warnings INTERFACE)
target_compile_options(kirchnet_warnings INTERFACE -Wall -Wextra -Wpedantic -Wconversion)

# What nearly every library source includes, read once for all of them.
function(kirchnet_precompile target)
  if(NOT KIRCHNET_PRECOMPILE)
    return()
  endif()
  if(NOT TARGET kirchnet_library_headers)
    file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/library_headers.cpp CONTENT "")
    add_library(kirchnet_library_headers OBJECT ${PROJECT_BINARY_DIR}/library_headers.cpp)
    target_link_libraries(kirchnet_library_headers PRIVATE fmt::fmt Eigen3::Eigen kirchnet_warnings)
    set_target_properties(kirchnet_library_headers PROPERTIES POSITION_INDEPENDENT_CODE ON)
    target_precompile_headers(kirchnet_library_headers PRIVATE
                              ${PROJECT_SOURCE_DIR}/cmake/precompiled.hpp)
  endif()
  target_precompile_headers(${target} REUSE_FROM kirchnet_library_headers)
endfunction()

# OWN_HEADERS: the folder brings macros of its own, with which common precompiled headers are of no
# use.
function(kirchnet_library name)
  cmake_parse_arguments(arg "OWN_HEADERS" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
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
  if(NOT arg_OWN_HEADERS)
    kirchnet_precompile(kirchnet_${name})
  endif()
endfunction()

# `kirchnet_isa_kernels(nn detail/product_kernels_isa.cpp [OWN_EIGEN] [CONTRACT])` compiles one source
# into kirchnet_nn once per instruction set of circuit/instruction_set.hpp. KIRCHNET_ISA names the
# set there: baseline, avx2 or avx512. Only plain pointers may cross the border of such a source, and
# everything it defines sits in a namespace of that name, so that the linker cannot pick code with
# wider registers for a processor that lacks them. OWN_EIGEN: the source includes Eigen, which gets
# a namespace of its own per set. CONTRACT: a * b + c may become one rounding where the set has it.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(KIRCHNET_X86_KERNELS ON)
endif()

function(kirchnet_isa_kernels folder source)
  cmake_parse_arguments(arg "OWN_EIGEN;CONTRACT" "" "" ${ARGN})
  set(isas baseline)
  if(KIRCHNET_X86_KERNELS)
    list(APPEND isas avx2 avx512)
    target_compile_definitions(kirchnet_${folder} PRIVATE KIRCHNET_X86_KERNELS)
  endif()
  set(flags_avx2 -mavx2 -mfma)
  # GCC 12 takes the undefined operands of its own AVX-512 intrinsics for uninitialised variables.
  set(flags_avx512 -mavx512f -mavx512dq -mavx512vl -mavx512bw -mfma -mprefer-vector-width=512)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    list(APPEND flags_avx512 -Wno-maybe-uninitialized -Wno-uninitialized)
  endif()
  cmake_path(GET source STEM stem)
  foreach(isa IN LISTS isas)
    set(target kirchnet_${folder}_${stem}_${isa})
    add_library(${target} OBJECT ${source})
    target_link_libraries(${target} PRIVATE kirchnet_warnings)
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    target_compile_definitions(${target} PRIVATE KIRCHNET_ISA=${isa} KIRCHNET_ISA_${isa})
    # Lets floor and clamp loops vectorise; infinities keep their meaning.
    target_compile_options(${target} PRIVATE -fno-math-errno -fno-trapping-math
                           -ffp-contract=$<IF:$<BOOL:${arg_CONTRACT}>,fast,off> ${flags_${isa}})
    if(arg_OWN_EIGEN)
      target_link_libraries(${target} PRIVATE Eigen3::Eigen)
      target_compile_definitions(${target} PRIVATE Eigen=Eigen_${isa})
    endif()
    target_sources(kirchnet_${folder} PRIVATE $<TARGET_OBJECTS:${target}>)
  endforeach()
endfunction()
