#pragma once

// Exporter: sends the spans of runs to a collector. It is told of each event when it is durable, and reads
// the rest from the run's log when its time comes: the log is the queue. So nothing of a span waits in
// memory, a run never waits for it, and a collector that is away for an hour misses nothing. What is kept is
// which runs have news since when (kMaxRunsDue; beyond it, and counted, they are dropped).
//
// A span goes out once: by the process that saw its end become durable. Ids follow from the run
// (platform/trace_context.h), so the spans of a run that crosses a restart make one trace. What a process had
// not sent yet when it was killed is in the run's log and its API, but not in the collector.
//
// Owner: app. Threads: one of its own, from the environment.

#include <condition_variable>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "holdfast/seams.h"
#include "metrics/registry.h"
#include "net/fetch.h"
#include "net/http_client.h"
#include "otlp/settings.h"
#include "platform/store.h"
#include "platform/streams.h"
#include "platform/trace_context.h"
#include "runs/run_trace.h"

namespace holdfast::otlp {

inline constexpr std::size_t kMaxRunsDue = 10'000;
inline constexpr std::size_t kMaxFolds = 256;           // runs whose open spans are kept
inline constexpr std::size_t kMaxBatchBytes = 1 << 20;  // of one request, unless one span is larger
inline constexpr std::chrono::milliseconds kLongestPause{30'000};
inline constexpr std::chrono::milliseconds kLastChance{2'000};  // at the end of the process

struct ExporterDeps {
  platform::Store* store = nullptr;
  platform::Streams* streams = nullptr;
  net::HttpClient* http = nullptr;
  const Clock* clock = nullptr;
  metrics::Registry* metrics = nullptr;
  std::string version;
  std::function<void(std::string_view message)> log;
};

class Exporter {
 public:
  // `thread` serves nothing else. All of `deps` outlives it.
  Exporter(Settings settings, ExporterDeps deps, std::unique_ptr<Executor> thread);
  // Sends what is due, for kLastChance at most.
  ~Exporter();
  Exporter(const Exporter&) = delete;
  Exporter& operator=(const Exporter&) = delete;

  // An event that is new in a log, on any thread; never blocks.
  void seen(const platform::Event& event);

 private:
  // Events of a run that nobody has exported: from `first` on, and what has ended since.
  struct Due {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::optional<WallTime> since;
  };
  // A run as far as it was read.
  struct Fold {
    explicit Fold(bool content) : trace(content) {}
    runs::RunTrace trace;
    std::string cursor;
    std::optional<platform::TraceContext> context;
  };
  struct Span {
    std::string run;
    std::uint64_t ended_by = 0;
    std::string json;
  };
  enum class Sent : std::uint8_t { kYes, kLater, kNever };

  void loop();
  // False: the collector is away; what is due stays so.
  bool export_due(const std::map<std::string, Due>& due);
  // Up to which event the run is exported when these are.
  Result<std::uint64_t> collect(const std::string& run, const Due& due, std::vector<Span>& out);
  Fold& fold_of(const std::string& run);
  void forget(const std::string& run);
  Sent send(const std::vector<Span>& spans);
  Sent judge(const std::expected<net::HttpResponse, net::FetchError>& answer, std::size_t spans);
  void done(const std::string& run, std::uint64_t up_to);

  const Settings settings_;
  const ExporterDeps deps_;
  const std::shared_ptr<const net::Reach> reach_;
  metrics::Family& exported_;
  metrics::Family& dropped_;
  metrics::Family& failures_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::map<std::string, Due> due_;                    // guarded by mutex_
  std::map<std::string, std::uint64_t> exported_to_;  // of runs of late, kMaxFolds; guarded by mutex_
  // Of a run that is not in exported_to_, what ended before this is exported, or an earlier process's to
  // export.
  WallTime known_since_;   // guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_
  bool ended_ = false;     // guarded by mutex_
  std::stop_source stop_;

  // The thread's own.
  std::map<std::string, std::unique_ptr<Fold>> folds_;
  std::list<std::string> recent_;  // of them; front: used last
  std::chrono::milliseconds pause_{0};
  std::optional<std::chrono::milliseconds> asked_pause_;
  bool complained_ = false;

  std::shared_ptr<void> reading_;
  std::unique_ptr<Executor> thread_;
};

}  // namespace holdfast::otlp
