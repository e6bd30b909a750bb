# Made by keelback @KEELBACK@: find_package(@NAME@) gives the target @NAME@::@NAME@.
if(TARGET @NAME@::@NAME@)
  return()
endif()

# From where this file is, so that the whole may be moved, or looked at before it is in its place.
get_filename_component(_keelback_libdir "${CMAKE_CURRENT_LIST_DIR}" REALPATH)
get_filename_component(_keelback_libdir "${_keelback_libdir}/../.." ABSOLUTE)
get_filename_component(_keelback_includedir "@INCLUDEDIR@" ABSOLUTE)

set(@NAME@_FOUND TRUE)
foreach(_keelback_file IN ITEMS "${_keelback_libdir}/@LIBRARY@" "${_keelback_includedir}")
  if(NOT EXISTS "${_keelback_file}")
    set(@NAME@_FOUND FALSE)
    set(@NAME@_NOT_FOUND_MESSAGE "${_keelback_file} is not there")
  endif()
endforeach()

if(@NAME@_FOUND)
  add_library(@NAME@::@NAME@ SHARED IMPORTED)
  set_target_properties(@NAME@::@NAME@ PROPERTIES
    IMPORTED_LOCATION "${_keelback_libdir}/@LIBRARY@"
    IMPORTED_SONAME "@SONAME@"
    INTERFACE_INCLUDE_DIRECTORIES "${_keelback_includedir}")
endif()
unset(_keelback_file)
unset(_keelback_libdir)
unset(_keelback_includedir)
