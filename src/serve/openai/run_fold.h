#pragma once

// RunFold: a run, folded from its event log into what a response consists of: messages, calls, questions to
// people, and how it stands. Everything that is answered, streamed or polled is told from here, so that all
// of it is the same however often and from wherever it is asked: the log is durable, and folding it is pure.
//
// A model that is asked again begins a new message; the one before is dropped and keeps no text, so that
// nothing is said twice. Not thread-safe.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "openai/json.h"
#include "platform/streams.h"
#include "runs/run_status.h"

namespace holdfast::openai {

struct Item {
  enum class Kind : std::uint8_t { kMessage, kCall, kApproval };
  enum class State : std::uint8_t {
    kOpen,
    kDone,
    kFailed,   // call
    kCut,      // open when the run ended
    kDropped,  // message: another attempt took its place, or it was of no use
  };
  Kind kind = Kind::kMessage;
  State state = State::kOpen;
  std::string name;       // call, approval: of the tool
  std::string arguments;  // call, approval: JSON, as far as an event has it
  std::string text;       // message: what was said; call: what it gave, or what went wrong
  std::string approval;   // its id
  std::string reason;     // approval: why a person is asked
  bool is_last = false;   // message: the model had no more to do
  std::string decided;    // approval: how, "approved"; empty: it waits
};

struct Happening {
  enum class What : std::uint8_t {
    kStarted,
    kWaiting,  // RunFold::waiting_on() has changed
    kItemBegan,
    kText,  // of a message: `text` more
    kItemEnded,
    kDecided,  // of an approval
    kEnded,
  };
  What what = What::kStarted;
  std::size_t item = 0;
  std::string_view text = {};
};

class RunFold {
 public:
  // What of a response is kept: of texts so many bytes together, then they are cut; so many items, then calls
  // are left out. The run's own API has all of it.
  static constexpr std::size_t kMaxText = 1 << 20;
  static constexpr std::size_t kMaxItems = 2000;

  using Tell = std::function<void(const Happening&)>;
  void apply(const platform::Event& event, const Tell& tell = {});

  const std::vector<Item>& items() const { return items_; }
  bool has_started() const { return started_; }
  // The log has its last event.
  bool has_ended() const { return ended_.has_value(); }
  runs::RunStatus status() const;
  // "approval", "conversation", "flow" or "resume"; empty: it works, or is over.
  const std::string& waiting_on() const { return waiting_on_; }
  // The run's output, as text; null: it has none.
  const std::optional<std::string>& output() const { return output_; }
  // Why it stopped, in one word, and what went wrong; both empty unless it failed or was stopped.
  const std::string& reason() const { return reason_; }
  const std::string& error() const { return error_; }
  // The model had to stop at its limit of tokens, or the agent at its limit of turns; empty: neither.
  const std::string& limit() const { return limit_; }
  // As Tokens of protocol/run.h; null: not known yet.
  const Json& usage() const { return usage_; }
  const std::optional<WallTime>& ended_at() const { return ended_at_; }

 private:
  void step_started(const Json& data);
  void delta(const Json& data);
  void model_completed(const std::string& step, const Json& data);
  void call_ended(const std::string& step, const Json& data, bool failed);
  void step_failed(const std::string& step, const Json& data);
  void approval_requested(const Json& data);
  void approval_decided(const Json& data);
  void ended(const platform::Event& event, const Json& data);
  void wait(std::string on);
  std::optional<std::size_t> begin(Item item);
  void say(std::size_t item, std::string_view text);
  void end(std::size_t item, Item::State state);
  void tell(Happening::What what, std::size_t item = 0, std::string_view text = {}) const;

  struct Speaking {
    std::uint32_t attempt = 0;
    std::uint64_t bytes = 0;                         // of its text
    std::optional<std::size_t> item = std::nullopt;  // none: it has said nothing
  };

  std::vector<Item> items_;
  std::map<std::string, Speaking> speaking_;    // model calls that run, by step
  std::map<std::string, std::size_t> calls_;    // open ones, by step
  std::map<std::string, std::size_t> pending_;  // approvals that wait, by id
  std::size_t bytes_ = 0;
  bool started_ = false;
  bool held_ = false;
  std::string waiting_on_;
  std::optional<runs::RunStatus> ended_;
  std::optional<std::string> output_;
  std::string reason_;
  std::string error_;
  std::string limit_;
  Json usage_;
  std::optional<WallTime> ended_at_;
  const Tell* told_ = nullptr;  // while an event is applied
};

}  // namespace holdfast::openai
