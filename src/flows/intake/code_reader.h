#pragma once

// Values in Python and TypeScript sources, as they are written: texts, numbers, lists, objects, and calls
// with their arguments. Read as text, never evaluated; what is computed stays the text that it is. Pure.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace holdfast::flows {

struct CodeToken {
  enum class Kind { kWord, kText, kNumber, kSign };
  Kind kind = Kind::kSign;
  std::size_t start = 0;
  std::size_t end = 0;
  int line = 0;           // from 1
  std::string text;       // as it stands; of a text what it says
  bool computed = false;  // a text with expressions in it
};

// Without comments. `python`: `#` begins one, and not `//`.
std::vector<CodeToken> code_tokens(std::string_view code, bool python);

// {"$code": TEXT} of what is computed; {"$call": NAME, "named": {...}, "given": [...]} of a call.
class CodeReader {
 public:
  CodeReader(std::string_view code, const std::vector<CodeToken>& tokens) : code_(code), tokens_(tokens) {}

  // The value that begins at the token `at`, which moves behind it.
  nlohmann::ordered_json value(std::size_t& at, int depth = 0) const;
  // The arguments behind an opening bracket, up to the closing one.
  nlohmann::ordered_json call(std::string name, std::size_t& at, int depth = 0) const;

 private:
  using Json = nlohmann::ordered_json;
  bool is(std::size_t at, std::string_view sign) const;
  bool ends(std::size_t at) const;
  Json primary(std::size_t& at, int depth) const;
  Json list(std::size_t& at, int depth) const;
  Json object(std::size_t& at, int depth) const;
  Json word(std::size_t& at, int depth) const;
  Json rest_of(std::size_t from, std::size_t& at) const;

  std::string_view code_;
  const std::vector<CodeToken>& tokens_;
};

}  // namespace holdfast::flows
