#include "spec/cel_value.h"

#include <array>
#include <cmath>

namespace holdfast::spec::cel {

namespace {

// Exact: no integer is rounded to a double, but before 2^63, which CEL takes for the largest int.
std::partial_ordering compare_to_double(std::int64_t a, double b) {
  if (std::isnan(b)) return std::partial_ordering::unordered;
  if (b == 0x1p63) return static_cast<double>(a) <=> b;
  if (b > 0x1p63) return std::partial_ordering::less;
  if (b < -0x1p63) return std::partial_ordering::greater;
  const double whole = std::trunc(b);
  const auto cut = static_cast<std::int64_t>(whole);
  if (a != cut) return a <=> cut;
  return 0.0 <=> (b - whole);
}

std::partial_ordering compare_to_double(std::uint64_t a, double b) {
  if (std::isnan(b)) return std::partial_ordering::unordered;
  if (b >= 0x1p64) return std::partial_ordering::less;
  if (b < 0) return std::partial_ordering::greater;
  const double whole = std::trunc(b);
  const auto cut = static_cast<std::uint64_t>(whole);
  if (a != cut) return a <=> cut;
  return 0.0 <=> (b - whole);
}

std::partial_ordering compare_integers(std::int64_t a, std::uint64_t b) {
  return std::cmp_less(a, b)    ? std::partial_ordering::less
         : std::cmp_equal(a, b) ? std::partial_ordering::equivalent
                                : std::partial_ordering::greater;
}

std::partial_ordering reversed(std::partial_ordering order) {
  return 0 <=> order;
}

std::partial_ordering compare_numbers(const Value& a, const Value& b) {
  const auto* ai = a.as<std::int64_t>();
  const auto* a_large = a.as<std::uint64_t>();
  const auto* bi = b.as<std::int64_t>();
  const auto* b_large = b.as<std::uint64_t>();
  const auto* bd = b.as<double>();
  if (ai) return bi ? *ai <=> *bi : b_large ? compare_integers(*ai, *b_large) : compare_to_double(*ai, *bd);
  if (a_large)
    return b_large ? *a_large <=> *b_large
           : bi    ? reversed(compare_integers(*bi, *a_large))
                   : compare_to_double(*a_large, *bd);
  const double ad = *a.as<double>();
  if (bd) return ad <=> *bd;
  return reversed(bi ? compare_to_double(*bi, ad) : compare_to_double(*b_large, ad));
}

bool equal_maps(const MapRows& a, const MapRows& b, std::size_t& steps) {
  if (a.size() != b.size()) return false;
  for (const auto& [key, value] : a) {
    const auto found = b.find(key);
    if (found == b.end() || !equal(value, found->second, steps)) return false;
  }
  return true;
}

bool equal_lists(const std::vector<Value>& a, const std::vector<Value>& b, std::size_t& steps) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!equal(a[i], b[i], steps)) return false;
  }
  return true;
}

}  // namespace

bool KeyLess::operator()(const Key& a, const Key& b) const {
  const auto rank = [](const Key& key) { return key.index() == 0 ? 0 : key.index() == 3 ? 2 : 1; };
  if (rank(a) != rank(b)) return rank(a) < rank(b);
  if (rank(a) != 1) return a < b;
  return std::visit(
      [](const auto& x, const auto& y) -> bool {
        using X = std::decay_t<decltype(x)>;
        using Y = std::decay_t<decltype(y)>;
        if constexpr (std::is_integral_v<X> && std::is_integral_v<Y> && !std::is_same_v<X, bool> &&
                      !std::is_same_v<Y, bool>) {
          return std::cmp_less(x, y);
        } else {
          return false;
        }
      },
      a, b);
}

Value Value::bytes(std::string value) {
  Value out;
  out.any_ = Bytes{std::make_shared<const std::string>(std::move(value))};
  return out;
}

Value Value::list(std::vector<Value> items) {
  Value out;
  out.any_ = std::make_shared<const std::vector<Value>>(std::move(items));
  return out;
}

Value Value::map(MapRows rows) {
  Value out;
  out.any_ = std::make_shared<const MapRows>(std::move(rows));
  return out;
}

Value Value::of_json(const nlohmann::json& json) {
  switch (json.type()) {
    case nlohmann::json::value_t::boolean: return Value(json.get<bool>());
    case nlohmann::json::value_t::number_integer: return Value(json.get<std::int64_t>());
    case nlohmann::json::value_t::number_unsigned: {
      const auto number = json.get<std::uint64_t>();
      return std::in_range<std::int64_t>(number) ? Value(static_cast<std::int64_t>(number)) : Value(number);
    }
    case nlohmann::json::value_t::number_float: return Value(json.get<double>());
    case nlohmann::json::value_t::string: return Value(json.get<std::string>());
    case nlohmann::json::value_t::array: {
      std::vector<Value> items;
      items.reserve(json.size());
      for (const auto& item : json) items.push_back(of_json(item));
      return list(std::move(items));
    }
    case nlohmann::json::value_t::object: {
      MapRows rows;
      for (const auto& [key, value] : json.items()) rows.insert_or_assign(Key(key), of_json(value));
      return map(std::move(rows));
    }
    default: return {};
  }
}

const std::string* Value::text() const {
  const auto* text = as<Text>();
  return text ? text->get() : nullptr;
}

const std::string* Value::bytes() const {
  const auto* bytes = as<Bytes>();
  return bytes ? bytes->data.get() : nullptr;
}

bool Value::is_number() const {
  return as<std::int64_t>() || as<std::uint64_t>() || as<double>();
}

std::string_view Value::type() const {
  static constexpr std::array<std::string_view, 11> kNames = {"null_type", "bool",     "int",      "uint",
                                                              "double",    "string",   "bytes",    "list",
                                                              "map",       "duration", "timestamp"};
  return kNames[any_.index()];
}

std::size_t Value::own_bytes() const {
  if (const std::string* one = text()) return sizeof(Value) + one->size();
  if (const std::string* one = bytes()) return sizeof(Value) + one->size();
  if (const auto* one = as<List>()) return sizeof(Value) * (1 + (*one)->size());
  if (const auto* one = as<Map>()) return sizeof(Value) * (1 + 3 * (*one)->size());
  return sizeof(Value);
}

bool equal(const Value& a, const Value& b, std::size_t& steps) {
  ++steps;
  if (a.is_number() && b.is_number()) return compare_numbers(a, b) == 0;
  if (a.type() != b.type()) return false;
  if (const auto* one = a.as<List>()) return equal_lists(**one, **b.as<List>(), steps);
  if (const auto* one = a.as<Map>()) return equal_maps(**one, **b.as<Map>(), steps);
  if (const auto* one = a.as<bool>()) return *one == *b.as<bool>();
  if (a.is_null()) return true;
  const auto compared = order(a, b);
  return compared && *compared == 0;
}

std::optional<std::partial_ordering> order(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) return compare_numbers(a, b);
  if (a.type() != b.type()) return std::nullopt;
  if (const auto* one = a.as<bool>()) return *one <=> *b.as<bool>();
  if (const std::string* one = a.text()) return *one <=> *b.text();
  if (const std::string* one = a.bytes()) return *one <=> *b.bytes();
  if (const auto* one = a.as<Duration>()) return one->nanos <=> b.as<Duration>()->nanos;
  if (const auto* one = a.as<Timestamp>()) return one->nanos <=> b.as<Timestamp>()->nanos;
  return std::nullopt;
}

std::optional<Key> key_of(const Value& value) {
  if (const auto* one = value.as<bool>()) return Key(*one);
  if (const auto* one = value.as<std::int64_t>()) return Key(*one);
  if (const auto* one = value.as<std::uint64_t>()) return Key(*one);
  if (const std::string* one = value.text()) return Key(*one);
  const auto* number = value.as<double>();
  if (!number || *number != std::trunc(*number)) return std::nullopt;
  if (*number >= -0x1p63 && *number < 0x1p63) return Key(static_cast<std::int64_t>(*number));
  if (*number >= 0 && *number < 0x1p64) return Key(static_cast<std::uint64_t>(*number));
  return std::nullopt;
}

Value value_of(const Key& key) {
  return std::visit([](const auto& one) { return Value(one); }, key);
}

}  // namespace holdfast::spec::cel
