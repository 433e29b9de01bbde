#include "runs/run_reason.h"

#include <cctype>

#include "base/json.h"

namespace holdfast::runs {

namespace {

// "RateLimitedError" is rate_limited, "NOT_FOUND" is not_found: a type is a word that never changes its
// meaning.
std::string in_words(std::string_view type) {
  if (type.size() > 5 && type.ends_with("Error")) type.remove_suffix(5);
  std::string out;
  bool upper = true;
  for (const char c : type) {
    const bool is_upper = std::isupper(static_cast<unsigned char>(c)) != 0;
    if (is_upper && !upper) out += '_';
    upper = is_upper || c == '_';
    out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

}  // namespace

std::string failure_reason(const std::string& type) {
  return type.empty() ? "failed" : in_words(type);
}

std::string stop_reason(const RunOutcome& outcome) {
  switch (outcome.status) {
    case RunStatus::kCompleted: {
      const auto result = parse_json<nlohmann::ordered_json>(outcome.result);
      const bool cap = result.is_object() && result.contains("max_iterations_reached") &&
                       result["max_iterations_reached"] == true;
      return cap ? "max_iterations" : "completed";
    }
    case RunStatus::kFailed: return failure_reason(outcome.error_type);
    default: return std::string(to_string(outcome.status));
  }
}

}  // namespace holdfast::runs
