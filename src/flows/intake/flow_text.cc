#include "intake/flow_text.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/json.h"

namespace holdfast::flows {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kWidth = 120;

// A text that YAML takes for text as it stands.
bool is_plain(const std::string& text) {
  static constexpr std::array<std::string_view, 12> kWords = {"true", "false", "null", "yes", "no",  "on",
                                                              "off",  "y",     "n",    "nan", "inf", "~"};
  std::string lower;
  for (const char c : text) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return !text.empty() && (std::isalpha(static_cast<unsigned char>(text.front())) || text.front() == '_') &&
         std::ranges::find(kWords, lower) == kWords.end() && text.back() != ' ' &&
         std::ranges::all_of(text, [](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '/' ||
                  c == '.' || c == ' ';
         });
}

std::string scalar(const Json& value) {
  if (value.is_string() && is_plain(value.get_ref<const std::string&>())) return value.get<std::string>();
  return dump_json(value);
}

// A text that a literal block holds as it is.
bool is_literal(const Json& value) {
  if (!value.is_string()) return false;
  const auto& text = value.get_ref<const std::string&>();
  if (text.find('\n') == std::string::npos || text.front() == ' ' || text.front() == '\n') return false;
  if (text.ends_with("\n\n")) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if ((c < ' ' && c != '\n') || c == 0x7F || c == 0xC2 || c == 0xE2) return false;
    if (c == '\n' && i > 0 && text[i - 1] == ' ') return false;
  }
  return true;
}

bool holds_literal(const Json& value) {
  if (!value.is_structured()) return is_literal(value);
  return std::ranges::any_of(value, holds_literal);
}

std::string in_line(const Json& value) {
  if (!value.is_structured()) return scalar(value);
  std::string out;
  for (const auto& [key, one] : value.items()) {
    if (!out.empty()) out += ", ";
    if (value.is_object()) out += scalar(Json(key)) + ": ";
    out += in_line(one);
  }
  return value.is_object() ? "{" + out + "}" : "[" + out + "]";
}

void write_literal(std::string& out, const std::string& text, std::size_t indent) {
  out += text.ends_with('\n') ? "|" : "|-";
  std::string_view rest = text;
  if (rest.ends_with('\n')) rest.remove_suffix(1);
  while (true) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    out += '\n';
    if (!line.empty()) out.append(indent, ' ').append(line);
    if (end == std::string_view::npos) return;
    rest.remove_prefix(end + 1);
  }
}

void write(std::string& out, const Json& value, std::size_t indent, std::size_t column);

void write_members(std::string& out, const Json& value, std::size_t indent) {
  bool first = true;
  for (const auto& [key, one] : value.items()) {
    if (!first) out.append("\n").append(indent, ' ');
    first = false;
    const std::string name = value.is_object() ? scalar(Json(key)) + ":" : "-";
    out += name;
    if (value.is_array()) {
      out += ' ';
      write(out, one, indent + 2, indent + 2);
      continue;
    }
    const std::string line = holds_literal(one) ? std::string(kWidth, ' ') : in_line(one);
    if (is_literal(one) || !one.is_structured() || one.empty() ||
        indent + name.size() + 1 + line.size() < kWidth) {
      out += ' ';
      write(out, one, indent + 2, indent + name.size() + 1);
    } else {
      out.append("\n").append(indent + 2, ' ');
      write_members(out, one, indent + 2);
    }
  }
}

// `column`: where it begins.
void write(std::string& out, const Json& value, std::size_t indent, std::size_t column) {
  if (is_literal(value)) return write_literal(out, value.get_ref<const std::string&>(), indent);
  if (!holds_literal(value)) {
    const std::string line = in_line(value);
    if (!value.is_structured() || value.empty() || column + line.size() < kWidth) {
      out += line;
      return;
    }
  }
  write_members(out, value, indent);
}

}  // namespace

std::string flow_text(const Json& value) {
  std::string out;
  write_members(out, value, 0);
  return out + "\n";
}

}  // namespace holdfast::flows
