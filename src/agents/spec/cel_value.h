#pragma once

// The values of CEL expressions (spec/cel.h): what JSON has, and integers without a sign, bytes, durations
// and timestamps. Pure, immutable, cheap to copy: texts, lists and maps are shared. Any thread.
//
// Comparing is CEL's: numbers of all kinds are one line, everything of different types is unequal and has no
// order.

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

namespace holdfast::spec::cel {

__extension__ typedef __int128 Nanos;

class Value;

// A map's key. 1, 1u and 1.0 are one key.
using Key = std::variant<bool, std::int64_t, std::uint64_t, std::string>;
struct KeyLess {
  bool operator()(const Key& a, const Key& b) const;
};

using Text = std::shared_ptr<const std::string>;
struct Bytes {
  Text data;
};
struct Duration {
  Nanos nanos = 0;
};
struct Timestamp {
  Nanos nanos = 0;  // since 1970-01-01T00:00:00Z
};
using List = std::shared_ptr<const std::vector<Value>>;
using Map = std::shared_ptr<const std::map<Key, Value, KeyLess>>;
using MapRows = std::map<Key, Value, KeyLess>;

class Value {
 public:
  using Any = std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, double, Text, Bytes, List, Map,
                           Duration, Timestamp>;

  Value() : any_(nullptr) {}
  explicit Value(bool value) : any_(value) {}
  explicit Value(std::int64_t value) : any_(value) {}
  explicit Value(std::uint64_t value) : any_(value) {}
  explicit Value(double value) : any_(value) {}
  explicit Value(std::string value) : any_(std::make_shared<const std::string>(std::move(value))) {}
  explicit Value(const char* value) : Value(std::string(value)) {}
  explicit Value(Duration value) : any_(value) {}
  explicit Value(Timestamp value) : any_(value) {}
  static Value bytes(std::string value);
  static Value list(std::vector<Value> items);
  static Value map(MapRows rows);
  // Integers are int, or uint when they are too large for it.
  static Value of_json(const nlohmann::json& json);

  template <typename T>
  const T* as() const {
    return std::get_if<T>(&any_);
  }
  bool is_null() const { return as<std::nullptr_t>() != nullptr; }
  // Null when it is no text.
  const std::string* text() const;
  const std::string* bytes() const;
  bool is_number() const;
  // "int", "string", ... as CEL names its types.
  std::string_view type() const;
  // What of it counts for bounds, without what it shares.
  std::size_t own_bytes() const;

 private:
  Any any_;
};

// Equality with all that is inside; `steps` counts what was looked at.
bool equal(const Value& a, const Value& b, std::size_t& steps);
// None: these have no order.
std::optional<std::partial_ordering> order(const Value& a, const Value& b);
// None: no key of a map is like that.
std::optional<Key> key_of(const Value& value);
Value value_of(const Key& key);

}  // namespace holdfast::spec::cel
