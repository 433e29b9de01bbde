#pragma once

// A response's body as text for a reader who has only text: a model, a person. Pure, never throws.

#include <expected>
#include <string>

#include "net/fetch.h"

namespace holdfast::net {

// UTF-8, converted from the charset that a byte order mark or `content-type` names. What is no text is told
// by type and size instead of pasted; bytes that fit no named charset become U+FFFD, and that is told, too.
std::string text_body(const HttpResponse& response);

// The same for a program, which would take what is told for the text itself: the error says what the body is
// instead, and of a body that calls itself JSON, where it is none.
std::expected<std::string, std::string> data_body(const HttpResponse& response);

}  // namespace holdfast::net
