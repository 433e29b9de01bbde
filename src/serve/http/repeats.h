#pragma once

// What an Idempotency-Key means to the POSTs of the API: each honours it, does the same however often it
// comes, or refuses it. None passes it over, since whoever sends a key relies on it. Constants.

#include <optional>
#include <span>
#include <string_view>

#include "http/message.h"

namespace holdfast::http {

// Whose handlers read the key: the same request with it is the same thing.
std::span<const std::string_view> keyed_posts();
// Of which a repeat changes nothing, with a key or without.
std::span<const std::string_view> repeatable_posts();

// Of a route: a POST that makes something anew each time.
bool refuses_keys(std::string_view method, std::string_view pattern);
std::optional<Problem> refused_key(const Request& request);

}  // namespace holdfast::http
