# What many files of a room include is parsed once for all of them: a first build on a bare machine takes half the time.
# Only where HOLDFAST_PRECOMPILE is on (the dev preset), for it hides an include that is missing; the release build, which
# every change passes, has none of it.
option(HOLDFAST_PRECOMPILE "Precompile what a quarter of a room's files include" OFF)

# Parsing for one file what the others then load costs as much as three of them save.
set(HOLDFAST_PRECOMPILE_FROM 4)

# holdfast_precompile(target source ...): of the sources, as they stand when the build is configured.
function(holdfast_precompile target)
  list(FILTER ARGN INCLUDE REGEX "^[^/].*[.]cc$")  # what is generated stands in the build tree, and not yet
  list(LENGTH ARGN files)
  if(NOT HOLDFAST_PRECOMPILE OR files LESS HOLDFAST_PRECOMPILE_FROM)
    return()
  endif()
  set(chosen)
  foreach(source ${ARGN})
    file(STRINGS ${source} headers REGEX "^#include [<\"]")
    list(TRANSFORM headers REPLACE "^#include ([<\"][^>\"]+[>\"]).*" "\\1")
    list(REMOVE_DUPLICATES headers)
    foreach(header IN LISTS headers)
      string(MAKE_C_IDENTIFIER ${header} key)
      if(NOT DEFINED times_${key})
        set(times_${key} 0)
      endif()
      math(EXPR times_${key} "${times_${key}} + 1")
      math(EXPR parts "${times_${key}} * 4")
      if(parts GREATER_EQUAL files AND NOT header IN_LIST chosen)
        list(APPEND chosen ${header})
      endif()
    endforeach()
  endforeach()
  if(chosen)
    target_precompile_headers(${target} PRIVATE ${chosen})
  endif()
endfunction()
