#pragma once

// What an engine is told when it is made: its bounds, by name, and what it says about itself. Plain data.

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

#include "history/limits.h"

namespace holdfast::engine {

struct EngineLimits {
  history::Limits execution;
  std::size_t inbox = 4096;             // calls waiting for the engine thread; beyond: RESOURCE_EXHAUSTED
  std::size_t parked_polls = 8192;      // workers' polls that wait for a task
  std::size_t parked_waits = 8192;      // clients' calls that wait: for events, updates, queries
  std::size_t inbox_bytes = 64u << 20;  // of those made in this process; a server counts its own
  // What executions take in memory that wait for a worker or for a time, in it or not; beyond it no client
  // starts another: RESOURCE_EXHAUSTED.
  std::size_t waiting_bytes = 256u << 20;
  std::size_t cached_executions = 4096;     // least recently used go first; those with unsaved changes stay
  std::size_t cached_bytes = 64u << 20;     // their states and the newest parts of their histories
  std::size_t cached_run_bytes = 2u << 20;  // of the history of one execution: the newest part
  std::int64_t page_events = 256;           // events per answer of a history read
  std::size_t page_bytes = 3u << 20;        // of one history answer or poll response
  std::size_t namespaces = 1000;
  std::size_t registered_search_attributes = 100;  // of one namespace
  std::size_t search_attribute_name_bytes = 255;
  std::size_t namespace_bytes = 16u << 10;  // of what one says about itself
  std::int64_t min_retention_ns = 3600LL * 1'000'000'000;
  std::size_t sweep_rows = 160;                 // rows of closed runs that one batch deletes
  std::size_t sweep_runs = 10;                  // and runs
  std::int64_t sweep_pause_ns = 5'000'000'000;  // between two looks for what is to be deleted
  std::int64_t long_poll_ns = 60'000'000'000;   // a poll without a deadline
  std::int64_t history_poll_ns = 20'000'000'000;
  std::int64_t update_poll_ns = 20'000'000'000;
  std::int64_t sticky_idle_ns = 10'000'000'000;  // no sticky poll for this long: the normal queue takes over
  std::int64_t visibility_wait_ns = 5'000'000'000;
  // How long one list may look through the index.
  std::int64_t visibility_scan_ns = 5'000'000'000;
  // Types of activities that change nothing outside their process and may be repeated freely. The worker in
  // this very process gets one of them before its schedule is durable (law 3's exception for what is pure):
  // if the process dies, both are gone. The host's word; no client can say it.
  std::set<std::string> pure_activities{};
};

struct CoreOptions {
  EngineLimits limits;
  bool feed = false;  // write visibility feed rows; the host sets it when there is an index
  std::string cluster_name = "active";
  std::string server_version = "1.31.0";
};

}  // namespace holdfast::engine
