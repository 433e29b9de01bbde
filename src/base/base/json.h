#pragma once

// JSON of uncertain origin. nlohmann::json reads any depth without recursion but copies, compares and prints
// with it: a document of 200 KB that is nothing but brackets ends the process. So everything that others
// wrote is read here.

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "holdfast/status.h"

namespace holdfast {

// How deep documents that come in may nest: as deep as protobuf's messages.
inline constexpr int kMaxForeignJsonDepth = 100;
// How deep may nest what we write around them.
inline constexpr int kMaxJsonDepth = 150;

// Whether brackets nest deeper than `depth`. Exact for valid JSON.
bool nests_deeper(std::string_view text, int depth);

enum class Integers : std::uint8_t {
  kAny,    // one beyond 64 bits becomes the nearest double
  kExact,  // one beyond 64 bits is an error
};

// INVALID_ARGUMENT says what is wrong with the text, and where. Never throws; linear in the text.
template <class Json = nlohmann::json>
Result<Json> read_json(std::string_view text, int depth = kMaxJsonDepth, Integers integers = Integers::kAny);

// Discarded (is_discarded()) when it is not valid or nests too deep.
template <class Json = nlohmann::json>
Json parse_json(std::string_view text, int depth = kMaxJsonDepth) {
  auto json = read_json<Json>(text, depth);
  return json ? std::move(*json) : Json(Json::value_t::discarded);
}

// Text that should be JSON; when it is not, nests too deep or has an integer of more than 64 bits, a JSON
// string of it: nothing of it is changed.
template <class Json>
Json parse_or_string(const std::string& text) {
  auto parsed = read_json<Json>(text, kMaxJsonDepth, Integers::kExact);
  return parsed ? *std::move(parsed) : Json(text);
}

// In one line, unless it shall be indented. Bytes that are no UTF-8 become U+FFFD: it never throws, as dump()
// does.
template <class Json>
std::string dump_json(const Json& json, int indent = -1);

// Compiled once: the library's parser and printer are long, and nearly every file reads or writes some JSON.
extern template Result<nlohmann::json> read_json(std::string_view, int, Integers);
extern template Result<nlohmann::ordered_json> read_json(std::string_view, int, Integers);
extern template std::string dump_json(const nlohmann::json&, int);
extern template std::string dump_json(const nlohmann::ordered_json&, int);

}  // namespace holdfast
