// JSON of strangers: our reader takes what the library takes, within our depth, to the same values.

#include "base/json.h"

#include "fuzz.h"

namespace holdfast {

FUZZ(input) {
  const auto ours = parse_json(input, kMaxForeignJsonDepth);
  const auto ordered = parse_json<nlohmann::ordered_json>(input, kMaxForeignJsonDepth);
  REQUIRE(ours.is_discarded() == ordered.is_discarded());
  const bool valid = nlohmann::json::accept(input) && input.find('\0') == std::string_view::npos;
  REQUIRE(ours.is_discarded() == (!valid || nests_deeper(input, kMaxForeignJsonDepth)));
  if (ours.is_discarded()) {
    REQUIRE(!read_json(input, kMaxForeignJsonDepth).error().message().empty());
    return;
  }
  REQUIRE(ours == nlohmann::json::parse(input));
  const std::string text = dump_json(ordered);
  REQUIRE(text == dump_json(nlohmann::ordered_json::parse(input)));
  REQUIRE(parse_json(text) == ours);
}

}  // namespace holdfast
