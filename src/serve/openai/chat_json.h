#pragma once

// A run as a chat completion, whole and in chunks. Pure but for what ChatChunks remembers; not thread-safe.

#include <string>
#include <string_view>

#include "openai/response_json.h"
#include "openai/run_fold.h"

namespace holdfast::openai {

// {"prompt_tokens", ...}; null: not known.
Json chat_usage(const Json& tokens);
// Of a run that has completed.
Json chat_completion(const ResponseHead& head, const RunFold& run);
// Of one that has ended otherwise: an error, with its status.
int chat_error_status(const RunFold& run);
std::string chat_error_message(const ResponseHead& head, const RunFold& run);

// What is said is sent as it comes: the texts of all turns, with a blank line between two. Text that was sent
// cannot be taken back: where a model is asked again, what it says is sent from where it differs, behind a
// line that says so. What an agent waits for is told as `reasoning_content`, which is no part of the answer.
class ChatChunks {
 public:
  ChatChunks(ResponseHead head, bool include_usage) : head_(std::move(head)), include_usage_(include_usage) {}

  void begin(std::string& out);
  void write(std::string& out, const RunFold& run, const Happening& happening);

 private:
  void chunk(std::string& out, Json delta, const Json& finish = nullptr);
  void content(std::string& out, std::string_view text);
  void text(std::string& out, const RunFold& run, const Happening& happening);
  void message_ended(std::string& out, const Item& item);
  void waiting(std::string& out, const RunFold& run);
  void ended(std::string& out, const RunFold& run);
  void send(std::string& out, const Json& data) const;

  const ResponseHead head_;
  const bool include_usage_;
  std::string sent_;     // of the present message
  std::string dropped_;  // was sent, and does not count any more
  bool anything_ = false;
};

}  // namespace holdfast::openai
