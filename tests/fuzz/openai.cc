// Requests of OpenAI's clients: Chat Completions or Responses (first byte). What is taken is the start of a run with
// an input in JSON; what is not says in which field and why.

#include "base/json.h"
#include "fuzz.h"
#include "openai/ids.h"
#include "openai/request.h"

namespace holdfast::openai {

FUZZ(input) {
  if (const auto run = run_of_response(input)) REQUIRE(response_id(*run) == input);
  if (input.empty()) return;
  const bool chat = input[0] % 2 == 0;
  const Json body = parse_json<Json>(input.substr(1));
  if (body.is_discarded()) return;
  const auto asked = chat ? read_chat(body) : read_response(body);
  if (!asked) {
    REQUIRE(asked.error().status() >= 400 && asked.error().status() < 500);
    return;
  }
  REQUIRE(!asked->model.empty());
  REQUIRE(!parse_json<Json>(asked->input).is_discarded());
  for (const std::string& message : asked->history) REQUIRE(!parse_json<Json>(message).is_discarded());
}

}  // namespace holdfast::openai
