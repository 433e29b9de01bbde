#pragma once

// What a request of OpenAI's API may say, field by field: some are read, some are the business of the agent's
// definition and are taken without an effect, and some would be a promise that is not kept: those must be
// left out. The guide has the same table (docs/guide/openai-clients.md). Pure.

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/problem.h"
#include "openai/json.h"

namespace holdfast::openai {

enum class Taken : std::uint8_t {
  kRead,
  kOwned,   // the agent's definition says it; what the client says has no effect
  kUnless,  // refused, unless it says nothing or what is so anyway
};

struct Field {
  std::string_view name;
  Taken taken = Taken::kRead;
  std::string_view fine = {};  // kUnless: JSON that is so anyway
  std::string_view why = {};   // kUnless: what to do instead
};

std::span<const Field> chat_fields();
std::span<const Field> response_fields();

// What is wrong with the fields of a request; none: nothing.
std::optional<net::Problem> check_fields(const Json& body, std::span<const Field> fields);

// ---- members; null is the same as absent

std::expected<bool, net::Problem> flag(const Json& body, const char* name, bool fallback = false);
std::expected<std::string, net::Problem> text(const Json& body, const char* name, std::size_t max_bytes);

// OpenAI's limits: 16 pairs, keys of 64 and values of 512 characters. Null when there is none.
std::expected<Json, net::Problem> metadata(const Json& body);

}  // namespace holdfast::openai
