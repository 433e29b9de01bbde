#pragma once

// A response as Open Responses has it, of a run. Pure.

#include <string>

#include "openai/json.h"
#include "openai/run_fold.h"
#include "platform/records.h"

namespace holdfast::openai {

// What a response says that its log does not.
struct ResponseHead {
  std::string run;
  std::string model;  // as it was asked for
  std::string agent;
  std::string version;
  std::string conversation;
  bool background = false;
  bool store = true;
  std::string instructions;
  std::string previous;     // id of a response
  std::size_t history = 0;  // turns that came with the request: the first of its conversation
  Json metadata = Json::object();
  WallTime created_at{};
  std::string page;  // where people look at the run
};

// `settings`: of the run, as the store has them.
ResponseHead response_head(const platform::RunRecord& run, const std::string& settings,
                           const std::string& public_url);

// "queued", "in_progress", "completed", "incomplete", "failed" or "cancelled".
std::string_view response_status(const ResponseHead& head, const RunFold& run);
Json response_json(const ResponseHead& head, const RunFold& run);
// One of its output, by its place there.
std::string item_id(const ResponseHead& head, const Item& item, std::size_t at);
Json item_json(const ResponseHead& head, const Item& item, std::size_t at);

// {"input_tokens", ...} in the words of Responses; null: not known.
Json response_usage(const Json& tokens);
// What Holdfast says besides: the run, and for what it waits.
Json holdfast_json(const ResponseHead& head, const RunFold& run);

std::int64_t unix_seconds(WallTime time);

}  // namespace holdfast::openai
