#include "app/memory_plan.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <fstream>
#include <limits>
#include <string>

namespace holdfast::app {
namespace {

// Beside what it holds for others the program itself takes about so much.
constexpr std::size_t kOwnBytes = std::size_t{96} << 20;

// With its share of what is kept free for those that do something.
constexpr std::size_t kConnection = std::size_t{128} << 10;

// An answer of 32 MB, which is decoded, looked through for secrets, and stored.
constexpr std::size_t kLargeModelCall = std::size_t{256} << 20;

// The smallest limit on the way from `group` up to the root of a hierarchy that is mounted at `root`. A file
// that says "max", or nothing, sets none.
std::size_t group_limit(const std::string& root, std::string group, const char* file) {
  std::size_t least = std::numeric_limits<std::size_t>::max();
  while (true) {
    std::size_t limit = 0;
    if (std::ifstream in(root + group + "/" + file); in >> limit) least = std::min(least, limit);
    const auto slash = group.rfind('/');
    if (group.empty() || slash == std::string::npos) return least;
    group.resize(slash);
  }
}

std::size_t control_group_memory() {
  std::size_t least = std::numeric_limits<std::size_t>::max();
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    // "0::/user.slice" of version 2, "5:memory:/docker/..." of version 1.
    const auto first = line.find(':');
    const auto second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1) == "/" ? "" : line.substr(second + 1);
    if (controllers.empty()) {
      least = std::min(least, group_limit("/sys/fs/cgroup", group, "memory.max"));
    } else if (("," + controllers + ",").find(",memory,") != std::string::npos) {
      // In a container the group's own folder is the mount.
      least = std::min({least, group_limit("/sys/fs/cgroup/memory", group, "memory.limit_in_bytes"),
                        group_limit("/sys/fs/cgroup/memory", "", "memory.limit_in_bytes")});
    }
  }
  return least;
}

}  // namespace

Result<std::size_t> parse_memory(std::string_view text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string unit(end, text.data() + text.size());
  std::ranges::transform(unit, unit.begin(), [](unsigned char c) { return std::tolower(c); });
  constexpr std::array<std::pair<std::string_view, int>, 11> kUnits = {{{"", 0},
                                                                        {"b", 0},
                                                                        {"k", 10},
                                                                        {"kb", 10},
                                                                        {"kib", 10},
                                                                        {"m", 20},
                                                                        {"mb", 20},
                                                                        {"mib", 20},
                                                                        {"g", 30},
                                                                        {"gb", 30},
                                                                        {"gib", 30}}};
  const auto known = std::ranges::find(kUnits, unit, &std::pair<std::string_view, int>::first);
  if (error != std::errc() || known == kUnits.end()) {
    return fail(Code::kInvalidArgument, fmt::format("'{}' is no size of memory; write 512MiB or 2GiB", text));
  }
  const int shift = known->second;
  if (number > (std::numeric_limits<std::size_t>::max() >> shift)) {
    return fail(Code::kInvalidArgument, fmt::format("'{}' is more memory than there can be", text));
  }
  const std::size_t bytes = number << shift;
  if (bytes < kLeastMemory) {
    return fail(Code::kInvalidArgument, fmt::format("'{}' is too little memory; at least {} MiB are needed",
                                                    text, kLeastMemory >> 20));
  }
  return bytes;
}

std::size_t machine_memory() {
  const auto pages = static_cast<std::size_t>(std::max(0L, ::sysconf(_SC_PHYS_PAGES)));
  const auto page = static_cast<std::size_t>(std::max(0L, ::sysconf(_SC_PAGESIZE)));
  return std::min(pages * page, control_group_memory());
}

MemoryPlan MemoryPlan::of(std::optional<std::size_t> memory, std::size_t machine) {
  MemoryPlan plan;
  plan.total = memory.value_or(std::clamp(machine / 4, kLeastMemory, kMostMemoryUnasked));
  plan.http = plan.total / 4;
  plan.http_connections = std::clamp<std::size_t>(plan.total / kConnection, 512, 16'384);
  plan.grpc = plan.total / 4;
  plan.inbox = plan.total / 16;
  plan.executions = plan.total / 8;
  plan.waiting = plan.total / 8;
  plan.sql = plan.total / 16;
  plan.sandbox = plan.total / 8;
  // Beyond these a store gains nothing.
  plan.block_cache = std::min<std::uint64_t>(plan.total / 32, 256 << 20);
  plan.write_buffer = std::min<std::uint64_t>(plan.total / 64, 32 << 20);
  plan.large_model_calls = std::clamp<std::size_t>(plan.total / kLargeModelCall, 1, 16);
  plan.heap = kOwnBytes + plan.total / 16 * 9;
  return plan;
}

}  // namespace holdfast::app
