#include "spec/yaml_documents.h"

#include <yaml-cpp/eventhandler.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <sstream>
#include <string_view>

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"

namespace holdfast::spec {

namespace {

using YAML::anchor_t;
using YAML::Mark;
using Style = YAML::EmitterStyle::value;

[[noreturn]] void no_utf8_at(std::string_view text, std::size_t at) {
  const std::string_view before = text.substr(0, at);
  Mark mark;
  mark.pos = static_cast<int>(at);
  mark.line = static_cast<int>(std::count(before.begin(), before.end(), '\n'));
  const std::string_view line = before.substr(before.rfind('\n') + 1);
  mark.column = static_cast<int>(std::count_if(
      line.begin(), line.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
  throw YAML::ParserException(mark,
                              fmt::format("the byte 0x{:02x} is not UTF-8; save the file in that encoding",
                                          static_cast<unsigned char>(text[at])));
}

// yaml-cpp reads what says of itself that it is UTF-16 or UTF-32: by its mark, or by a NUL among its first
// bytes.
bool says_other_encoding(std::string_view text) {
  return text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff") || text.substr(0, 4).contains('\0');
}

void require_utf8(std::string_view text) {
  if (is_utf8(text) || says_other_encoding(text)) return;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t bytes = 1;
    while (bytes <= 4 && !is_utf8(text.substr(at, bytes))) ++bytes;
    if (bytes > 4) no_utf8_at(text, at);
    at += bytes;
  }
}

// The unit of an escape \uXXXX at `at`; none: there is no such escape.
std::optional<std::uint32_t> escaped_unit(std::string_view text, std::size_t at) {
  if (text.size() < at + 6 || text.substr(at, 2) != "\\u") return std::nullopt;
  std::uint32_t unit = 0;
  const char* const digits = text.data() + at + 2;
  const auto [end, error] = std::from_chars(digits, digits + 4, unit, 16);
  if (error != std::errc() || end != digits + 4) return std::nullopt;
  return unit;
}

// JSON in which pairs of escapes are the one escape of YAML's: \ud83d\ude00 is \U0001f600. Elsewhere in YAML
// the same letters may be text, so any other document is left alone.
std::string with_pairs_joined(const std::string& text) {
  if (!text.contains("\\ud") && !text.contains("\\uD")) return text;
  if (!read_json(text)) return text;
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto high = escaped_unit(text, at);
    const auto low = high && *high >= 0xd800 && *high <= 0xdbff ? escaped_unit(text, at + 6) : std::nullopt;
    if (low && *low >= 0xdc00 && *low <= 0xdfff) {
      out += fmt::format("\\U{:08x}", 0x10000 + ((*high - 0xd800) << 10) + (*low - 0xdc00));
      at += 12;
      continue;
    }
    const std::size_t step = text[at] == '\\' ? 2 : 1;
    out += text.substr(at, step);
    at += step;
  }
  return out;
}

// `!!python/object`, `!!binary`, `!Secret`: whoever writes them means something that is not done.
void require_known(const Mark& mark, const std::string& tag, std::initializer_list<const char*> known) {
  if (tag.empty() || tag == "?" || tag == "!") return;
  if (std::any_of(known.begin(), known.end(), [&](const char* name) { return tag == yaml_tag(name); }))
    return;
  const std::string common = yaml_tag("");
  const std::string shown = tag.starts_with(common) ? "!!" + tag.substr(common.size()) : tag;
  throw YAML::ParserException(
      mark, fmt::format("the tag `{}` is not read; remove it", to_utf8(cut_text(shown, 60))));
}

// What YAML::LoadAll passes over; and where the last document began.
class Passage : public YAML::EventHandler {
 public:
  void OnDocumentStart(const Mark& mark) override { last = mark; }
  void OnDocumentEnd() override {}
  void OnNull(const Mark&, anchor_t) override {}
  void OnAlias(const Mark&, anchor_t) override {}
  // Of a text that is UTF-8 only these two escapes come out as something else.
  void OnScalar(const Mark& mark, const std::string& tag, anchor_t, const std::string& value) override {
    require_known(mark, tag, {"str", "int", "float", "bool", "null"});
    if (!is_utf8(value))
      throw YAML::ParserException(mark,
                                  R"(the escapes `\N` and `\_` are not read; write `\u0085` or `\u00a0`)");
  }
  void OnSequenceStart(const Mark& mark, const std::string& tag, anchor_t, Style) override {
    require_known(mark, tag, {"seq"});
  }
  void OnSequenceEnd() override {}
  void OnMapStart(const Mark& mark, const std::string& tag, anchor_t, Style) override {
    require_known(mark, tag, {"map"});
  }
  void OnMapEnd() override {}

  Mark last = Mark::null_mark();
};

}  // namespace

std::string yaml_tag(std::string_view name) {
  return "tag:yaml.org,2002:" + std::string(name);
}

std::vector<YAML::Node> yaml_documents(const std::string& given) {
  require_utf8(given);
  const std::string text = with_pairs_joined(given);
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  Passage passage;
  int before = -1;
  while (parser.HandleNextDocument(passage)) {
    if (passage.last.pos == before)
      throw YAML::ParserException(passage.last, "no document begins so; is a key or a bracket missing?");
    before = passage.last.pos;
  }
  return YAML::LoadAll(text);
}

YAML::Node yaml_document(const std::string& text) {
  const std::vector<YAML::Node> documents = yaml_documents(text);
  for (std::size_t i = 1; i < documents.size(); ++i) {
    if (!documents[i].IsNull())  // a `---` with nothing behind it
      throw YAML::ParserException(documents[i].Mark(),
                                  "a second document (after `---`), which nobody would read");
  }
  return documents.empty() ? YAML::Node() : documents.front();
}

}  // namespace holdfast::spec
