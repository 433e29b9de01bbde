#pragma once

// Messages of JSON-RPC 2.0 as MCP uses them. Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "definition/tool_type.h"
#include "mcp/failure.h"

namespace holdfast::mcp {

using Json = nlohmann::json;

// Of a listed tool, beside what the server says of it: its `inputSchema`, which says in which order its
// properties stood (spec/written_order.h). Not part of the pin: that is over the server's words alone.
inline constexpr std::string_view kSchemaInOrder = "x-holdfast-input-schema";

// Of a result, beside its `structuredContent`: that as a text, with its order and its numbers as they were
// written.
inline constexpr std::string_view kStructuredAsWritten = "x-holdfast-structured-content";

// What a server sends; discarded when it is no JSON, or nests too deep. Tools that it lists have
// `kSchemaInOrder` where that says more, results `kStructuredAsWritten`; what the server itself says by these
// names is taken out.
Json parse_message(std::string_view text);

// What was sent at once: one message, or those of a batch, in which servers of 2025-03-26 may answer.
std::vector<Json> messages_in(Json sent);

// Why `text`, which is no JSON that can be read, is a message of the protocol all the same; none: it is
// something else, as programs print it. Whoever waits for an answer need not wait for it any longer.
std::optional<std::string> broken_message(std::string_view text);

Json request(std::int64_t id, std::string_view method, Json params);
Json notification(std::string_view method, Json params);

enum class Kind : std::uint8_t { kAnswer, kNotification, kRequest, kNone };
// Of what a server sends. kNone: it is no message.
Kind kind_of(const Json& message);
bool answers(const Json& message, std::int64_t id);
// Serialisers write an error that there is not as null.
bool says_error(const Json& message);

// What we say to a request of the server's: pong, or that nobody here does such a thing.
Json reply_to(const Json& request);

// The result, which is an object, or the error as a Failure (kError).
Outcome<Json> result_of(Json answer);

// "" when it is absent or something else.
std::string text_at(const Json& object, std::string_view name);

}  // namespace holdfast::mcp
