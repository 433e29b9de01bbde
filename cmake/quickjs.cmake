# QuickJS-ng, a JavaScript engine in four C files (MIT), from the pinned PyPI sdist `quickjs-ng`: fetched at configuration,
# hash checked, compiled here. Only what runs in the sandbox process links it (src/sandbox).

set(_quickjs_version 0.17.0.2)
fetch_from_pypi(_quickjs quickjs-ng ${_quickjs_version} HASH 43d2e48272208721a7aaea8e3f02d4b9318f12ef20cc4f5421b59d9a470706ef
                PATTERNS "*/upstream-quickjs/*" "*/LICENSE" PIP --no-binary quickjs-ng)

# -O2 in every preset and without the sanitizers: it is foreign code, and the compiler cache is shared.
set(_sources ${_quickjs}/quickjs_ng-${_quickjs_version}/upstream-quickjs)
add_library(holdfast_quickjs STATIC ${_sources}/quickjs.c ${_sources}/libregexp.c ${_sources}/libunicode.c
                                    ${_sources}/dtoa.c)
set_target_properties(holdfast_quickjs PROPERTIES C_STANDARD 11 C_EXTENSIONS ON)
target_compile_definitions(holdfast_quickjs PRIVATE _GNU_SOURCE)
target_compile_options(holdfast_quickjs PRIVATE -O2 -g0 -w)
target_include_directories(holdfast_quickjs SYSTEM PUBLIC ${_sources})
