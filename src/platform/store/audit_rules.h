#pragma once

// What the record says of runs (platform/rules.h): each row goes into the transaction that makes it true.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "platform/records.h"

namespace holdfast::platform::rules {

// Who starts a run where nobody said so: this server.
inline constexpr std::string_view kServerActor = "server";
// Who asks something of a run where nobody said so: somebody at an open server.
inline constexpr std::string_view kLocalActor = "local";
// And where a client of the engine started it.
inline constexpr std::string_view kEngineActor = "engine";

struct RunBegan {
  RunBegan() = default;
  std::string run;
  std::string agent;
  std::string version;
  std::string by;            // empty: kServerActor
  std::string input_sha256;  // of the input as it is stored
  std::string conversation;  // empty: its own
  std::string environment;   // the label that it was started by; empty: none
  std::string parent;        // the run that called it; empty: none
};
AuditRow audit_of_start(const RunBegan& began);

// What a run has added to its conversation.
struct RunSaid {
  RunSaid() = default;
  Reference last;           // behind the last of its messages; its hash is over all that is before
  std::uint64_t first = 0;  // the sequence of the first one
};
AuditRow audit_of_end(const Bill& bill, const std::optional<RunSaid>& said);

// Of what somebody sends into a run: the text itself is in the conversation.
AuditRow audit_of_message(std::string_view run, std::string_view id, std::string_view by,
                          std::string_view text);

// Somebody has asked that what a closed run did be taken back.
inline constexpr std::string_view kRunUndo = "run.undo_requested";

// Of what somebody asks of a run. `by` empty: kLocalActor.
AuditRow audit_of_request(std::string_view action, std::string_view run, std::string_view by,
                          std::string_view reason, std::string_view version = {});

AuditRow audit_of_raise(const Raise& raise);

// How the record calls an agent that speaks, and a tool that answers.
std::string actor_of_agent(std::string_view agent);
std::string actor_of_tool(std::string_view tool);

}  // namespace holdfast::platform::rules
