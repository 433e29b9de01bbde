#include "http/event_source.h"

#include <fmt/format.h>

#include "base/base64.h"
#include "base/json.h"
#include "http/json_reply.h"
#include "net/sse_writer.h"
#include "protocol/events.h"

namespace holdfast::http {

namespace {

// What a stream asks its logs for at once; a slow reader has this much waiting, and no more.
constexpr std::size_t kMaxBatchBytes = 512 * 1024;

}  // namespace

std::string event_json(const platform::Event& event) {
  std::string run = dump_json(Json(event.run));
  const std::string seq = event.seq == 0 ? "" : fmt::format(R"("seq":{},)", event.seq);
  return fmt::format(R"({{"run":{},{}"type":{},"at":"{}","data":{}}})", run, seq, dump_json(Json(event.type)),
                     iso_time(event.at), event.data.empty() ? "null" : event.data);
}

std::string join_cursors(const runs::RunWatch::Place& place) {
  return base64url(dump_json(Json(place)));
}

std::optional<runs::RunWatch::Place> split_cursors(std::string_view text) {
  auto bytes = from_base64url(text);
  Json json = bytes ? parse_json<Json>(*bytes) : Json();
  if (!json.is_object()) return std::nullopt;
  runs::RunWatch::Place place;
  for (const auto& [log, cursor] : json.items()) {
    if (cursor.is_string()) place[log] = cursor.get<std::string>();
  }
  return place;
}

Status EventSource::open(runs::Runs& runs, const std::vector<std::string>& logs,
                         const std::optional<runs::RunWatch::Place>& from) {
  auto watch = runs.watch(logs, from, platform::Deltas::kAtOnce, [wake = wake_] { wake->call(); });
  if (!watch) return watch.error();
  watch_ = *std::move(watch);
  return {};
}

std::optional<std::string> EventSource::next() {
  if (over_) return std::nullopt;
  std::string out;
  if (!greeted_) {
    greeted_ = true;
    out = "retry: 1000\n\n";
  }
  while (out.size() < kMaxBatchBytes && !over_) {
    auto any =
        watch_->take([&](const std::string& log, const platform::Event* event) { append(out, log, event); });
    if (!any) return std::nullopt;  // the client comes back and is told
    if (!*any) break;
  }
  return out;
}

void EventSource::append(std::string& out, const std::string& log, const platform::Event* event) {
  if (event == nullptr) {
    net::append_sse_event(out, id(), "reset", fmt::format(R"({{"run":{}}})", dump_json(Json(log))));
  } else {
    net::append_sse_event(out, id(), log == runs::kRunsFeed ? "runs" : event->type, event_json(*event));
    over_ = single_ && event->type == protocol::event::kRunClosed;
  }
}

std::string EventSource::id() const {
  const auto& place = watch_->place();
  return single_ ? place.begin()->second : join_cursors(place);
}

void EventSource::Wake::bind(std::shared_ptr<Stream> to) {
  std::lock_guard lock(mutex_);
  stream_ = to;
}

void EventSource::Wake::call() {
  std::shared_ptr<Stream> target;
  {
    std::lock_guard lock(mutex_);
    target = stream_.lock();
  }
  if (target) target->wake();
}

}  // namespace holdfast::http
