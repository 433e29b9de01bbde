#pragma once

// JsonReader: nlohmann's parser with what it leaves open decided: how deep a document may nest, what becomes
// of an integer that has no 64-bit type, and that an object of n keys costs O(n) (nlohmann::ordered_json
// looks through all keys for each new one). A key that comes twice keeps the place of the first and the value
// of the last, as there. Use it through base/json.h.

#include <nlohmann/json.hpp>

#include <boost/unordered/unordered_flat_set.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/json.h"

namespace holdfast {

// Where the keys of a long object stand. It holds places, not keys: an allocation for each of 100,000 keys
// would keep the allocator from other threads.
template <class Members>
class KeyPlaces {
 public:
  explicit KeyPlaces(const Members* members) : known_(0, Hash{members}, Same{members}) {}

  // The place of the first member with the key of the one at `place`, which may be itself.
  std::size_t first(std::size_t place) { return *known_.insert(place).first; }

 private:
  static const auto& key(const Members& members, std::size_t place) { return members.data()[place].first; }
  struct Hash {
    const Members* members;
    std::size_t operator()(std::size_t place) const { return std::hash<std::string>()(key(*members, place)); }
  };
  struct Same {
    const Members* members;
    bool operator()(std::size_t a, std::size_t b) const { return key(*members, a) == key(*members, b); }
  };

  boost::unordered_flat_set<std::size_t, Hash, Same> known_;
};

template <class Json>
class JsonReader final : public nlohmann::json_sax<Json> {
  using Base = nlohmann::json_sax<Json>;

 public:
  JsonReader(int max_depth, Integers integers) : max_depth_(max_depth), integers_(integers) {}

  // The document; discarded after an error.
  Json take() { return error_.empty() ? std::move(root_) : Json(Json::value_t::discarded); }
  // What is wrong, where; empty: nothing.
  const std::string& error() const { return error_; }

  bool null() override { return add(Json()); }
  bool boolean(bool value) override { return add(Json(value)); }
  bool number_integer(typename Base::number_integer_t value) override { return add(Json(value)); }
  bool number_unsigned(typename Base::number_unsigned_t value) override { return add(Json(value)); }
  bool number_float(typename Base::number_float_t value, const std::string& text) override {
    if (integers_ == Integers::kExact && text.find_first_of(".eE") == std::string::npos) {
      return fail("the integer " + text.substr(0, 40) + " has more than 64 bits");
    }
    return add(Json(value));
  }
  bool string(std::string& value) override { return add(Json(std::move(value))); }
  bool binary(typename Base::binary_t&) override { return fail("binary values are no JSON"); }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(std::string& name) override {
    Open& object = open_.back();
    object.slot = &slot(object, name);
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception& error) override {
    return fail(error.what());
  }

 private:
  // Below it a look at every key is quicker than an index.
  static constexpr std::size_t kIndexedFrom = 16;

  struct Open {
    explicit Open(Json* value) : value(value) {}
    Json* value;
    Json* slot = nullptr;                                      // of the key that was read
    std::optional<KeyPlaces<typename Json::object_t>> places;  // of all keys, once there are many
  };

  bool fail(std::string why) {
    if (error_.empty()) error_ = std::move(why);
    return false;
  }

  Json& slot(Open& object, std::string& name) {
    auto& members = object.value->template get_ref<typename Json::object_t&>();
    if constexpr (std::is_same_v<Json, nlohmann::ordered_json>) {
      if (members.size() >= kIndexedFrom) {
        if (!object.places) {
          object.places.emplace(&members);
          for (std::size_t i = 0; i < members.size(); ++i) object.places->first(i);
        }
        members.emplace_back(std::move(name), Json());
        const std::size_t place = object.places->first(members.size() - 1);
        if (place + 1 < members.size()) members.pop_back();
        return members.data()[place].second;
      }
    }
    return members[std::move(name)];
  }

  Json* place(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Open& inside = open_.back();
    if (inside.value->is_array()) {
      inside.value->push_back(std::move(value));
      return &inside.value->back();
    }
    *inside.slot = std::move(value);
    return inside.slot;
  }
  bool add(Json value) { return place(std::move(value)) != nullptr; }
  bool open(Json value) {
    if (open_.size() >= static_cast<std::size_t>(max_depth_)) {
      return fail("it nests deeper than " + std::to_string(max_depth_) + " levels");
    }
    open_.emplace_back(place(std::move(value)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  const int max_depth_;
  const Integers integers_;
  Json root_;
  std::vector<Open> open_;
  std::string error_;
};

}  // namespace holdfast
