#pragma once

// The head of a response of ours, as it goes out: what every one of them says to browsers comes with it.
// Pure. Internal to the room.

#include <string>
#include <string_view>

#include "net/message.h"

namespace holdfast::net {

// `framing`: the lines that say how long the body is.
std::string head_text(const Response& response, std::string_view framing, bool keep_alive);

}  // namespace holdfast::net
