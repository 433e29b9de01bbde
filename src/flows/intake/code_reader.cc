#include "intake/code_reader.h"

#include <algorithm>
#include <cstdlib>

#include "base/json.h"

namespace holdfast::flows {

namespace {

using Kind = CodeToken::Kind;

constexpr int kMaxDepth = 50;

bool is_word(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return std::isalnum(byte) || c == '_' || c == '$' || byte >= 0x80;
}

class Tokens {
 public:
  Tokens(std::string_view code, bool python) : code_(code), python_(python) {}

  std::vector<CodeToken> all() {
    while (at_ < code_.size()) step();
    return std::move(out_);
  }

 private:
  void step();
  void text(std::string_view prefix, std::size_t from);
  void skip_to(std::string_view end);
  std::string said(std::string_view raw, bool raw_text) const;
  CodeToken& add(Kind kind, std::size_t from) {
    CodeToken& out = out_.emplace_back();
    out.kind = kind;
    out.start = from;
    out.end = at_;
    out.line = line_;
    out.text = code_.substr(from, at_ - from);
    line_ += static_cast<int>(std::ranges::count(out.text, '\n'));
    return out;
  }

  std::string_view code_;
  bool python_;
  std::size_t at_ = 0;
  int line_ = 1;
  std::vector<CodeToken> out_;
};

void Tokens::skip_to(std::string_view end) {
  const std::size_t found = code_.find(end, at_);
  const std::size_t stop =
      found == std::string_view::npos ? code_.size() : found + (end == "\n" ? 0 : end.size());
  line_ += static_cast<int>(std::ranges::count(code_.substr(at_, stop - at_), '\n'));
  at_ = stop;
}

void Tokens::step() {
  const char c = code_[at_];
  const std::string_view rest = code_.substr(at_);
  if (c == '\n') ++line_;
  if (c == '\n' || c == ' ' || c == '\t' || c == '\r') {
    ++at_;
    return;
  }
  if (python_ ? c == '#' : rest.starts_with("//")) return skip_to("\n");
  if (!python_ && rest.starts_with("/*")) {
    at_ += 2;
    return skip_to("*/");
  }
  const std::size_t from = at_;
  if (c == '"' || c == '\'' || (c == '`' && !python_)) return text("", from);
  if (is_word(c)) {
    const bool digit = std::isdigit(static_cast<unsigned char>(c)) != 0;
    while (at_ < code_.size() && (is_word(code_[at_]) || (digit && code_[at_] == '.'))) ++at_;
    const std::string_view word = code_.substr(from, at_ - from);
    const bool prefixes = python_ && word.size() <= 2 && at_ < code_.size() &&
                          (code_[at_] == '"' || code_[at_] == '\'') &&
                          word.find_first_not_of("rRbBfFuU") == std::string_view::npos;
    if (prefixes) return text(word, from);
    add(digit ? Kind::kNumber : Kind::kWord, from);
    return;
  }
  ++at_;
  add(Kind::kSign, from);
}

std::string Tokens::said(std::string_view raw, bool raw_text) const {
  if (raw_text) return std::string(raw);
  std::string out;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '\\' || i + 1 == raw.size()) {
      out += raw[i];
      continue;
    }
    const char next = raw[++i];
    switch (next) {
      case 'n': out += '\n'; break;
      case 't': out += '\t'; break;
      case 'r': break;
      case '\n': break;
      case 'u': {
        const std::string digits(raw.substr(i + 1, 4));
        char* end = nullptr;
        const long point = std::strtol(digits.c_str(), &end, 16);
        const auto read = parse_json("\"\\u" + digits + "\"");
        if (point > 0 && read.is_string()) {
          out += read.get<std::string>();
          i += 4;
        } else {
          out += "\\u";
        }
        break;
      }
      default: out += next;
    }
  }
  return out;
}

void Tokens::text(std::string_view prefix, std::size_t from) {
  const char quote = code_[at_];
  std::string end(1, quote);
  if (python_ && code_.substr(at_).starts_with(std::string(3, quote))) end.assign(3, quote);
  const std::size_t begin = at_ + end.size();
  at_ = begin;
  const bool raw = prefix.find_first_of("rR") != std::string_view::npos;
  while (at_ < code_.size() && !code_.substr(at_).starts_with(end)) {
    if (end.size() == 1 && quote != '`' && code_[at_] == '\n') break;  // it is not closed
    at_ += code_[at_] == '\\' && at_ + 1 < code_.size() ? 2 : 1;
  }
  at_ = std::min(at_, code_.size());
  const std::string_view inside = code_.substr(begin, at_ - begin);
  at_ = std::min(at_ + end.size(), code_.size());
  CodeToken& out = add(Kind::kText, from);
  out.computed = quote == '`' ? inside.find("${") != std::string_view::npos
                              : prefix.find_first_of("fF") != std::string_view::npos &&
                                    inside.find('{') != std::string_view::npos;
  out.text = said(inside, raw);
}

}  // namespace

std::vector<CodeToken> code_tokens(std::string_view code, bool python) {
  return Tokens(code, python).all();
}

bool CodeReader::is(std::size_t at, std::string_view sign) const {
  return at < tokens_.size() && tokens_[at].kind != Kind::kText && tokens_[at].text == sign;
}

bool CodeReader::ends(std::size_t at) const {
  return at >= tokens_.size() || is(at, ",") || is(at, ")") || is(at, "]") || is(at, "}") || is(at, ";");
}

// What is computed, up to the end of the value.
CodeReader::Json CodeReader::rest_of(std::size_t from, std::size_t& at) const {
  int open = 0;
  while (at < tokens_.size() && (open > 0 || !ends(at))) {
    open += is(at, "(") || is(at, "[") || is(at, "{") ? 1 : 0;
    open -= is(at, ")") || is(at, "]") || is(at, "}") ? 1 : 0;
    ++at;
  }
  if (from >= tokens_.size() || at == from) return {{"$code", ""}};
  const std::size_t start = tokens_[from].start;
  return {{"$code", std::string(code_.substr(start, tokens_[at - 1].end - start))}};
}

CodeReader::Json CodeReader::value(std::size_t& at, int depth) const {
  const std::size_t from = at;
  if (depth > kMaxDepth) return rest_of(from, at);
  Json out = primary(at, depth);
  // Texts that stand behind one another are one, and so are those that are put together.
  while (out.is_string() && at < tokens_.size()) {
    const std::size_t next = is(at, "+") ? at + 1 : at;
    if (next >= tokens_.size() || tokens_[next].kind != Kind::kText || tokens_[next].computed) break;
    out = out.get<std::string>() + tokens_[next].text;
    at = next + 1;
  }
  if (is(at, "as")) {  // a type of TypeScript
    rest_of(at, at);
    return out;
  }
  if (ends(at)) return out;
  return rest_of(from, at);
}

CodeReader::Json CodeReader::primary(std::size_t& at, int depth) const {
  if (at >= tokens_.size()) return nullptr;
  const CodeToken& token = tokens_[at];
  if (token.kind == Kind::kText) {
    ++at;
    if (token.computed) return {{"$code", std::string(code_.substr(token.start, token.end - token.start))}};
    return token.text;
  }
  if (token.kind == Kind::kNumber) {
    ++at;
    const auto read = parse_json<Json>(token.text);
    return read.is_number() ? read : Json{{"$code", token.text}};
  }
  if (token.kind == Kind::kWord) return word(at, depth);
  if (is(at, "[")) return list(at, depth);
  if (is(at, "{")) return object(at, depth);
  const std::size_t from = at;
  return rest_of(from, at);
}

CodeReader::Json CodeReader::list(std::size_t& at, int depth) const {
  Json out = Json::array();
  ++at;
  while (at < tokens_.size() && !is(at, "]")) {
    const std::size_t before = at;
    out.push_back(value(at, depth + 1));
    if (is(at, ",")) ++at;
    if (at == before) ++at;  // something that is no value
  }
  ++at;
  return out;
}

CodeReader::Json CodeReader::object(std::size_t& at, int depth) const {
  Json out = Json::object();
  ++at;
  while (at < tokens_.size() && !is(at, "}")) {
    const std::size_t before = at;
    const CodeToken& key = tokens_[at];
    if ((key.kind == Kind::kWord || key.kind == Kind::kText) && is(at + 1, ":")) {
      at += 2;
      out[key.text] = value(at, depth + 1);
    } else if (key.kind == Kind::kWord && ends(at + 1)) {
      ++at;
      out[key.text] = {{"$code", key.text}};
    } else {
      const Json code = rest_of(at, at);
      out[code["$code"].get<std::string>()] = code;
    }
    if (is(at, ",") || is(at, ";")) ++at;
    if (at == before) ++at;
  }
  ++at;
  return out;
}

CodeReader::Json CodeReader::word(std::size_t& at, int depth) const {
  const std::size_t from = at;
  while (is(at, "new") || is(at, "await")) ++at;
  if (at >= tokens_.size() || tokens_[at].kind != Kind::kWord) return rest_of(from, at);
  std::string name = tokens_[at++].text;
  while (is(at, ".") && at + 1 < tokens_.size() && tokens_[at + 1].kind == Kind::kWord) {
    name += "." + tokens_[at + 1].text;
    at += 2;
  }
  if (name == "True" || name == "true") return true;
  if (name == "False" || name == "false") return false;
  if (name == "None" || name == "null" || name == "undefined") return nullptr;
  if (is(at, "(")) return call(name, ++at, depth);
  return {{"$code", name}};
}

CodeReader::Json CodeReader::call(std::string name, std::size_t& at, int depth) const {
  Json named = Json::object();
  Json given = Json::array();
  while (at < tokens_.size() && !is(at, ")")) {
    const std::size_t before = at;
    if (tokens_[at].kind == Kind::kWord && is(at + 1, "=") && !is(at + 2, "=")) {
      const std::string key = tokens_[at].text;
      at += 2;
      named[key] = value(at, depth + 1);
    } else {
      given.push_back(value(at, depth + 1));
    }
    if (is(at, ",") || is(at, ";")) ++at;
    if (at == before) ++at;
  }
  ++at;
  return {{"$call", std::move(name)}, {"named", std::move(named)}, {"given", std::move(given)}};
}

}  // namespace holdfast::flows
