#pragma once

// FieldBounds: how long each field of a request may be, by name, and what is said about one that is longer.
// Temporal's limits and words where it has them: "WorkflowId length exceeds limit." What Temporal answers by
// failing a workflow task or an activity, a command or a result that is too large, has no bound here but that
// of text: whoever handles it says so. Made once, from the descriptors; constant after that, for any thread.
//
// A plan is a message type as the two walks read it (request_check.h, wire_check.h).

#include <google/protobuf/descriptor.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::api {

inline constexpr std::size_t kMaxIdBytes = 1000;                // ids, names, identities, keys of maps
inline constexpr std::size_t kMaxTextBytes = 2 << 20;           // of failures, reasons and commands
inline constexpr std::size_t kMaxBlobBytes = 2 << 20;           // payloads and headers that a client sends
inline constexpr std::size_t kMaxMemoBytes = 2 << 20;           // a memo that a client sends
inline constexpr std::size_t kMaxUserMetadataBytes = 64 << 10;  // summary and details of an execution
inline constexpr std::size_t kMaxFilterBytes = 256 << 10;       // of lists and counts
inline constexpr std::size_t kMaxDescriptionBytes = 4096;       // what a namespace says about itself
inline constexpr std::size_t kMaxTokenBytes = 16 << 10;         // tokens of tasks and pages

// Of the value: it has no bound but the server's, for all of a request.
inline constexpr std::size_t kUnbounded = static_cast<std::size_t>(-1);

// No message this short has a field that is too long.
inline constexpr std::size_t kSmallestBound = kMaxIdBytes;

struct MessagePlan;

struct FieldPlan {
  enum class Kind : std::uint8_t { kScalar, kBytes, kMessage };
  int number = 0;
  Kind kind = Kind::kScalar;
  std::size_t most_bytes = 0;            // of the value as it is on the wire
  std::string too_long;                  // the error's text
  const MessagePlan* message = nullptr;  // kMessage
};

struct MessagePlan {
  std::size_t object_bytes = 0;   // in memory, with nothing in it
  std::vector<FieldPlan> fields;  // by number

  const FieldPlan* find(int number) const;
};

// Null: not a request of the service.
const MessagePlan* plan_of(const google::protobuf::Descriptor& request);

}  // namespace holdfast::api
