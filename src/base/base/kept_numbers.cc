#include "base/kept_numbers.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/json_reader.h"

namespace holdfast {

namespace {

using Json = nlohmann::ordered_json;

// A double tells apart all decimals of so many digits; of those that have more, some become another.
constexpr std::size_t kDigitsOfADouble = 15;

constexpr std::string_view kNumberBytes = "+-.0123456789Ee";

// While it is read, a kept number is a text with this before it; and so is each text that begins like one.
constexpr std::string_view kNumberMark = "\x01n";
constexpr std::string_view kTextMark = "\x01t";

// The numbers that the library refuses a text for, by their position among all numbers.
using Oversized = std::unordered_map<std::size_t, std::string>;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Whether `text` is one number of JSON.
bool is_number(std::string_view text) {
  std::size_t at = text.starts_with('-') ? 1 : 0;
  const auto digits = [&] {
    const std::size_t first = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return at > first;
  };
  const std::size_t first = at;
  if (!digits() || (text[first] == '0' && at > first + 1)) return false;
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (!digits()) return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (!digits()) return false;
  }
  return at == text.size();
}

// `text` with 0 for each number beyond a double.
std::string without_oversized(std::string_view text, Oversized& oversized) {
  std::string out;
  out.reserve(text.size());
  std::size_t numbers = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    if (text[at] == '"') {
      for (++at; at < text.size() && text[at] != '"'; ++at) {
        if (text[at] == '\\') ++at;
      }
      at = std::min(at + 1, text.size());
    } else if (text[at] == '-' || is_digit(text[at])) {
      at = std::min(text.find_first_not_of(kNumberBytes, at), text.size());
      const std::string number(text.substr(begin, at - begin));
      if (is_number(number) && !std::isfinite(std::strtod(number.c_str(), nullptr))) {
        oversized.emplace(numbers++, number);
        out += '0';
        continue;
      }
      ++numbers;
    } else {
      ++at;
    }
    out += text.substr(begin, at - begin);
  }
  return out;
}

// Whether a double may be another number than the one that was written.
bool may_differ(std::string_view number) {
  if (number.find_first_of(".eE") == std::string_view::npos) return true;  // an integer beyond 64 bits
  number = number.substr(0, number.find_first_of("eE"));
  const std::size_t first = number.find_first_of("123456789");
  if (first == std::string_view::npos) return false;
  const std::string_view digits = number.substr(first, number.find_last_not_of("0.") + 1 - first);
  return digits.size() - (digits.contains('.') ? 1 : 0) > kDigitsOfADouble;
}

class KeptReader final : public nlohmann::json_sax<Json> {
 public:
  KeptReader(int depth, Oversized oversized)
      : reader_(depth, Integers::kAny), oversized_(std::move(oversized)) {}

  bool marked() const { return marked_; }
  Json take() { return reader_.take(); }

  bool null() override { return reader_.null(); }
  bool boolean(bool value) override { return reader_.boolean(value); }
  bool number_integer(number_integer_t value) override {
    return kept_oversized() || reader_.number_integer(value);
  }
  bool number_unsigned(number_unsigned_t value) override {
    return kept_oversized() || reader_.number_unsigned(value);
  }
  bool number_float(number_float_t value, const std::string& text) override {
    ++numbers_;
    if (!may_differ(text)) return reader_.number_float(value, text);
    // Written the same way it is the same number, however many digits it has.
    return dump_json(Json(value)) == text ? reader_.number_float(value, text) : mark(kNumberMark, text);
  }
  bool string(string_t& value) override {
    return value.starts_with(kNumberMark[0]) ? mark(kTextMark, value) : reader_.string(value);
  }
  bool binary(binary_t& value) override { return reader_.binary(value); }
  bool start_object(std::size_t size) override { return reader_.start_object(size); }
  bool start_array(std::size_t size) override { return reader_.start_array(size); }
  bool end_object() override { return reader_.end_object(); }
  bool end_array() override { return reader_.end_array(); }
  bool key(string_t& name) override { return reader_.key(name); }
  bool parse_error(std::size_t at, const std::string& token,
                   const nlohmann::json::exception& error) override {
    return reader_.parse_error(at, token, error);
  }

 private:
  bool mark(std::string_view kind, const std::string& text) {
    marked_ = true;
    std::string value = std::string(kind) + text;
    return reader_.string(value);
  }
  bool kept_oversized() {
    const auto found = oversized_.find(numbers_++);
    return found != oversized_.end() && mark(kNumberMark, found->second);
  }

  JsonReader<Json> reader_;
  const Oversized oversized_;
  std::size_t numbers_ = 0;
  bool marked_ = false;
};

void unmark(Json& value) {
  if (value.is_string()) {
    const std::string text = value.get<std::string>();
    const std::string_view rest = std::string_view(text).substr(std::min(text.size(), kNumberMark.size()));
    if (text.starts_with(kNumberMark)) {
      value = Json::binary(std::vector<std::uint8_t>(rest.begin(), rest.end()));
    } else if (text.starts_with(kTextMark)) {
      value = rest;
    }
  } else if (value.is_structured()) {
    for (Json& item : value) unmark(item);
  }
}

bool holds_kept(const Json& value) {
  if (value.is_binary()) return true;
  return value.is_structured() && std::any_of(value.begin(), value.end(), holds_kept);
}

void write(const Json& value, std::string& out) {
  if (value.is_binary()) {
    const auto& text = value.get_binary();
    out.append(text.begin(), text.end());
  } else if (value.is_array()) {
    out += '[';
    for (const Json& item : value) {
      if (&item != &value.front()) out += ',';
      write(item, out);
    }
    out += ']';
  } else if (value.is_object()) {
    out += '{';
    bool first = true;
    for (const auto& [name, item] : value.items()) {
      if (!first) out += ',';
      first = false;
      out += dump_json(Json(name)) + ':';
      write(item, out);
    }
    out += '}';
  } else {
    out += dump_json(value);
  }
}

}  // namespace

Json parse_kept(std::string_view text, int depth) {
  const auto read = [&](std::string_view of, Oversized oversized) {
    KeptReader reader(depth, std::move(oversized));
    if (!Json::sax_parse(of, &reader)) return Json(Json::value_t::discarded);
    Json out = reader.take();
    if (reader.marked()) unmark(out);
    return out;
  };
  // The library takes a NUL for the end of the text.
  if (text.contains('\0')) return Json(Json::value_t::discarded);
  Json out = read(text, {});
  if (!out.is_discarded()) return out;
  Oversized oversized;
  const std::string other = without_oversized(text, oversized);
  return oversized.empty() ? out : read(other, std::move(oversized));
}

std::string dump_kept(const Json& json) {
  if (!holds_kept(json)) return dump_json(json);
  std::string out;
  write(json, out);
  return out;
}

}  // namespace holdfast
