#pragma once

// One list of fields per type serves both directions: `fields(archive, value)` names them, Writer and Reader
// are the archives. Defaults are left out, absent fields keep theirs; an enum that is no optional must be
// there. Used by the sources of this room only.

#include <concepts>
#include <string>
#include <type_traits>

#include <nlohmann/json.hpp>

#include "holdfast/payload.h"

namespace holdfast::protocol {

using Json = nlohmann::json;

class Writer {
 public:
  explicit Writer(Json& out) : out_(out) { out_ = Json::object(); }
  template <typename T>
  Writer& operator()(const char* name, const T& value) {
    if constexpr (requires { value.has_value(); }) {
      if (value) out_[name] = *value;
    } else if constexpr (std::is_same_v<T, Json>) {
      if (!value.is_null()) out_[name] = value;
    } else if constexpr (std::is_arithmetic_v<T>) {
      if (value != T{}) out_[name] = value;
    } else if constexpr (requires { value.empty(); }) {
      if (!value.empty()) out_[name] = value;
    } else {
      out_[name] = value;
    }
    return *this;
  }

 private:
  Json& out_;
};

class Reader {
 public:
  explicit Reader(const Json& in) : in_(in) {}
  template <typename T>
  Reader& operator()(const char* name, T& value) {
    auto found = in_.find(name);
    if (found == in_.end()) {
      if (std::is_enum_v<T>) throw PayloadError(std::string("`") + name + "` is missing");
      return *this;
    }
    if constexpr (requires { value.has_value(); }) {
      value = found->template get<typename T::value_type>();
    } else if constexpr (std::is_same_v<T, Json>) {
      value = *found;
    } else {
      found->get_to(value);
    }
    return *this;
  }

 private:
  const Json& in_;
};

// T or const T.
template <typename T, typename V>
concept Is = std::same_as<std::remove_const_t<T>, V>;

}  // namespace holdfast::protocol

#define HOLDFAST_PROTOCOL_JSON(Type)            \
  void to_json(Json& out, const Type& value) {  \
    Writer writer(out);                         \
    fields(writer, value);                      \
  }                                             \
  void from_json(const Json& in, Type& value) { \
    Reader reader(in);                          \
    fields(reader, value);                      \
  }
