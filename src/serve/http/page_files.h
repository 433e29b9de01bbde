#pragma once

// The page's files and the OpenAPI document, compiled into the binary (cmake/embed.cmake writes the
// definition).

#include <span>
#include <string_view>

namespace holdfast::http {

struct PageFile {
  std::string_view path;  // as requested
  std::string_view content_type;
  std::string_view etag;  // quoted
  std::string_view bytes;
};

std::span<const PageFile> page_files();

}  // namespace holdfast::http
