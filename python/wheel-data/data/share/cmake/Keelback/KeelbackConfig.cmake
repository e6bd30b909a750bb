# find_package(Keelback) gives the function keelback_add_plugin(). Needs CMake 3.20.
#
#   keelback_add_plugin(TARGET [SHARED | MODULE] CDEF file... INIT file
#       [NAME name]                the plugin's module name; TARGET without it
#       [SOURCE prelude.c]         as --source
#       [EXTRA_CDEF file...]       as --cdef
#       [MODULES path...]          as --module
#       [SOVERSION X[.Y[.Z]]]      the version of the library's interface
#       [CPP_HEADER]               NAME.hpp beside NAME.h
#       [PYTHON path]              as --python
#       [OPTIONS option...])       any other options of `keelback build`
#
# TARGET is an ordinary library: the C source that keelback writes is compiled and linked by CMake. What is linked to it
# finds NAME.h. `install(TARGETS ... PUBLIC_HEADER DESTINATION ...)` installs the headers. MODULE is for what a host opens.

if(CMAKE_VERSION VERSION_LESS 3.20)
  set(Keelback_FOUND FALSE)
  set(Keelback_NOT_FOUND_MESSAGE "keelback_add_plugin() needs CMake 3.20 or later")
  return()
endif()

find_program(Keelback_EXECUTABLE keelback
  HINTS "${CMAKE_CURRENT_LIST_DIR}/../../../bin"
  DOC "The command line of keelback")
if(NOT Keelback_EXECUTABLE)
  set(Keelback_FOUND FALSE)
  set(Keelback_NOT_FOUND_MESSAGE
    "the command keelback is not on the PATH; Keelback_EXECUTABLE may say where it is")
  return()
endif()

cmake_policy(PUSH)
cmake_policy(VERSION 3.20)

# Absolute paths, from the directory of the CMakeLists.txt on.
function(_keelback_absolute variable)
  set(paths)
  foreach(path IN LISTS ARGN)
    get_filename_component(path "${path}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
    list(APPEND paths "${path}")
  endforeach()
  set(${variable} "${paths}" PARENT_SCOPE)
endfunction()

function(keelback_add_plugin target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "SHARED;MODULE;CPP_HEADER"
    "NAME;INIT;SOURCE;SOVERSION;PYTHON" "CDEF;EXTRA_CDEF;MODULES;OPTIONS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "keelback_add_plugin(${target}): nobody knows what ${arg_UNPARSED_ARGUMENTS} means")
  endif()
  foreach(needed IN ITEMS CDEF INIT)
    if(NOT arg_${needed})
      message(FATAL_ERROR "keelback_add_plugin(${target}): it needs ${needed} with a file")
    endif()
  endforeach()
  if(NOT arg_NAME)
    set(arg_NAME "${target}")
  endif()
  _keelback_absolute(arg_CDEF ${arg_CDEF})
  _keelback_absolute(arg_INIT ${arg_INIT})
  _keelback_absolute(arg_EXTRA_CDEF ${arg_EXTRA_CDEF})
  _keelback_absolute(arg_MODULES ${arg_MODULES})
  _keelback_absolute(arg_SOURCE ${arg_SOURCE})

  set(directory "${CMAKE_CURRENT_BINARY_DIR}/keelback/${target}")
  set(c_file "${directory}/${arg_NAME}.c")
  set(headers "${directory}/${arg_NAME}.h")
  set(options ${arg_CDEF} --init "${arg_INIT}" --name "${arg_NAME}")
  foreach(file IN LISTS arg_EXTRA_CDEF)
    list(APPEND options --cdef "${file}")
  endforeach()
  foreach(path IN LISTS arg_MODULES)
    list(APPEND options --module "${path}")
  endforeach()
  if(arg_SOURCE)
    list(APPEND options --source "${arg_SOURCE}")
  endif()
  if(arg_PYTHON)
    list(APPEND options --python "${arg_PYTHON}")
  endif()
  if(arg_CPP_HEADER)
    list(APPEND headers "${directory}/${arg_NAME}.hpp")
    list(APPEND options "--cpp-header=${directory}/${arg_NAME}.hpp")
  endif()
  add_custom_command(
    OUTPUT "${c_file}" ${headers}
    COMMAND "${Keelback_EXECUTABLE}" build ${options} --emit c -o "${c_file}" --header "${directory}/${arg_NAME}.h"
      --depfile "${c_file}.d" --cc "${CMAKE_C_COMPILER}" ${arg_OPTIONS}
    DEPENDS ${arg_CDEF} "${arg_INIT}" ${arg_EXTRA_CDEF} ${arg_SOURCE}
    DEPFILE "${c_file}.d"
    COMMENT "keelback: ${arg_NAME}"
    VERBATIM)

  if(arg_MODULE)
    set(kind MODULE)
  else()
    set(kind SHARED)
  endif()
  add_library(${target} ${kind} "${c_file}" ${headers})
  set_target_properties(${target} PROPERTIES PUBLIC_HEADER "${headers}")
  if(arg_SOVERSION)
    string(REGEX REPLACE "[.].*" "" major "${arg_SOVERSION}")
    set_target_properties(${target} PROPERTIES VERSION "${arg_SOVERSION}" SOVERSION "${major}")
  endif()
  target_include_directories(${target} PUBLIC "$<BUILD_INTERFACE:${directory}>")
  # What files include with quotes is beside them; the header has the includes of the declarations.
  foreach(file IN LISTS arg_CDEF)
    get_filename_component(beside "${file}" DIRECTORY)
    target_include_directories(${target} PUBLIC "$<BUILD_INTERFACE:${beside}>")
  endforeach()
  foreach(file IN LISTS arg_SOURCE arg_EXTRA_CDEF)
    get_filename_component(beside "${file}" DIRECTORY)
    target_include_directories(${target} PRIVATE "${beside}")
  endforeach()
  find_package(Threads REQUIRED)
  target_link_libraries(${target} PRIVATE Threads::Threads ${CMAKE_DL_LIBS})
  if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
    # Python stays in the process, and so does what it calls.
    target_link_options(${target} PRIVATE "LINKER:-z,nodelete")
  endif()
endfunction()

cmake_policy(POP)
