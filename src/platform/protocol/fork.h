#pragma once

// A run that begins on a branch of another one's conversation. What it begins with stands in its settings
// (StartIntent::settings), so that it is there as soon as the run is; fields may be added, and never change
// their meaning.
//
// Values; see protocol/call.h for how reading fails.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/call.h"

namespace holdfast::protocol {

// In the settings of the fork.
inline constexpr std::string_view kForkSetting = "fork";
// Origin::state of a fork.
inline constexpr std::string_view kForkOrigin = R"({"fork":true})";
// In the log of the run that was forked: {"run", "message"}.
inline constexpr std::string_view kRunForked = "run.forked";

// The answer that one call of the last turn gets instead of its own.
struct EditedAnswer {
  EditedAnswer() = default;
  std::string call;  // the model's id of it
  std::string text;
  bool is_error = false;
};

struct Fork {
  Fork() = default;
  std::string run;      // that was forked
  ConversationRef at;   // where the branch leaves it
  std::string message;  // what is said behind that, as the input of a run is read; empty: nothing
  // The answers of the turn whose calls stand at the end of `at`: from there up to here, one of them edited.
  std::optional<ConversationRef> answers;
  std::optional<EditedAnswer> edited;
  std::vector<std::string> undone;  // calls before `at` that were taken back when the run ended, for people
  bool known = false;               // calls at the end of `at` get the answers that the ledger has
  int depth = 1;                    // of forks of forks
  std::string edit;                 // "prompt", "message", "tool_result", "version"; empty: nothing
  std::string reason;
  std::string by;
  Json inherited;       // what the runs before used up to there, an object
  std::string request;  // hash of what was asked for
};

// Of a run's settings; none: it is no fork.
std::optional<Fork> fork_in(std::string_view settings);

void to_json(Json& out, const EditedAnswer& value);
void from_json(const Json& in, EditedAnswer& value);
void to_json(Json& out, const Fork& value);
void from_json(const Json& in, Fork& value);

}  // namespace holdfast::protocol
