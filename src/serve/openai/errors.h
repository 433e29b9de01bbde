#pragma once

// Errors as OpenAI's clients read them: {"error": {message, type, param, code}}. Handlers say what is wrong
// as they do everywhere, as a Problem; here it gets that shape on its way out. Pure, but for the Responder.

#include <string>
#include <string_view>

#include "net/message.h"
#include "net/problem.h"
#include "openai/json.h"

namespace holdfast::openai {

// 400 about a field of the request: `param` is its path, "messages[2].content".
net::Problem wrong(std::string_view param, std::string code, std::string detail);

// "invalid_request_error", by the status.
std::string_view error_type(int status);
Json error_json(int status, std::string_view code, std::string_view message, const Json& param = nullptr);

// Of a problem document; any other response stays as it is.
net::Response with_openai_error(net::Response response);
net::Responder with_openai_errors(net::Responder responder);

// These clients repeat on their own what ended with 409, 429 or 5xx, without a key that would make it the
// same request. What must not be repeated says so in a header that they honour.
net::Header no_retry();

}  // namespace holdfast::openai
