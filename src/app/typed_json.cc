#include "app/typed_json.h"

#include "base/json.h"
#include "base/json_repeats.h"

namespace holdfast::app {

Result<nlohmann::ordered_json> json_or_text(const std::string& typed) {
  auto exact = read_json<nlohmann::ordered_json>(typed, kMaxJsonDepth, Integers::kExact);
  if (const auto twice = exact ? repeated_member(typed) : std::nullopt)
    return fail(Code::kInvalidArgument, "an object has the member '" + *twice + "' twice; leave one out");
  if (exact) return exact;
  if (read_json<nlohmann::ordered_json>(typed)) return fail(exact.error());
  return nlohmann::ordered_json(typed);
}

Result<nlohmann::ordered_json> typed_input(const std::string& typed) {
  if (typed.starts_with('{') || typed.starts_with('[')) return json_or_text(typed);
  return nlohmann::ordered_json(typed);
}

}  // namespace holdfast::app
