// The schema of a tool, and the arguments that a model sends for it: one line each.

#include "spec/json_schema.h"

#include "base/json.h"
#include "fuzz.h"

namespace holdfast::spec {

FUZZ(input) {
  const std::size_t line = input.find('\n');
  if (line == std::string_view::npos) return;
  const auto schema = parse_json(input.substr(0, line), kMaxForeignJsonDepth);
  const auto value = parse_json(input.substr(line + 1), kMaxForeignJsonDepth);
  if (schema.is_discarded() || value.is_discarded() || check_schema(schema)) return;
  if (const auto wrong = validate(schema, value)) REQUIRE(!wrong->empty());
}

}  // namespace holdfast::spec
