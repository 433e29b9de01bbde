#include "kill_points.h"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "faults/sync_hook.h"

namespace holdfast::crash {

namespace {

// How the files that are synced at each commit end.
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kStores = {
    {{"platform", "/platform.db-wal"}, {"streams", "/streams.db-wal"}, {"engine", ".log"}}};

struct KillPoint {
  std::string_view file;
  bool durable = false;
  int number = 0;
};

KillPoint point;
std::atomic<bool> counting{false};
std::atomic<int> seen{0};

std::optional<KillPoint> read(std::string_view text) {
  KillPoint out;
  const std::size_t store = text.find(':');
  const std::size_t moment = text.find(':', store + 1);
  if (store == std::string_view::npos || moment == std::string_view::npos) return std::nullopt;
  for (const auto& [name, file] : kStores) {
    if (text.substr(0, store) == name) out.file = file;
  }
  const std::string_view when = text.substr(store + 1, moment - store - 1);
  if (when != "before" && when != "after") return std::nullopt;
  out.durable = when == "after";
  out.number = std::atoi(std::string(text.substr(moment + 1)).c_str());
  if (out.file.empty() || out.number < 1) return std::nullopt;
  return out;
}

void at_sync(std::string_view file, bool durable) {
  if (!counting || durable != point.durable || !file.ends_with(point.file)) return;
  if (++seen != point.number) return;
  ::kill(::getpid(), SIGKILL);
  for (;;) ::pause();  // until it arrives
}

void begin_counting(int) {
  counting = true;
}

}  // namespace

void set_kill_point() {
  const char* said = std::getenv(kKillAt);
  if (said == nullptr) return;
  const auto read_point = read(said);
  if (!read_point) {
    std::fprintf(stderr, "%s: '%s' is not STORE:MOMENT:N (tests/crash/kill_points.h)\n", kKillAt, said);
    std::exit(2);
  }
  point = *read_point;
  struct sigaction action{};
  action.sa_handler = begin_counting;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGUSR1, &action, nullptr);
  faults::set_sync_hook(at_sync);
}

}  // namespace holdfast::crash
