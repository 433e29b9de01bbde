#include "http/run_source.h"

#include "http/problems.h"

namespace holdfast::http {

namespace {

// What a stream asks its log for at once; a slow reader has this much waiting, and no more.
constexpr std::size_t kMaxBatchBytes = 512 * 1024;

}  // namespace

Status RunSource::open(runs::Runs& runs, const std::string& run) {
  auto watch = runs.watch({run}, std::nullopt, deltas_, [wake = wake_] { wake->call(); });
  if (!watch) return watch.error();
  watch_ = *std::move(watch);
  return {};
}

std::optional<std::string> RunSource::next() {
  if (run_.has_ended()) return std::nullopt;
  std::string out;
  if (!std::exchange(begun_, true)) begin_(out, run_);
  const openai::RunFold::Tell tell = [&](const openai::Happening& happening) {
    write_(out, run_, happening);
  };
  bool gone = false;
  while (out.size() < kMaxBatchBytes && !run_.has_ended()) {
    auto any = watch_->take([&](const std::string&, const platform::Event* event) {
      gone = gone || event == nullptr;
      if (event != nullptr) run_.apply(*event, tell);
    });
    // What was sent cannot be continued: the reader is told that this is not the end.
    if (!any || gone) throw net::StreamCut();
    if (!*any) break;
  }
  return out;
}

void stream_run(runs::Runs& runs, const std::string& run, Executor& workers,
                const std::shared_ptr<RunSource>& source, std::shared_ptr<runs::Telling> telling,
                Responder responder) {
  if (Status opened = source->open(runs, run); !opened.ok())
    return responder.reply(problem_of(opened).response());
  Response head;
  head.content_type = "text/event-stream";
  head.headers = {{"X-Accel-Buffering", "no"}, {"X-Request-Id", run}};
  auto stream = responder.stream(std::move(head), workers, [source, telling = std::move(telling)] {
    auto bytes = source->next();
    if (!bytes && telling) telling->told();
    return bytes;
  });
  if (!stream) return;
  source->bind(stream);
  stream->wake();
}

}  // namespace holdfast::http
