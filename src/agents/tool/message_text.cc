#include "tool/message_text.h"

#include <algorithm>

#include "base/json.h"
#include "definition/names.h"
#include "spec/template.h"

namespace holdfast::agent {

std::string fill_text(std::string_view text, const Json& arguments,
                      const std::function<std::string(std::string)>& escape) {
  Json given = arguments;
  if (escape) {
    for (auto& [unused, value] : given.items()) {
      if (!value.is_null()) value = escape(value.is_string() ? value.get<std::string>() : dump_json(value));
    }
  }
  const Json filled = spec::fill_body(Json(std::string(text)), given);
  if (filled.is_null()) return "";
  return filled.is_string() ? filled.get<std::string>() : dump_json(filled);
}

void check_text(spec::MapReader& in, std::string_view key, std::string_view text, const ToolSpec& tool) {
  check_declared(in, key, spec::body_arguments(Json(std::string(text))), tool.parameters);
}

bool has_control(std::string_view text, bool lines) {
  return std::any_of(text.begin(), text.end(), [lines](unsigned char c) {
    if (c == '\t' || (lines && (c == '\n' || c == '\r'))) return false;
    return c < 0x20 || c == 0x7f;
  });
}

std::string place_of(const std::string& url) {
  const std::size_t authority = url.find("://");
  return authority == std::string::npos ? url : url.substr(0, url.find_first_of("/?#", authority + 3));
}

}  // namespace holdfast::agent
