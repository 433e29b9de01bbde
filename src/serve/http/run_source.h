#pragma once

// RunSource: what a streamed response is fed with: a run's log, folded, and written as some protocol has it.
//
// Lives on the stream's executor, except the wake-up from the log. Internal to the module.

#include <functional>
#include <memory>
#include <string>

#include "http/event_source.h"
#include "http/message.h"
#include "openai/run_fold.h"
#include "runs/runs.h"

namespace holdfast::http {

class RunSource {
 public:
  // Appends to `out` what comes first, and what each happening is in the protocol.
  using Begin = std::function<void(std::string& out, const openai::RunFold& run)>;
  using Write =
      std::function<void(std::string& out, const openai::RunFold& run, const openai::Happening& happening)>;

  // `deltas`: kCommitted for a protocol that numbers its events, and is asked for those behind a number.
  RunSource(platform::Deltas deltas, Begin begin, Write write)
      : deltas_(deltas), begin_(std::move(begin)), write_(std::move(write)) {}

  Status open(runs::Runs& runs, const std::string& run);
  void bind(const std::shared_ptr<Stream>& stream) { wake_->bind(stream); }
  // As Stream::Source. Ends with the run.
  std::optional<std::string> next();

 private:
  const platform::Deltas deltas_;
  const Begin begin_;
  const Write write_;
  bool begun_ = false;
  openai::RunFold run_;
  std::shared_ptr<EventSource::Wake> wake_ = std::make_shared<EventSource::Wake>();
  std::unique_ptr<runs::RunWatch> watch_;
};

// Sends it as Server-Sent Events until the run has ended, or the reader has gone. `telling`: of a run that is
// not kept; null: it is.
void stream_run(runs::Runs& runs, const std::string& run, Executor& workers,
                const std::shared_ptr<RunSource>& source, std::shared_ptr<runs::Telling> telling,
                Responder responder);

}  // namespace holdfast::http
