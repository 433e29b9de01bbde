#pragma once

// What a model once said is said to it again with each request, and providers refuse what they would not have
// said themselves: two calls of one id, calls without an answer, names and ids with odd letters, arguments
// that are no object. Here they get a form that is accepted. What the store holds stays as it is. Pure; one
// for one request.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "model/message.h"

namespace holdfast::model {

// Stands for what a model thought where a server wants it of each turn and none is there: it takes no empty
// one.
inline constexpr std::string_view kNoThought = " ";
// Said in the place of an answer that is not there.
inline constexpr std::string_view kNoAnswer = "no answer to this call was recorded";

class ResentCalls {
 public:
  // The id as it goes out, unlike those before it: to where it came from as it came, since some servers put
  // what they must know again into it; to others letters, digits, _ and -, at most 40 of them, which all
  // take.
  std::string open(const ToolCall& call, bool from_here);
  // The id that the answer's call went out with; none: there is no such call that still waits for one.
  std::optional<std::string> answer(const std::string& tool_call_id);
  // Ids of the calls that got none, in order; they count as answered then.
  std::vector<std::string> take_unanswered();

 private:
  std::vector<std::pair<std::string, std::string>> open_;  // as stored, as sent
  std::unordered_set<std::string> used_;
  std::size_t made_up_ = 0;
};

// Whether every provider takes it: letters, digits, _ and -, at most 40.
bool is_plain_id(std::string_view id);
// Letters, digits, _ and -, at most 64.
std::string resent_name(std::string_view name);
// A JSON object: the arguments as the model wrote them, or what it wrote as `invalid_arguments`.
std::string resent_arguments(const std::string& arguments);
// An answer whose call is not there, as a user would report it.
std::string resent_orphan(const Message& answer);

bool is_blank(std::string_view text);

}  // namespace holdfast::model
