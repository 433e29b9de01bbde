#pragma once

// Machine: one thing a workflow asked for (an activity, a timer, ...), from the command that code emits
// through the event that records it to the events that end it. CommandQueue: the commands in the order in
// which code emitted them; history must show their events in the same order.
//
// Owned by one WorkflowRun, used on its thread. A disagreement throws NondeterminismError.

#include <deque>
#include <initializer_list>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "api/messages.h"
#include "base/transition.h"
#include "holdfast/task.h"

namespace holdfast::worker {

using HistoryEvent = pb::history::v1::HistoryEvent;
using Command = pb::command::v1::Command;
using ProtocolMessage = pb::protocol::v1::Message;

class NondeterminismError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// `kind` throughout: the type of the event that will record a command.
class Machine : public std::enable_shared_from_this<Machine> {
 public:
  Machine() = default;
  virtual ~Machine() = default;
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // The event that code's command will become, in the words of describe_event(): history and code agree when
  // both texts are equal.
  virtual std::string describe(enums::EventType kind) const = 0;
  virtual void write(enums::EventType kind, Command* command) const = 0;
  // The messages that go along with a PROTOCOL_MESSAGE command.
  virtual void write_message(enums::EventType, ProtocolMessage*) const {}
  virtual bool has_message() const { return false; }
  // The command's event.
  virtual void recorded(enums::EventType kind, const HistoryEvent& event) = 0;
  // Any later event that refers to the recorded one.
  virtual void resolve(const HistoryEvent& event) = 0;
  // No further event can refer to it.
  virtual bool done() const { return false; }

  // Keeps the scope alive through which the code's cancellation reaches this machine, whether or not the code
  // keeps a handle.
  void live_in(holdfast::detail::ScopePtr scope) { scope_ = std::move(scope); }

 protected:
  // Canceled or ended: a finished machine must not keep its scope in the list of the parent's.
  void leave_scope() { scope_.reset(); }

 private:
  // The scope refers back weakly, so that a run thrown away midway leaves no cycle.
  holdfast::detail::ScopePtr scope_;
};
using MachinePtr = std::shared_ptr<Machine>;

// "ActivityTaskScheduled"
std::string event_name(enums::EventType type);
// `ActivityTaskScheduled(activity_id "1", activity_type "charge")`
std::string event_text(enums::EventType type,
                       std::initializer_list<std::pair<std::string_view, std::string_view>> fields);
std::string describe_event(const HistoryEvent& event);
// True for events that record a command of the workflow task completed before them.
bool is_command_event(enums::EventType type);

[[noreturn]] void throw_unexpected(const HistoryEvent& event, std::string_view what, std::string_view state);

class CommandQueue {
 public:
  void push(MachinePtr machine, enums::EventType kind) { queue_.push_back({std::move(machine), kind}); }
  // Takes back a command that was not sent yet.
  void drop(const Machine& machine, enums::EventType kind);
  bool empty() const { return queue_.empty(); }
  std::size_t size() const { return queue_.size(); }

  struct Entry {
    MachinePtr machine;
    enums::EventType kind;
  };
  const Entry& front() const { return queue_.front(); }
  const std::deque<Entry>& entries() const { return queue_; }
  // Hands the event to the command at the front. Throws when they do not belong together.
  void match(const HistoryEvent& event);

 private:
  std::deque<Entry> queue_;
};

// What machines need of their run.
class Outbox {
 public:
  virtual ~Outbox() = default;
  virtual CommandQueue& commands() = 0;
  // Later events that name `event_id` go to `machine`.
  virtual void route(std::int64_t event_id, MachinePtr machine) = 0;
};

}  // namespace holdfast::worker
