#pragma once

// MemoryPlan: how the memory that this process may hold for others is shared out: one budget (--memory), of
// which HTTP, gRPC, the calls of our own workers and their SQL draw shares, and from which the sizes of the
// caches and of the table of those who wait follow. What the program takes for itself, code, threads, an
// empty store, is not part of it. Plain values; reading the machine is the only effect.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "holdfast/status.h"

namespace holdfast::app {

inline constexpr std::size_t kLeastMemory = std::size_t{256} << 20;
inline constexpr std::size_t kMostMemoryUnasked = std::size_t{4} << 30;

// "512MiB", "2g", "1073741824": units are powers of 1024. INVALID_ARGUMENT says what is wrong.
Result<std::size_t> parse_memory(std::string_view text);

// What this process may use at all: the machine's memory, or less if a control group says so.
std::size_t machine_memory();

struct MemoryPlan {
  std::size_t total = 0;
  std::size_t http = 0;               // bodies and replies
  std::size_t http_connections = 0;   // at one time: one that only waits takes some 16 KiB
  std::size_t grpc = 0;               // requests, waiting calls and replies
  std::size_t inbox = 0;              // calls of this process that wait for the engine
  std::size_t executions = 0;         // cached: states and the newest parts of histories
  std::size_t waiting = 0;            // executions that wait, each with a little
  std::size_t sql = 0;                // statements of SQL tools
  std::size_t sandbox = 0;            // processes of the sandbox: no share, they take what the others leave
  std::uint64_t block_cache = 0;      // of the engine's store
  std::uint64_t write_buffer = 0;     // of the engine's store; it holds three at most
  std::size_t large_model_calls = 0;  // at one time; each takes some hundred megabytes
  std::size_t heap = 0;               // all of the process: beyond it what is slow ends

  // None: a quarter of the machine, at most 4 GiB, at least 256 MiB.
  static MemoryPlan of(std::optional<std::size_t> memory, std::size_t machine);
};

}  // namespace holdfast::app
