#include "intake/n8n_expression.h"

#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/json.h"

namespace holdfast::flows {

namespace {

using Json = nlohmann::ordered_json;

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$';
}

class Converter {
 public:
  Converter(std::string_view code, const N8nNames& names) : code_(code), names_(names) {}

  N8nCode run() {
    while (at_ < code_.size()) step();
    return std::move(out_);
  }

 private:
  void step();
  void copy_quoted(char quote);
  void copy_comment();
  void template_text();
  void word();
  void named(std::string_view name, std::size_t from);
  void items_of(std::string_view json, std::size_t from);
  void items_in(std::size_t from);
  bool eat(std::string_view text) {
    if (!code_.substr(at_).starts_with(text)) return false;
    at_ += text.size();
    return true;
  }
  std::optional<std::string> quoted_name(char closes);
  void unknown(std::size_t from) {
    out_.unknown.emplace_back(code_.substr(from, at_ - from));
    out_.code += code_.substr(from, at_ - from);
  }

  std::string_view code_;
  const N8nNames& names_;
  std::size_t at_ = 0;
  N8nCode out_;
  std::vector<int> templates_;  // of each `${` that is open, how many braces are in it
};

void Converter::step() {
  const char c = code_[at_];
  if (c == '\'' || c == '"') return copy_quoted(c);
  if (c == '/' && at_ + 1 < code_.size() && (code_[at_ + 1] == '/' || code_[at_ + 1] == '*'))
    return copy_comment();
  if (c == '`') {
    out_.code += c;
    ++at_;
    return template_text();
  }
  if (is_word(c)) return word();
  if (!templates_.empty() && c == '{') ++templates_.back();
  if (!templates_.empty() && c == '}' && templates_.back()-- == 0) {
    templates_.pop_back();
    out_.code += c;
    ++at_;
    return template_text();
  }
  out_.code += c;
  ++at_;
}

void Converter::copy_quoted(char quote) {
  std::size_t end = at_ + 1;
  while (end < code_.size() && code_[end] != quote && code_[end] != '\n') end += code_[end] == '\\' ? 2 : 1;
  end = std::min(end + 1, code_.size());
  out_.code += code_.substr(at_, end - at_);
  at_ = end;
}

void Converter::copy_comment() {
  const bool line = code_[at_ + 1] == '/';
  const std::size_t end = line ? code_.find('\n', at_) : code_.find("*/", at_ + 2);
  const std::size_t stop = end == std::string_view::npos ? code_.size() : end + (line ? 0 : 2);
  out_.code += code_.substr(at_, stop - at_);
  at_ = stop;
}

// Up to its end, or to the next `${`.
void Converter::template_text() {
  while (at_ < code_.size()) {
    const char c = code_[at_];
    if (c == '\\') {
      out_.code += code_.substr(at_, 2);
      at_ = std::min(at_ + 2, code_.size());
      continue;
    }
    if (eat("${")) {
      out_.code += "${";
      templates_.push_back(0);
      return;
    }
    out_.code += c;
    ++at_;
    if (c == '`') return;
  }
}

// `'Name')` or `"Name"]`.
std::optional<std::string> Converter::quoted_name(char closes) {
  if (at_ >= code_.size() || (code_[at_] != '\'' && code_[at_] != '"' && code_[at_] != '`'))
    return std::nullopt;
  const char quote = code_[at_++];
  std::string out;
  while (at_ < code_.size() && code_[at_] != quote) {
    if (code_[at_] == '\\' && at_ + 1 < code_.size()) ++at_;
    out += code_[at_++];
  }
  ++at_;
  if (at_ >= code_.size() || code_[at_] != closes) return std::nullopt;
  ++at_;
  return out;
}

// `$input` where it is a list.
void Converter::items_in(std::size_t from) {
  if (eat(".all()")) {
    out_.code += names_.items;
  } else if (eat(".first()") || eat(".item")) {
    out_.code += names_.items + "[0]";
  } else if (eat(".last()")) {
    out_.code += names_.items + ".at(-1)";
  } else {
    unknown(from);
  }
}

// Behind `$input` or `$('Node')`: which of its items.
void Converter::items_of(std::string_view json, std::size_t from) {
  for (const std::string_view one : {".item.json", ".first().json", ".last().json", ".all()[0].json",
                                     ".itemMatching(0).json", "[0].json"}) {
    if (eat(one)) {
      out_.code += json;
      return;
    }
  }
  for (const std::string_view one : {".item", ".first()", ".last()"}) {
    if (eat(one)) {
      out_.code += fmt::format("({{json: {}}})", json);
      return;
    }
  }
  if (eat(".all()")) {
    out_.code += fmt::format("[{{json: {}}}]", json);
    return;
  }
  unknown(from);
}

void Converter::named(std::string_view name, std::size_t from) {
  const auto json = names_.node(name);
  if (!json) return unknown(from);
  items_of(*json, from);
}

void Converter::word() {
  const std::size_t from = at_;
  const bool is_member = from > 0 && code_[from - 1] == '.' && (from < 2 || code_[from - 2] != '.');
  while (at_ < code_.size() && is_word(code_[at_])) ++at_;
  const std::string_view word = code_.substr(from, at_ - from);
  const auto as_it_is = [&] { out_.code += word; };
  if (is_member) return as_it_is();
  if (word == "DateTime") return unknown(from);
  if (!word.starts_with('$')) return as_it_is();
  if (word == "$json") {
    out_.code += names_.json;
    return;
  }
  if (word == "$input") return names_.items.empty() ? items_of(names_.json, from) : items_in(from);
  if (word == "$itemIndex" || word == "$runIndex") {
    out_.code += '0';
    return;
  }
  if (word == "$workflow" && eat(".name")) {
    out_.code += dump_json(Json(names_.workflow));
    return;
  }
  if ((word == "$" || word == "$items") && eat("(")) {
    const auto name = quoted_name(')');
    return name ? named(*name, from) : unknown(from);
  }
  if (word == "$node" && eat("[")) {
    const auto name = quoted_name(']');
    const auto json = name ? names_.node(*name) : std::nullopt;
    if (!json || !eat(".json")) return unknown(from);
    out_.code += *json;
    return;
  }
  if (word == "$node" && eat(".")) {
    const std::size_t start = at_;
    while (at_ < code_.size() && is_word(code_[at_])) ++at_;
    const auto json = names_.node(code_.substr(start, at_ - start));
    if (!json || !eat(".json")) return unknown(from);
    out_.code += *json;
    return;
  }
  unknown(from);
}

std::string throwing(const std::vector<std::string>& unknown) {
  const Json what = fmt::format("not imported: {}", fmt::join(unknown, ", "));
  return fmt::format("(() => {{ throw new Error({}) }})()", dump_json(what));
}

// `{{` of a text that is none.
std::string literal_text(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t open = text.find("{{", at);
    out += text.substr(at, open - at);
    if (open == std::string_view::npos) break;
    out += R"({{ "{{" }})";
    at = open + 2;
  }
  return out;
}

// Where the `}}` of the expression is that begins at `at`; npos: it has none.
std::size_t close_of(std::string_view text, std::size_t at) {
  int braces = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\'' || c == '"' || c == '`') {
      for (++at; at < text.size() && text[at] != c; ++at) at += text[at] == '\\' ? 1 : 0;
    } else if (c == '{') {
      ++braces;
    } else if (c == '}') {
      if (braces == 0 && text.substr(at).starts_with("}}")) return at;
      --braces;
    }
  }
  return std::string_view::npos;
}

N8nValue convert_text(const std::string& text, const N8nNames& names) {
  N8nValue out;
  if (!text.starts_with('=')) {
    out.text = literal_text(text);
    out.code = dump_json(Json(text));
    return out;
  }
  std::string made;
  std::vector<std::string> parts;
  std::string_view rest = std::string_view(text).substr(1);
  while (!rest.empty()) {
    const std::size_t open = rest.find("{{");
    const std::size_t close = open == std::string_view::npos ? open : close_of(rest, open + 2);
    const std::string_view before = rest.substr(0, close == std::string_view::npos ? rest.size() : open);
    if (!before.empty()) parts.push_back(dump_json(Json(std::string(before))));
    made += literal_text(before);
    if (close == std::string_view::npos) break;
    out.computed = true;
    N8nCode one = convert_code(rest.substr(open + 2, close - open - 2), names);
    out.unknown.insert(out.unknown.end(), one.unknown.begin(), one.unknown.end());
    const std::size_t first = one.code.find_first_not_of(" \t\n");
    one.code = first == std::string::npos
                   ? "null"
                   : one.code.substr(first, one.code.find_last_not_of(" \t\n") + 1 - first);
    made += "{{ " + one.code + " }}";
    parts.push_back("(" + one.code + ")");
    rest.remove_prefix(close + 2);
  }
  out.text = made;
  out.code = parts.empty() ? "\"\"" : fmt::format("{}", fmt::join(parts, " + "));
  if (!out.unknown.empty()) {
    out.code = throwing(out.unknown);
    out.text = "{{ " + out.code + " }}";
  }
  return out;
}

}  // namespace

N8nCode convert_code(std::string_view code, const N8nNames& names) {
  return Converter(code, names).run();
}

N8nValue convert_value(const Json& value, const N8nNames& names) {
  if (value.is_string()) return convert_text(value.get<std::string>(), names);
  N8nValue out;
  if (!value.is_structured()) {
    out.text = value;
    out.code = dump_json(value);
    return out;
  }
  out.text = value.is_object() ? Json::object() : Json::array();
  std::string code;
  for (const auto& [key, one] : value.items()) {
    N8nValue inner = convert_value(one, names);
    out.unknown.insert(out.unknown.end(), inner.unknown.begin(), inner.unknown.end());
    out.computed = out.computed || inner.computed;
    if (!code.empty()) code += ", ";
    if (value.is_object()) {
      out.text[key] = std::move(inner.text);
      code += dump_json(Json(key)) + ": ";
    } else {
      out.text.push_back(std::move(inner.text));
    }
    code += inner.code;
  }
  out.code = value.is_object() ? "{" + code + "}" : "[" + code + "]";
  return out;
}

}  // namespace holdfast::flows
