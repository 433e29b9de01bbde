#pragma once

// A run that takes back what another one did, because somebody asked for it when that one was over: the
// argument of its workflow, and what it asks of its activities. They stand in histories: fields may be added;
// a field never changes its meaning.
//
// Values; see protocol/call.h for how reading fails.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/activities.h"
#include "protocol/steering.h"

namespace holdfast::protocol {

inline constexpr const char* kUndoWorkflowType = "undo";  // on kAgentQueue
inline constexpr const char* kUndoBeginActivity = "undo.begin";
inline constexpr const char* kUndoFinishActivity = "undo.finish";
// The query that answers with a list of Undoables, in the order of their calls: what the run may have done
// and has not taken back. The ledger knows what became of each.
inline constexpr const char* kUndoableQuery = "undoable";
// The type of the failure of such a run when something stands.
inline constexpr const char* kNotUndone = "NotUndoneError";

// So many effects one such run takes back.
inline constexpr std::size_t kMaxUndone = 1000;

// Key, in the ledger, of the call that takes back the call of that key; `again`: so many tries before it have
// failed.
std::string undo_key(std::string_view call_key, std::uint32_t again = 0);

// Origin::state of such a run: {"undo": [Undoable, ...]}.
std::string undo_state(const std::vector<Undoable>& effects);
bool is_undo_state(std::string_view state);
// Of one that is_undo_state().
std::vector<Undoable> undo_effects_of(std::string_view state);

struct UndoInput {
  UndoInput() = default;
  std::string agent;
  std::string version;
};

struct UndoBegun {
  UndoBegun() = default;
  std::string origin;
  std::vector<Undoable> effects;
  std::vector<std::uint32_t> again;  // of each, in their order: so many undoings of it have failed before
  std::string decision_key;          // Plan::decision_key
};

// ---- kUndoActivity

struct UndoTryInput : EffectInput {
  UndoTryInput() = default;
  std::uint32_t again = 0;            // undo_key()
  bool ask = false;                   // first whether this very try took effect
  std::optional<std::uint64_t> item;  // of a map or loop: whose call it is
};

struct UndoTryResult : UndoResult {
  UndoTryResult() = default;
  // Of kUnknown, where it is not known whether the try took effect: a tool knows, and is asked after that
  // time; 0: none does.
  std::int64_t ask_after_ms = 0;
  std::string arguments_sha256;  // else a person may be asked: of the call that is to be undone
};

// ---- kUndoItemsActivity: takes back calls of items, the last one first, as long as it may go on

struct UndoItemsInput {
  UndoItemsInput() = default;
  Undoable calls;                       // with `items`
  std::optional<std::uint64_t> before;  // UndoItemsResult::next of the one before; none: it is the first
  std::uint64_t told = 0;               // so many of them watchers have been told of
  bool tries_again = false;             // what failed before is tried under a key of its own
};

// One call that the activity leaves to whoever asked: nobody knows what became of it, or of its undoing.
struct OpenUndoing {
  OpenUndoing() = default;
  Undoable call;
  std::uint64_t item = 0;
  std::uint32_t again = 0;  // undo_key()
};

struct UndoItemsResult {
  UndoItemsResult() = default;
  std::uint64_t undone = 0;
  std::uint64_t stand = 0;         // so many were not
  std::vector<std::string> words;  // for people: some of these, with why
  std::optional<OpenUndoing> open;
  std::uint64_t next = 0;  // what comes before it is still to be taken back; 0: nothing is
};

struct UndoFinishInput {
  UndoFinishInput() = default;
  RunEnd status = RunEnd::kFailed;
  std::string error_type;
  std::string error;
  std::string output;                   // of kCompleted
  std::vector<std::string> undone;      // for people
  std::vector<std::string> not_undone;  // the same, with why
};

void to_json(Json& out, const UndoInput& value);
void from_json(const Json& in, UndoInput& value);
void to_json(Json& out, const UndoBegun& value);
void from_json(const Json& in, UndoBegun& value);
void to_json(Json& out, const UndoTryInput& value);
void from_json(const Json& in, UndoTryInput& value);
void to_json(Json& out, const UndoTryResult& value);
void from_json(const Json& in, UndoTryResult& value);
void to_json(Json& out, const UndoItemsInput& value);
void from_json(const Json& in, UndoItemsInput& value);
void to_json(Json& out, const OpenUndoing& value);
void from_json(const Json& in, OpenUndoing& value);
void to_json(Json& out, const UndoItemsResult& value);
void from_json(const Json& in, UndoItemsResult& value);
void to_json(Json& out, const UndoFinishInput& value);
void from_json(const Json& in, UndoFinishInput& value);

}  // namespace holdfast::protocol
