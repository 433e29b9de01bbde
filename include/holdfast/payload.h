#pragma once

// Payload: one value as it travels through histories, in Temporal's encodings, so that workers in other
// languages read what we write. json/plain through nlohmann::json, binary/plain for Bytes, binary/null for
// nothing.
//
// A type of yours is converted when nlohmann::json knows it (to_json/from_json beside the type). Failing
// conversions throw PayloadError.

#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "holdfast/public.h"

namespace holdfast HOLDFAST_PUBLIC {

// Has constructors on purpose, like every type of this library that meets a co_await expression: g++ before
// 14 destroys aggregate temporaries twice there.
class Payload {
 public:
  Payload() = default;
  Payload(std::map<std::string, std::string> metadata_in, std::string data_in)
      : metadata(std::move(metadata_in)), data(std::move(data_in)) {}

  // "json/plain"; empty when the payload names no encoding.
  std::string encoding() const;
  bool operator==(const Payload&) const = default;

  std::map<std::string, std::string> metadata;
  std::string data;
};

// Bytes that are not text: encoded as they are (binary/plain).
class Bytes {
 public:
  Bytes() = default;
  explicit Bytes(std::string value) : data(std::move(value)) {}
  bool operator==(const Bytes&) const = default;

  std::string data;
};

class PayloadError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The conversions under the templates; json null is binary/null.
Payload json_to_payload(const nlohmann::json& value);
nlohmann::json payload_to_json(const Payload& payload);
Payload bytes_to_payload(std::string data);
Payload null_payload();
bool is_null(const Payload& payload);
// "argument 2 of 3 ...": thrown by decode_arguments.
[[noreturn]] void throw_missing_argument(std::size_t index, std::size_t expected, std::size_t given);

namespace detail {
template <typename T>
struct IsOptional : std::false_type {};
template <typename T>
struct IsOptional<std::optional<T>> : std::true_type {};
}  // namespace detail

template <typename T>
Payload to_payload(const T& value) {
  using V = std::remove_cvref_t<T>;
  if constexpr (std::is_same_v<V, Payload>) {
    return value;
  } else if constexpr (std::is_same_v<V, Bytes>) {
    return bytes_to_payload(value.data);
  } else if constexpr (std::is_same_v<V, std::nullptr_t>) {
    return null_payload();
  } else if constexpr (detail::IsOptional<V>::value) {
    return value ? to_payload(*value) : null_payload();
  } else {
    return json_to_payload(nlohmann::json(value));
  }
}

template <typename T>
T from_payload(const Payload& payload) {
  if constexpr (std::is_void_v<T>) {
    return;
  } else if constexpr (std::is_same_v<T, Payload>) {
    return payload;
  } else if constexpr (std::is_same_v<T, Bytes>) {
    return Bytes(payload.data);
  } else if constexpr (detail::IsOptional<T>::value) {
    if (is_null(payload)) return std::nullopt;
    return from_payload<typename T::value_type>(payload);
  } else if constexpr (std::is_same_v<T, nlohmann::json>) {
    return payload_to_json(payload);
  } else {
    try {
      return payload_to_json(payload).get<T>();
    } catch (const nlohmann::json::exception& error) {
      throw PayloadError(std::string("the payload does not have the expected type: ") + error.what());
    }
  }
}

template <typename... Args>
std::vector<Payload> to_payloads(const Args&... args) {
  std::vector<Payload> out;
  out.reserve(sizeof...(args));
  (out.push_back(to_payload(args)), ...);
  return out;
}

// Positional arguments; a missing trailing std::optional is empty, surplus payloads are ignored.
template <typename... Args>
std::tuple<Args...> decode_arguments(const std::vector<Payload>& payloads) {
  std::size_t index = 0;
  auto next = [&]<typename T>(std::type_identity<T>) -> T {
    const std::size_t at = index++;
    if (at >= payloads.size()) {
      if constexpr (detail::IsOptional<T>::value) {
        return std::nullopt;
      } else {
        throw_missing_argument(at, sizeof...(Args), payloads.size());
      }
    }
    return from_payload<T>(payloads[at]);
  };
  (void)next;
  return std::tuple<Args...>{next(std::type_identity<Args>{})...};
}

}  // namespace holdfast HOLDFAST_PUBLIC
