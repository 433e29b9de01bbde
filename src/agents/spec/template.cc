#include "spec/template.h"

#include <algorithm>
#include <cctype>
#include <optional>

#include <fmt/format.h>

#include "base/json.h"
#include "base/url.h"

namespace holdfast::spec {

using nlohmann::json;

namespace {

bool is_name_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
}

template <class Json>
std::string scalar_text(const Json& value) {
  if (value.is_string()) return value.template get<std::string>();
  return value.is_null() ? "" : dump_json(value);
}

// The name when `text` holds a placeholder at `at`; `{` that opens none is plain text.
std::optional<std::string_view> placeholder_at(std::string_view text, std::size_t at) {
  if (text[at] != '{') return std::nullopt;
  std::size_t end = at + 1;
  while (end < text.size() && is_name_char(text[end])) ++end;
  if (end == at + 1 || end >= text.size() || text[end] != '}') return std::nullopt;
  return text.substr(at + 1, end - at - 1);
}

void add_once(std::vector<std::string>& names, std::string_view name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
}

}  // namespace

Result<UrlTemplate> UrlTemplate::parse(std::string_view text) {
  UrlTemplate out;
  out.literals_.emplace_back();
  std::size_t authority = text.find("://");
  std::size_t path = authority == std::string_view::npos ? 0 : text.find_first_of("/?#", authority + 3);
  for (std::size_t at = 0; at < text.size();) {
    unsigned char c = static_cast<unsigned char>(text[at]);
    if (c <= ' ' || c == 0x7f)
      return fail(Code::kInvalidArgument, "holds a space or control character; encode it as %20");
    auto name = placeholder_at(text, at);
    if (!name) {
      if (c == '{' || c == '}') {
        return fail(Code::kInvalidArgument,
                    "a brace that is no `{argument}` placeholder; encode it as %7B or %7D");
      }
      out.literals_.back() += text[at++];
      continue;
    }
    if (path == std::string_view::npos || at < path) {
      return fail(Code::kInvalidArgument,
                  fmt::format("`{{{}}}` stands in scheme or host; an argument may choose path and "
                              "query only",
                              *name));
    }
    out.arguments_.emplace_back(*name);
    if (text.substr(0, at).find_first_of("?#") == std::string_view::npos) ++out.in_path_;
    out.literals_.emplace_back();
    at += name->size() + 2;
  }
  return out;
}

Result<std::string> UrlTemplate::fill(const json& arguments) const {
  std::string out = literals_.front();
  for (std::size_t i = 0; i < arguments_.size(); ++i) {
    auto value = arguments.find(arguments_[i]);
    if (value == arguments.end() || value->is_null() || value->is_structured()) {
      return fail(Code::kInvalidArgument,
                  fmt::format("the argument `{}` is needed as text or number", arguments_[i]));
    }
    std::string text = percent_encode(scalar_text(*value));
    // "." and ".." would climb out of the path segment, encoded or not.
    if (text == "." || text == "..") {
      return fail(Code::kInvalidArgument,
                  fmt::format("the argument `{}` must not be `{}`", arguments_[i], text));
    }
    // Without its segment the path names something else, often the whole collection.
    if (text.empty() && i < in_path_) {
      return fail(Code::kInvalidArgument, fmt::format("the argument `{}` must not be empty", arguments_[i]));
    }
    out += text;
    out += literals_[i + 1];
  }
  return out;
}

namespace {

template <class Json>
Json filled(const Json& body, const Json& arguments) {
  if (body.is_object() || body.is_array()) {
    Json out = body;
    for (Json& item : out) item = filled(item, arguments);
    return out;
  }
  if (!body.is_string()) return body;
  const auto& text = body.template get_ref<const std::string&>();
  auto value_of = [&](std::string_view name) {
    auto found = arguments.find(name);
    return found == arguments.end() ? Json(nullptr) : *found;
  };
  if (!text.empty()) {
    auto whole = placeholder_at(text, 0);
    if (whole && whole->size() + 2 == text.size()) return value_of(*whole);
  }
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (auto name = placeholder_at(text, at)) {
      out += scalar_text(value_of(*name));
      at += name->size() + 2;
    } else {
      out += text[at++];
    }
  }
  return out;
}

}  // namespace

json fill_body(const json& body, const json& arguments) {
  return filled(body, arguments);
}

nlohmann::ordered_json fill_body(const nlohmann::ordered_json& body,
                                 const nlohmann::ordered_json& arguments) {
  return filled(body, arguments);
}

std::vector<std::string> body_arguments(const json& body) {
  std::vector<std::string> out;
  if (body.is_object() || body.is_array()) {
    for (const json& item : body) {
      for (const std::string& name : body_arguments(item)) add_once(out, name);
    }
  } else if (body.is_string()) {
    const auto& text = body.get_ref<const std::string&>();
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (auto name = placeholder_at(text, at)) add_once(out, *name);
    }
  }
  return out;
}

namespace {

// `met` with what follows each byte of `sql` that is code; it says how far to go on.
template <class Met>
void each_of_code(std::string_view sql, Met met) {
  for (std::size_t at = 0; at < sql.size(); ++at) {
    char c = sql[at];
    if (c == '\'' || c == '"' || c == '`' || c == '[') {
      at = sql.find(c == '[' ? ']' : c, at + 1);  // a doubled quote only opens the next quoted part
      if (at == std::string_view::npos) break;
    } else if (sql.substr(at).starts_with("--")) {
      at = sql.find('\n', at);
      if (at == std::string_view::npos) break;
    } else if (sql.substr(at).starts_with("/*")) {
      at = sql.find("*/", at + 2);
      if (at == std::string_view::npos) break;
    } else {
      at += met(sql.substr(at));
    }
  }
}

}  // namespace

std::vector<std::string> sql_parameters(std::string_view sql) {
  std::vector<std::string> out;
  each_of_code(sql, [&](std::string_view rest) -> std::size_t {
    if (!rest.starts_with(':')) return 0;
    std::size_t end = 1;
    while (end < rest.size() && is_name_char(rest[end])) ++end;
    const std::string_view name = rest.substr(1, end - 1);
    if (!name.empty() && name != "idempotency_key") add_once(out, name);
    return end - 1;
  });
  return out;
}

bool has_positional_parameters(std::string_view sql) {
  bool found = false;
  each_of_code(sql, [&](std::string_view rest) -> std::size_t {
    found = found || rest.starts_with('?');
    return 0;
  });
  return found;
}

Result<std::string> fill_environment(std::string_view text, const Lookup& lookup) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = text.substr(at).starts_with("${") ? text.find('}', at) : std::string_view::npos;
    if (end == std::string_view::npos) {
      out += text[at++];
      continue;
    }
    auto value = lookup(std::string(text.substr(at + 2, end - at - 2)));
    if (!value) return value;
    out += *value;
    at = end + 1;
  }
  return out;
}

std::vector<std::string> environment_names(std::string_view text) {
  std::vector<std::string> out;
  (void)fill_environment(text, [&out](const std::string& name) -> Result<std::string> {
    add_once(out, name);
    return std::string();
  });
  return out;
}

}  // namespace holdfast::spec
