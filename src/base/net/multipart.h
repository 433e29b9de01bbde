#pragma once

// Forms with files (multipart/form-data, RFC 7578), as browsers send them. Pure; nothing of it is trusted.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/status.h"

namespace holdfast::net {

inline constexpr std::size_t kMaxFormParts = 500;

struct FormPart {
  std::string name;
  std::optional<std::string> filename;  // of a file, without folders; empty when none was chosen
  std::string_view body;                // into the request's
};

// INVALID_ARGUMENT says what is wrong: no boundary, parts that do not end, or too many of them.
Result<std::vector<FormPart>> read_form_parts(std::string_view content_type, std::string_view body);

}  // namespace holdfast::net
