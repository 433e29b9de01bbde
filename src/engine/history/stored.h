#pragma once

// Names and conversions every file of this module needs: the stored messages, and time as plain nanoseconds.
// Pure functions.

#include <cstdint>
#include <string>

#include "api/messages.h"
#include "holdfast/engine/v1/state.pb.h"

namespace holdfast::history {

namespace stored = ::holdfast::engine::v1;

// Nanoseconds: since the Unix epoch for moments, a length for durations; 0 is "none".
using Ns = std::int64_t;
inline constexpr Ns kMillisecond = 1'000'000;
inline constexpr Ns kSecond = 1'000'000'000;
inline constexpr Ns kMinute = 60 * kSecond;

using Event = pb::history::v1::HistoryEvent;
using Failure = pb::failure::v1::Failure;
using Payloads = pb::common::v1::Payloads;
using Links = google::protobuf::RepeatedPtrField<pb::common::v1::Link>;  // from an event to what is elsewhere

// Saturates: a duration of 10,000 years is as good as for ever.
inline Ns to_ns(const google::protobuf::Duration& duration) {
  constexpr std::int64_t kMaxSeconds = 100LL * 365 * 24 * 3600;
  const std::int64_t seconds = duration.seconds() > kMaxSeconds    ? kMaxSeconds
                               : duration.seconds() < -kMaxSeconds ? -kMaxSeconds
                                                                   : duration.seconds();
  return seconds * kSecond + duration.nanos();
}

inline void set_duration(google::protobuf::Duration* duration, Ns ns) {
  duration->set_seconds(ns / kSecond);
  duration->set_nanos(static_cast<std::int32_t>(ns % kSecond));
}

inline void set_time(google::protobuf::Timestamp* time, Ns ns) {
  time->set_seconds(ns / kSecond);
  time->set_nanos(static_cast<std::int32_t>(ns % kSecond));
}

inline Ns to_ns(const google::protobuf::Timestamp& time) {
  return time.seconds() * kSecond + time.nanos();
}

// With what stands behind places of large payloads (payload_slot.h).
std::int64_t bytes_of(const Event& event);
// What an event adds to the size of its history: itself, and the head it has in a page.
inline std::int64_t bytes_in_history(const Event& event) {
  return bytes_of(event) + 4;
}

// The same bytes for the same message, maps included: stored rows and simulator traces depend on it.
std::string serialize(const google::protobuf::Message& message);

}  // namespace holdfast::history
