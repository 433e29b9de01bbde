#pragma once

// Definitions and labels as the API shows them. Internal to the module.

#include "http/json_reply.h"
#include "platform/store.h"

namespace holdfast::http {

Json definition_json(const platform::Definition& definition, bool with_text);
// Of a label as it is, or of a move that it made.
Json label_json(const platform::Label& label);
// As If-Match gives it back.
std::string etag_of(const platform::Label& label);

}  // namespace holdfast::http
