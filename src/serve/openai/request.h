#pragma once

// Asked: a request of Chat Completions or Responses, read and checked, as the start of a run. Pure.

#include <expected>
#include <string>
#include <vector>

#include "net/problem.h"
#include "openai/input.h"
#include "openai/json.h"

namespace holdfast::openai {

struct Asked {
  std::string model;  // an agent, perhaps with @LABEL or @VERSION
  bool stream = false;
  bool include_usage = false;  // chat: a last chunk has it
  bool background = false;     // responses
  bool store = true;           // false: nothing of it is kept once it is over and told
  std::string input;           // of the run, JSON
  std::vector<std::string> history;
  std::string previous;      // the run that the response goes on behind
  std::string conversation;  // that it goes on in
  // What a response says again of its request; kept with the run. Null: nothing.
  nlohmann::json kept;
};

// The name under which `kept` stands among the settings of a run.
inline constexpr const char* kKept = "response";
// Its member about a history that came with the request: how many turns it has, and in which conversation
// they stand.
inline constexpr const char* kHistory = "history";

std::expected<Asked, net::Problem> read_chat(const Json& body);
std::expected<Asked, net::Problem> read_response(const Json& body);

}  // namespace holdfast::openai
