#pragma once

// Said: what a client says was said, in the form in which conversations are kept (model/message.h): turns
// before the present one, and the present one, which is a run's input. Pure.
//
// What a client calls system or developer text is not the agent's prompt, which its definition has: it is
// told to the model as the client's words, marked as such, with the message that it stands beside.

#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "net/problem.h"
#include "openai/json.h"

namespace holdfast::openai {

inline constexpr std::size_t kMaxTurns = 1000;  // in one request; a conversation has more
inline constexpr std::size_t kMaxParts = 64;    // of one turn
inline constexpr std::string_view kInstructions = "Instructions of the client:\n";

class Said {
 public:
  // `messages` of Chat Completions.
  static std::expected<Said, net::Problem> of_messages(const Json& messages);
  // `input` of Responses: text or items. `instructions`: empty, or what stands before the last turn.
  static std::expected<Said, net::Problem> of_input(const Json& input, const std::string& instructions);

  // Turns before the present one, as messages of a conversation, oldest first.
  const std::vector<std::string>& history() const { return history_; }
  // The present one, as the input of a run: JSON, a text or a message in parts.
  const std::string& input() const { return input_; }

 private:
  struct Turn {
    bool user = true;
    Json parts = Json::array();
  };
  using Problem = net::Problem;

  std::optional<Problem> add(bool user, Json parts, std::string_view param);
  std::optional<Problem> add_message(const Json& message, const std::string& param);
  std::optional<Problem> add_item(const Json& item, const std::string& param);
  std::optional<Problem> add_note(std::string text, std::string_view param);
  std::optional<Problem> add_function_call(const Json& item, const std::string& param);
  std::optional<Problem> add_function_output(const Json& item, const std::string& param);
  std::optional<Problem> finish(std::string_view param, const std::string& instructions);

  std::vector<Turn> turns_;
  std::map<std::string, std::string> called_;  // names of functions by the ids of their calls
  std::vector<std::string> history_;
  std::string input_;
};

// A run's input as an item of Responses: what `role`, "user" or "assistant", said.
Json input_item(std::string_view role, const std::string& input, const std::string& id);
// The same of a message of a history; null: it is none.
Json history_item(const std::string& message, const std::string& id);

}  // namespace holdfast::openai
