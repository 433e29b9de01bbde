// Templates of tools, by whoever writes a definition, filled with arguments of a model (the first line; the
// rest is the template). What an argument says stays one value: it adds no parameter and no path segment.

#include "spec/template.h"

#include "base/json.h"
#include "fuzz.h"

namespace holdfast::spec {

FUZZ(input) {
  const std::size_t line = input.find('\n');
  if (line == std::string_view::npos) return;
  const auto arguments = parse_json(input.substr(0, line), kMaxForeignJsonDepth);
  const std::string_view text = input.substr(line + 1);
  (void)sql_parameters(text);
  (void)fill_environment(text, [](const std::string&) -> Result<std::string> { return "value"; });
  if (arguments.is_discarded() || !arguments.is_object()) return;
  if (const auto url = UrlTemplate::parse(text)) {
    const auto filled = url->fill(arguments);
    if (filled) {
      const auto count = [](std::string_view in, char c) { return std::count(in.begin(), in.end(), c); };
      for (const char c : {'/', '?', '#', '&', '@', ' ', '\n'}) REQUIRE(count(*filled, c) <= count(text, c));
    }
  }
  if (const auto body = parse_json(text, kMaxForeignJsonDepth); !body.is_discarded()) {
    (void)body_arguments(body);
    (void)dump_json(fill_body(body, arguments));
  }
}

}  // namespace holdfast::spec
