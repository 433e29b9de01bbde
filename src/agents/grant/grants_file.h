#pragma once

// The operator's grants in a file:
//
//   apiVersion: holdfast.dev/v1
//   kind: Grants
//   grants:
//     - host:api.example.com
//     - database:/srv/shop.db
//
// Pure. INVALID_ARGUMENT names every mistake with its place.

#include <string_view>
#include <vector>

#include "grant/grant.h"
#include "holdfast/status.h"

namespace holdfast::grant {

inline constexpr std::size_t kMaxGrants = 4096;

// `source` names the file in errors.
Result<std::vector<Grant>> parse_grants_file(std::string_view text, std::string_view source);

}  // namespace holdfast::grant
