#pragma once

// Code that calls tools, between the store and the sandbox: what it is given of the calls before, and what a
// reply of the sandbox means. Pure; any thread.

#include <cstddef>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "holdfast/status.h"
#include "wire/message.h"

namespace holdfast::agent {

// What a call came to, as the code sees it.
struct CodeAnswer {
  CodeAnswer() = default;
  bool ok = false;
  std::string text;  // JSON where it is JSON; of a failure, what went wrong
};

// The calls before a run of the code, in rounds.
class CodePast {
 public:
  CodePast() = default;
  // `calls`: [{"tool", "arguments"}], with an answer each.
  void add(const nlohmann::json& calls, const std::vector<CodeAnswer>& answers);
  // As sandbox::Kind::kCalls takes them.
  std::string inputs(const std::vector<std::string>& names, int most) const;
  std::size_t calls() const { return calls_; }
  std::size_t size() const { return rounds_.size(); }  // in memory, nearly
  // "find (3), pay (1)".
  std::string told() const;

  std::size_t bytes = 0;  // of the answers

 private:
  std::string rounds_;
  std::size_t calls_ = 0;
  std::vector<std::pair<std::string, std::size_t>> by_tool_;
};

struct CodeEnd {
  CodeEnd() = default;
  nlohmann::json calls;  // to be made first, [{"tool", "arguments"}]; empty: it has ended
  std::string text;      // for the model
  bool failed = false;
  nlohmann::json more = nlohmann::json::object();  // {"calls", "failure": {"kind", ...}}, for the record
};

// `most`: so many calls may be made at once.
CodeEnd end_of_code(const CodePast& past, const sandbox::Reply& reply, std::size_t most);
CodeEnd code_did_not_run(const CodePast& past, const Status& why);
CodeEnd too_much_for_code(const CodePast& past, std::size_t most);

}  // namespace holdfast::agent
