#pragma once

// What the A2A protocol calls things, in its two forms: 1.0, and 0.3, which clients that name no version
// speak. A run is a task, a conversation a context. Pure.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "interop/host.h"
#include "interop/run_events.h"

namespace holdfast::interop {

enum class A2aVersion : std::uint8_t { k03, k10 };

enum class TaskState : std::uint8_t {
  kSubmitted,
  kWorking,
  kInputRequired,
  kCompleted,
  kFailed,
  kCanceled,
};
inline bool is_terminal(TaskState state) {
  return state >= TaskState::kCompleted;
}
TaskState task_state(runs::RunStatus status, bool waits_for_approval);

struct A2aTask {
  std::string id;       // the run's
  std::string context;  // the conversation's
  TaskState state = TaskState::kSubmitted;
  std::string text;                           // its answer so far; of a failed one, why
  std::vector<platform::Approval> approvals;  // about which people are asked
  std::optional<WallTime> ended_at;           // of one that is over, if it is known
  std::string page;                           // where people look at it
};

// The shapes of one version.
class A2aWords {
 public:
  explicit A2aWords(A2aVersion version) : is_old_(version == A2aVersion::k03) {}

  Json task(const A2aTask& task, WallTime now) const;
  Json status(const A2aTask& task, WallTime now) const;
  // The result of a method that gives a task; and the events of a stream.
  Json sent(Json task) const;
  Json status_update(const A2aTask& task, WallTime now) const;
  Json artifact_update(const A2aTask& task, std::string_view text, bool append, bool last) const;

  // The state of that name; none: tasks here are never in it, or it is the name of no state.
  std::optional<TaskState> state_named(std::string_view name) const;
  bool is_state(std::string_view name) const;

  bool is_old() const { return is_old_; }

 private:
  Json text_part(std::string_view text) const;
  Json data_part(Json data) const;
  Json artifact(std::string_view text) const;
  Json question(const A2aTask& task) const;
  Json event(std::string_view name, std::string_view old_kind, Json body) const;

  bool is_old_;
};

// A card: of one agent, or of all behind one address (`agents` are its skills).
struct A2aCard {
  std::string name;
  std::string description;
  std::string version;
  std::string url;
  bool closed = false;  // a key is needed
  std::vector<platform::Definition> agents;
};
Json card_json(const A2aCard& card);

// What a message says: its text, and the data of the one part that has some. A Problem for files.
struct A2aSaid {
  std::string text;
  Json data = nullptr;
  bool understood = true;  // false: it has parts that are neither text nor data, or data twice
};
A2aSaid said_in(const Json& message);

}  // namespace holdfast::interop
