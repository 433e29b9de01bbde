#pragma once

// A response is a run: its id is the run's with a word before it, so that either can be told from the other
// without a table. Pure.

#include <optional>
#include <string>
#include <string_view>

namespace holdfast::openai {

std::string response_id(std::string_view run);
std::string completion_id(std::string_view run);
// None: no id of a response.
std::optional<std::string> run_of_response(std::string_view id);

}  // namespace holdfast::openai
