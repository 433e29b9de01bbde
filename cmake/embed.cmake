# cmake -DOUT=x.cc "-DFILES=path|content type|file;..." -P embed.cmake
# Writes a source file that holds the bytes of every file and defines holdfast::http::page_files().
set(arrays "")
set(rows "")
set(n 0)
foreach(entry IN LISTS FILES)
  string(REPLACE "|" ";" entry "${entry}")
  list(GET entry 0 path)
  list(GET entry 1 type)
  list(GET entry 2 file)
  file(READ ${file} hex HEX)
  file(SHA256 ${file} hash)
  string(SUBSTRING ${hash} 0 16 hash)
  string(LENGTH "${hex}" length)
  math(EXPR length "${length} / 2")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" bytes "${hex}")
  # One literal per 64 bytes: compilers limit a literal's length, and a hex escape must not run into what follows.
  string(REGEX REPLACE "((\\\\x[0-9a-f][0-9a-f])(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?)" "\"\\1\" " bytes "${bytes}")
  string(APPEND arrays "constexpr char kFile${n}[] = ${bytes}\"\";\n")
  string(APPEND rows "    {\"${path}\", \"${type}\", \"\\\"${hash}\\\"\", std::string_view(kFile${n}, ${length})},\n")
  math(EXPR n "${n} + 1")
endforeach()
file(WRITE ${OUT}.new "// Written by cmake/embed.cmake.
#include \"http/page_files.h\"
namespace holdfast::http {
namespace {
${arrays}constexpr PageFile kFiles[] = {
${rows}};
}  // namespace
std::span<const PageFile> page_files() { return kFiles; }
}  // namespace holdfast::http
")
file(COPY_FILE ${OUT}.new ${OUT} ONLY_IF_DIFFERENT)
file(REMOVE ${OUT}.new)
