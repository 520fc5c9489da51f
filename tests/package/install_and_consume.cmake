# cmake -D build_tree=... -D work=... -D consumer=... -P install_and_consume.cmake
set(prefix ${work}/prefix)
set(build ${work}/build)
file(REMOVE_RECURSE ${prefix} ${build})

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

run(${CMAKE_COMMAND} --install ${build_tree} --prefix ${prefix})
file(GLOB_RECURSE private ${prefix}/include/*detail*)
if(private)
  message(FATAL_ERROR "detail headers were installed: ${private}")
endif()
run(${CMAKE_COMMAND} -S ${consumer} -B ${build} -G ${generator} -D CMAKE_BUILD_TYPE=Release
    -D CMAKE_CXX_COMPILER=${compiler} -D CMAKE_CXX_FLAGS=${flags} -D CMAKE_PREFIX_PATH=${prefix}
    -D KIRCHNET_VERSION_WANTED=${version})
run(${CMAKE_COMMAND} --build ${build})
run(${build}/read_array)
run(${build}/all_folders)
