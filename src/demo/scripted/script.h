#pragma once

// The script of a scripted model: rules read from YAML, and the choice of one by what a request contains.
// Pure. docs/guide/models.md describes the file. Private to this module.

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/status.h"

namespace re2 {
class RE2;
}

namespace holdfast::model {

// The wire formats, as `provider:` of agent.yaml names them.
inline constexpr std::array<std::string_view, 4> kScriptedApis = {"openai", "openai_responses", "anthropic",
                                                                  "gemini"};

// What the wire formats have in common, as far as a script can look at it.
struct ScriptedRequest {
  ScriptedRequest() = default;
  std::string api;  // kScriptedApis
  std::string model;
  std::string system;              // all system texts
  std::string last;                // text of the last message: what the user said, or what a tool answered
  std::string news;                // since the model spoke last: all of these, a line each
  std::uint64_t turn = 0;          // assistant messages so far
  std::vector<std::string> tools;  // offered
  std::size_t characters = 0;      // of all messages
  std::uint64_t hash = 0;          // of model and messages: the same for a repeated request
  bool stream = false;
  bool include_usage = false;
};

struct ScriptedToolCall {
  ScriptedToolCall() = default;
  std::string id;  // empty: made from the request's hash
  std::string name;
  std::string arguments;  // text; need not be JSON
};

enum class ScriptedStop : std::uint8_t { kEnd, kToolCalls, kMaxTokens, kContentFilter };

// One way to misbehave.
struct ScriptedFault {
  ScriptedFault() = default;
  enum class Kind : std::uint8_t { kStatus, kCut, kHang, kStreamError };
  Kind kind = Kind::kStatus;
  std::optional<std::uint64_t> first;  // only for so many requests; none: for all
  int status = 500;
  std::string code;
  std::string type;
  std::string message;
  std::string retry_after;  // header value, as written
  std::string retry_after_ms;
  std::string should_retry;
  std::uint64_t after = 0;  // chunks sent before it happens; kHang with 0: not even headers
};

struct ScriptedReply {
  ScriptedReply() = default;
  std::string reasoning;  // said before the text, where a format has a place for it
  std::string text;
  std::vector<ScriptedToolCall> tool_calls;
  ScriptedStop stop = ScriptedStop::kEnd;
  std::optional<std::int64_t> input_tokens;
  std::optional<std::int64_t> output_tokens;
  std::int64_t cached_tokens = 0;
  std::int64_t reasoning_tokens = 0;
  std::chrono::milliseconds delay{0};  // before each chunk
  std::size_t chunk = 0;               // characters per chunk; 0: words
  std::size_t write_bytes = 0;         // bytes per write to the socket; 0: as they come
  std::vector<ScriptedFault> faults;
};

// What must be so when a rule is taken; otherwise the request is refused.
struct ScriptedExpectation {
  ScriptedExpectation();
  ~ScriptedExpectation();
  ScriptedExpectation(ScriptedExpectation&&) noexcept;
  std::unique_ptr<re2::RE2> system;
  std::unique_ptr<re2::RE2> last;
  std::vector<std::unique_ptr<re2::RE2>> news;  // each is found in what is new
  std::vector<std::string> tools;               // each is offered
};

struct ScriptedRule {
  ScriptedRule();
  ~ScriptedRule();
  ScriptedRule(ScriptedRule&&) noexcept;
  std::string model;
  std::string api;
  std::string tool;
  std::optional<std::uint64_t> turn;
  std::unique_ptr<re2::RE2> system;
  std::unique_ptr<re2::RE2> last;
  ScriptedExpectation expect;
  int line = 0;                // in the script, from 1
  bool count_by_rule = false;  // faults count the requests of the rule, not of each different request
  ScriptedReply reply;
};

class Script {
 public:
  // INVALID_ARGUMENT with "name:line:column: what is wrong".
  static Result<Script> parse(const std::string& yaml, const std::string& name);

  struct Choice {
    Choice() = default;
    ScriptedReply reply;  // {{last}}, {{last.1}} and so on replaced
    std::string key;      // what faults are counted by
  };
  // NOT_FOUND says what was looked for; FAILED_PRECONDITION what a reply expected and did not get.
  Result<Choice> choose(const ScriptedRequest& request) const;

  const std::vector<std::string>& models() const { return models_; }
  const std::string& api_key() const { return api_key_; }

 private:
  std::vector<std::string> models_;
  std::string api_key_;
  std::vector<ScriptedRule> rules_;
};

}  // namespace holdfast::model
