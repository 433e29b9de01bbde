#include "spec/reference_template.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "base/json.h"

namespace holdfast::spec {

using nlohmann::json;

namespace {

bool is_path_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '.';
}

// The path when a reference stands at `at`; a brace that opens none is plain text.
std::optional<std::string_view> reference_at(std::string_view text, std::size_t at) {
  if (text[at] != '{') return std::nullopt;
  std::size_t end = at + 1;
  while (end < text.size() && is_path_char(text[end])) ++end;
  if (end == at + 1 || end >= text.size() || text[end] != '}') return std::nullopt;
  return text.substr(at + 1, end - at - 1);
}

const json* child_of(const json& value, std::string_view name) {
  if (value.is_object()) {
    auto found = value.find(name);
    return found == value.end() ? nullptr : &*found;
  }
  if (!value.is_array()) return nullptr;
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
  const bool number = error == std::errc() && end == name.data() + name.size();
  return number && index < value.size() ? &value[index] : nullptr;
}

Result<json> value_at(const json& document, std::string_view path) {
  const json* at = &document;
  for (std::string_view left = path; at && !left.empty();) {
    const std::size_t dot = left.find('.');
    at = child_of(*at, left.substr(0, dot));
    left = dot == std::string_view::npos ? std::string_view() : left.substr(dot + 1);
  }
  if (!at) return fail(Code::kInvalidArgument, fmt::format("there is no `{}`", path));
  return *at;
}

Result<json> fill_text(const std::string& text, const json& document) {
  if (!text.empty()) {
    const auto whole = reference_at(text, 0);
    if (whole && whole->size() + 2 == text.size()) return value_at(document, *whole);
  }
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto path = reference_at(text, at);
    if (!path) {
      out += text[at++];
      continue;
    }
    auto value = value_at(document, *path);
    if (!value) return value;
    if (value->is_binary()) {  // a number that stays as it was written
      out.append(value->get_binary().begin(), value->get_binary().end());
    } else {
      out += value->is_string() ? value->get<std::string>() : dump_json(*value);
    }
    at += path->size() + 2;
  }
  return json(std::move(out));
}

}  // namespace

std::vector<std::string> references(const json& tree) {
  std::vector<std::string> out;
  const auto add = [&out](std::string path) {
    if (std::find(out.begin(), out.end(), path) == out.end()) out.push_back(std::move(path));
  };
  if (tree.is_structured()) {
    for (const json& item : tree) {
      for (std::string& path : references(item)) add(std::move(path));
    }
  } else if (tree.is_string()) {
    const auto& text = tree.get_ref<const std::string&>();
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (auto path = reference_at(text, at)) add(std::string(*path));
    }
  }
  return out;
}

bool has_stray_brace(const std::string& text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto path = reference_at(text, at);
    if (!path && (text[at] == '{' || text[at] == '}')) return true;
    if (path) at += path->size() + 1;
  }
  return false;
}

Result<json> fill_references(const json& tree, const json& document) {
  if (tree.is_string()) return fill_text(tree.get_ref<const std::string&>(), document);
  if (!tree.is_structured()) return tree;
  json out = tree;
  for (json& item : out) {
    auto filled = fill_references(item, document);
    if (!filled) return filled;
    item = std::move(*filled);
  }
  return out;
}

}  // namespace holdfast::spec
