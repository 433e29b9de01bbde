#pragma once

// Writes one event of a text/event-stream, as sse_parser.h reads it. Pure.

#include <string>
#include <string_view>

namespace holdfast::net {

// `id` and `type` are left out when empty and must hold no line break. Each line of `data` is a data line of
// its own.
void append_sse_event(std::string& out, std::string_view id, std::string_view type, std::string_view data);
std::string sse_event(std::string_view type, std::string_view data);

}  // namespace holdfast::net
