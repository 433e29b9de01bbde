# Sources that come from PyPI: pinned, fetched once, at configuration, into a folder that builds share, hash checked.

find_package(Python3 REQUIRED COMPONENTS Interpreter)

if(DEFINED ENV{HOLDFAST_CACHE})
  set(_cache $ENV{HOLDFAST_CACHE})
elseif(DEFINED ENV{XDG_CACHE_HOME})
  set(_cache $ENV{XDG_CACHE_HOME}/holdfast)
else()
  set(_cache $ENV{HOME}/.cache/holdfast)
endif()

# fetch_from_pypi(OUT PACKAGE VERSION HASH sha256 PATTERNS glob ... PIP option ... [OPTIONAL what fails]): OUT is the folder
# in which the files of the package's one archive stand that the patterns name. OPTIONAL: without them the rest is built.
function(fetch_from_pypi out package version)
  cmake_parse_arguments(arg "" "HASH;OPTIONAL" "PATTERNS;PIP" ${ARGN})
  set(folder ${_cache}/${package}-${version}-${arg_HASH})
  set(${out} ${folder} PARENT_SCOPE)
  if(EXISTS ${folder}/done)
    return()
  endif()
  message(STATUS "Fetching ${package} ${version} from PyPI")
  file(REMOVE_RECURSE ${folder})
  file(MAKE_DIRECTORY ${folder}/archive)
  file(WRITE ${folder}/requirements.txt "${package}==${version} --hash=sha256:${arg_HASH}\n")
  execute_process(
    COMMAND ${Python3_EXECUTABLE} -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes
            ${arg_PIP} --dest ${folder}/archive --requirement ${folder}/requirements.txt
    RESULT_VARIABLE failed)
  file(GLOB archive ${folder}/archive/*)
  if((failed OR NOT archive) AND arg_OPTIONAL)
    message(WARNING "could not download ${package} ${version}: ${arg_OPTIONAL}")
    return()
  elseif(failed OR NOT archive)
    message(FATAL_ERROR "could not download ${package} ${version}; python3-pip and network are needed once")
  endif()
  file(ARCHIVE_EXTRACT INPUT ${archive} DESTINATION ${folder} PATTERNS ${arg_PATTERNS})
  file(REMOVE_RECURSE ${folder}/archive)
  file(TOUCH ${folder}/done)
endfunction()
