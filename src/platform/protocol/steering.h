#pragma once

// How a run is steered while it is under way: messages into it, pause and resume, what it waits for when a
// step failed for good, and what it can undo. The arguments of the updates of protocol/names.h, and the parts
// that a run takes along when it continues as new. They stand in histories: fields may be added; a field
// never changes its meaning.
//
// Values; see protocol/call.h for how reading fails.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/call.h"

namespace holdfast::protocol {

// At most so many messages wait for the next model call; one more is refused.
inline constexpr std::size_t kMaxWaitingMessages = 64;
// Ids of messages that a run remembers, to take none of them twice.
inline constexpr std::size_t kMaxKnownMessages = 256;
// Calls of one run that it can undo; one more is not made.
inline constexpr std::size_t kMaxUndoable = 500;

// What becomes of a message that comes in the middle of a turn.
enum class SteeringPolicy : std::uint8_t {
  kQueue,      // the next model call sees it
  kInterrupt,  // what runs ends early, and the next model call sees it
  kReject,
};

// A message that somebody sent into the run. What it says is in a step record, not in the history.
struct SentMessage {
  SentMessage() = default;
  std::string id;   // the sender's: the same one again is the same message
  std::string key;  // of the step record
  std::string by;
};

// What the step record of a message holds.
struct MessageText {
  MessageText() = default;
  std::string text;  // as RunInput::input in words: text, or JSON with parts
  std::string by;
};

enum class HoldKind : std::uint8_t {
  kPaused,  // a person said so
  kParked,  // a step failed for good
};

// Why a run goes nowhere until somebody says so.
struct Hold {
  Hold() = default;
  HoldKind kind = HoldKind::kPaused;
  std::string reason;  // kPaused: what the person said; kParked: the type of the failure
  std::string detail;  // kParked: its message
  std::string by;
  std::int64_t since_ms = 0;
  std::uint32_t step = 0;  // kParked: the one that failed
};

struct PauseRequest {
  PauseRequest() = default;
  std::string by;
  std::string reason;
};

struct ResumeRequest {
  ResumeRequest() = default;
  std::string by;
  std::string version;  // go on with this one; empty: as before
};

// Ends a parked run with the failure that it is parked for.
struct GiveUpRequest {
  GiveUpRequest() = default;
  std::string by;
  std::string reason;
};

// Calls of the items of a map, or of the rounds of a loop, however many: which of them were made the effect
// ledger knows, under keys that follow from run, block and index (protocol/flow_run.h).
struct UndoableItems {
  UndoableItems() = default;
  std::string run;                  // that goes over them
  std::string of;                   // the block whose body makes the calls
  std::vector<std::string> blocks;  // those of its blocks, in the order in which they run
  std::uint64_t count = 0;          // items, or rounds, that may have begun
  bool are_runs = false;            // each is a run of its own
  std::vector<std::uint64_t> only;  // these items alone, ascending; empty: all
};

// A call whose effect can be undone. Kept from before it is made: what became of it is in the effect ledger.
struct Undoable {
  Undoable() = default;
  std::string agent;
  std::string version;
  CallRef call;
  std::int64_t timeout_ms = 0;  // of the undoing
  Json retry;
  std::optional<UndoableItems> items;  // it stands for these calls, and `call` is the block that they are of
};

std::string_view to_string(SteeringPolicy policy);
std::string_view to_string(HoldKind kind);
std::optional<HoldKind> hold_kind_by_name(std::string_view name);

void to_json(Json& out, const SteeringPolicy& value);
void from_json(const Json& in, SteeringPolicy& value);
void to_json(Json& out, const SentMessage& value);
void from_json(const Json& in, SentMessage& value);
void to_json(Json& out, const MessageText& value);
void from_json(const Json& in, MessageText& value);
void to_json(Json& out, const HoldKind& value);
void from_json(const Json& in, HoldKind& value);
void to_json(Json& out, const Hold& value);
void from_json(const Json& in, Hold& value);
void to_json(Json& out, const PauseRequest& value);
void from_json(const Json& in, PauseRequest& value);
void to_json(Json& out, const ResumeRequest& value);
void from_json(const Json& in, ResumeRequest& value);
void to_json(Json& out, const GiveUpRequest& value);
void from_json(const Json& in, GiveUpRequest& value);
void to_json(Json& out, const UndoableItems& value);
void from_json(const Json& in, UndoableItems& value);
void to_json(Json& out, const Undoable& value);
void from_json(const Json& in, Undoable& value);

}  // namespace holdfast::protocol
