# Libraries, public headers, programs and the package `find_package(kirchnet)` reads.
include(CMakePackageConfigHelpers)

set(kirchnet_folders circuit netlists solver data nn)
set(kirchnet_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/kirchnet)

list(TRANSFORM kirchnet_folders PREPEND kirchnet_ OUTPUT_VARIABLE kirchnet_libraries)
install(TARGETS ${kirchnet_libraries} EXPORT kirchnetTargets)
foreach(folder IN LISTS kirchnet_folders)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${folder}/
          DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/kirchnet/${folder}
          FILES_MATCHING PATTERN "*.hpp"
          PATTERN detail EXCLUDE PATTERN architectures EXCLUDE
          PATTERN training EXCLUDE PATTERN embedded EXCLUDE)
endforeach()
install(EXPORT kirchnetTargets NAMESPACE kirchnet:: DESTINATION ${kirchnet_package_dir})

if(TARGET kirchnet)
  install(TARGETS kirchnet DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
if(EXISTS ${PROJECT_SOURCE_DIR}/data/embedded)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/data/embedded
          DESTINATION ${CMAKE_INSTALL_DATADIR}/kirchnet)
endif()

configure_package_config_file(cmake/kirchnetConfig.cmake.in kirchnetConfig.cmake
                              INSTALL_DESTINATION ${kirchnet_package_dir})
write_basic_package_version_file(kirchnetConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/kirchnetConfig.cmake
              ${PROJECT_BINARY_DIR}/kirchnetConfigVersion.cmake
              ${PROJECT_SOURCE_DIR}/cmake/FindKLU.cmake
        DESTINATION ${kirchnet_package_dir})
