# QuickJS-ng, a JavaScript engine in four C files (MIT), from the pinned PyPI sdist `quickjs-ng`: fetched at configuration,
# hash checked, compiled here. Only what runs in the sandbox process links it (src/sandbox).

set(HOLDFAST_QUICKJS_VERSION 0.17.0.2)
set(_sdist_sha256 43d2e48272208721a7aaea8e3f02d4b9318f12ef20cc4f5421b59d9a470706ef)
set(_quickjs ${_cache}/quickjs-ng-${HOLDFAST_QUICKJS_VERSION}-${_sdist_sha256})

if(NOT EXISTS ${_quickjs}/done)
  message(STATUS "Fetching the sources of QuickJS-ng (quickjs-ng ${HOLDFAST_QUICKJS_VERSION})")
  file(REMOVE_RECURSE ${_quickjs})
  file(MAKE_DIRECTORY ${_quickjs})
  file(WRITE ${_quickjs}/requirements.txt
       "quickjs-ng==${HOLDFAST_QUICKJS_VERSION} --hash=sha256:${_sdist_sha256}\n")
  execute_process(
    COMMAND ${Python3_EXECUTABLE} -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes
            --no-binary quickjs-ng --dest ${_quickjs} --requirement ${_quickjs}/requirements.txt
    RESULT_VARIABLE _failed)
  file(GLOB _sdist ${_quickjs}/quickjs*.tar.gz)
  if(_failed OR NOT _sdist)
    message(FATAL_ERROR "could not download quickjs-ng ${HOLDFAST_QUICKJS_VERSION}; python3-pip and network are needed once")
  endif()
  file(ARCHIVE_EXTRACT INPUT ${_sdist} DESTINATION ${_quickjs} PATTERNS "*/upstream-quickjs/*" "*/LICENSE")
  file(REMOVE ${_sdist})
  file(TOUCH ${_quickjs}/done)
endif()

# -O2 in every preset and without the sanitizers: it is foreign code, and the compiler cache is shared.
set(_sources ${_quickjs}/quickjs_ng-${HOLDFAST_QUICKJS_VERSION}/upstream-quickjs)
add_library(holdfast_quickjs STATIC ${_sources}/quickjs.c ${_sources}/libregexp.c ${_sources}/libunicode.c
                                    ${_sources}/dtoa.c)
set_target_properties(holdfast_quickjs PROPERTIES C_STANDARD 11 C_EXTENSIONS ON)
target_compile_definitions(holdfast_quickjs PRIVATE _GNU_SOURCE)
target_compile_options(holdfast_quickjs PRIVATE -O2 -g0 -w)
target_include_directories(holdfast_quickjs SYSTEM PUBLIC ${_sources})
