#pragma once

// The console's files and the OpenAPI document, compiled into the binary (tools/embed_console.py writes the
// definition).

#include <cstdint>
#include <span>
#include <string_view>

namespace holdfast::http {

struct PageFile {
  enum class Kind : std::uint8_t {
    kPage,     // an address of the console: what every one of them answers, and what links may lead to
    kForever,  // its name changes with its bytes
    kFile,
  };

  std::string_view path;  // as requested: of a page, the pattern ("/runs/{id}")
  std::string_view content_type;
  std::string_view etag;  // quoted
  std::string_view bytes;
  std::string_view gzip;  // the same, packed; empty: it would not be smaller
  Kind kind;
};

std::span<const PageFile> page_files();

}  // namespace holdfast::http
