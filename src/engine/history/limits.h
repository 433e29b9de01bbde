#pragma once

// Every bound of an execution, by name. The defaults are Temporal's unless a comment says otherwise.

#include <cstdint>

namespace holdfast::history {

struct Limits {
  std::int64_t blob_bytes = 2 * 1024 * 1024;  // a payload list in a command or request
  std::int64_t memo_bytes = 2 * 1024 * 1024;
  std::int64_t search_attribute_keys = 100;
  std::int64_t search_attribute_value_bytes = 2 * 1024;
  std::int64_t search_attributes_bytes = 40 * 1024;
  std::int64_t id_bytes = 1000;
  std::int64_t history_events = 51'200;
  std::int64_t history_bytes = 50 * 1024 * 1024;
  std::int64_t suggest_continue_events = 4'096;
  std::int64_t suggest_continue_bytes = 4 * 1024 * 1024;
  std::int64_t pending_activities = 2'000;
  std::int64_t pending_children = 2'000;
  std::int64_t pending_signals = 2'000;
  std::int64_t pending_cancels = 2'000;
  std::int64_t pending_timers = 10'000;  // ours: Temporal has no bound here
  std::int64_t signals = 10'000;
  std::int64_t updates_in_flight = 10;
  std::int64_t updates_total = 2'000;
  std::int64_t buffered_events = 100;
  std::int64_t buffered_bytes = 2 * 1024 * 1024;
  std::int64_t buffered_queries = 1;
  // Heartbeat details of all pending activities; ours: Temporal bounds each alone.
  std::int64_t heartbeat_details_bytes = 16 * 1024 * 1024;
  std::int64_t failure_bytes = 4 * 1024;  // what an activity's last failure keeps between attempts
  std::int64_t signal_request_ids = 10'000;
};

}  // namespace holdfast::history
