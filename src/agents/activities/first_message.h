#pragma once

// What a run is given, as the message that its model reads first. Pure.

#include <string>

#include "model/message.h"

namespace holdfast::agent {

// At most so many parts.
inline constexpr std::size_t kMaxInputParts = 64;

// `input`: text, or JSON. An object whose only member is `content` is a message in parts, texts, images and
// files (model/media.h); all else is said as the text that it is. INVALID_ARGUMENT: a part is none.
Result<model::Message> first_message(const std::string& input);

}  // namespace holdfast::agent
