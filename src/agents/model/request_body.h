#pragma once

// The object that a request is written into. Pure; any thread.

#include <nlohmann/json.hpp>

namespace holdfast::model {

// With room for its members: nlohmann's ordered object copies what it holds when it grows, here all messages.
inline nlohmann::ordered_json request_body() {
  constexpr std::size_t kMembers = 24;
  auto out = nlohmann::ordered_json::object();
  out.get_ref<nlohmann::ordered_json::object_t&>().reserve(kMembers);
  return out;
}

}  // namespace holdfast::model
