#include "base/json.h"

#include "base/json_reader.h"

namespace holdfast {

bool nests_deeper(std::string_view text, int depth) {
  int open = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++open > depth) return true;
    } else if (c == ']' || c == '}') {
      --open;
    }
  }
  return false;
}

template <class Json>
Result<Json> read_json(std::string_view text, int depth, Integers integers) {
  // The library takes a NUL for the end of the text, and whatever stands behind it for nothing.
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    return fail(Code::kInvalidArgument,
                "byte " + std::to_string(nul + 1) + " is a NUL, which JSON does not have");
  }
  JsonReader<Json> reader(depth, integers);
  if (!Json::sax_parse(text, &reader)) return fail(Code::kInvalidArgument, reader.error());
  return reader.take();
}

template <class Json>
std::string dump_json(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

template Result<nlohmann::json> read_json(std::string_view, int, Integers);
template Result<nlohmann::ordered_json> read_json(std::string_view, int, Integers);
template std::string dump_json(const nlohmann::json&, int);
template std::string dump_json(const nlohmann::ordered_json&, int);

}  // namespace holdfast
