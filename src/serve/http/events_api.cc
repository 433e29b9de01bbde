// Event streams. /api/v1/runs/{id}/events: one run's log, as Server-Sent Events or, for other clients, as
// JSON pages. /api/v1/events: the feed of all runs and any few runs' logs over one connection.
//
// The id of an event is a durable cursor: a client that comes back with Last-Event-ID goes on exactly behind
// it, also when the server died in between. An id that fits no log gets a `reset` event and everything from
// the beginning.

#include <fmt/format.h>

#include "base/json.h"
#include "http/api_context.h"

namespace holdfast::http {

namespace {

constexpr std::size_t kMaxRunsPerStream = 8;
constexpr std::uint32_t kMaxEventsPerPage = 1000;
// What a stream asks its logs for at once; a slow reader has this much waiting, and no more.
constexpr std::size_t kMaxBatchBytes = 512 * 1024;

// Compact: names of logs and their cursors.
std::string join_cursors(const std::map<std::string, std::string>& cursors) {
  return base64url(Json(cursors).dump());
}

// Nothing when `text` is not such a cursor.
std::optional<std::map<std::string, std::string>> split_cursors(std::string_view text) {
  std::map<std::string, std::string> cursors;
  auto bytes = from_base64url(text);
  Json json = bytes ? parse_json<Json>(*bytes) : Json();
  if (!json.is_object()) return std::nullopt;
  for (const auto& [log, cursor] : json.items()) {
    if (cursor.is_string()) cursors[log] = cursor.get<std::string>();
  }
  return cursors;
}

// `data` of an event is JSON text of ours: it goes out as it is.
std::string event_json(const platform::Event& event) {
  std::string run = Json(event.run).dump();
  return fmt::format(R"({{"run":{},"seq":{},"type":{},"at":"{}","data":{}}})", run, event.seq,
                     Json(event.type).dump(), iso_time(event.at), event.data.empty() ? "null" : event.data);
}

void append_frame(std::string& out, std::string_view id, std::string_view type, std::string_view data) {
  out += fmt::format("id: {}\nevent: {}\n", id, type);
  // JSON has no raw line breaks, but a writer's might: each line is a data line.
  while (true) {
    std::size_t end = data.find('\n');
    out += fmt::format("data: {}\n", data.substr(0, end));
    if (end == std::string_view::npos) break;
    data.remove_prefix(end + 1);
  }
  out += "\n";
}

// The logs behind one connection. Lives on the stream's executor, except the wake-up from the logs.
class EventSource {
 public:
  EventSource(ApiContext& context, bool single) : context_(context), single_(single) {}

  Status open(const std::vector<std::string>& logs, std::map<std::string, std::string> cursors,
              bool had_cursor) {
    for (const std::string& log : logs) {
      auto found = cursors.find(log);
      std::string cursor = found == cursors.end() ? "" : found->second;
      // The feed is news, not history: without a cursor it begins now.
      if (log == kRunsFeed && cursor.empty() && !had_cursor) cursor = end_of(log);
      cursors_[log] = cursor;
      auto subscription = context_.deps.streams->subscribe(log, cursor, [wake = wake_] { wake->call(); });
      if (!subscription) return subscription.error();
      subscriptions_.emplace_back(log, *std::move(subscription));
    }
    return {};
  }

  void bind(std::shared_ptr<Stream> stream) { wake_->bind(std::move(stream)); }

  std::optional<std::string> next() {
    std::string out;
    if (!greeted_) {
      greeted_ = true;
      out = "retry: 1000\n\n";
    }
    bool more = true;
    while (more && out.size() < kMaxBatchBytes) {
      more = false;
      for (auto& [log, subscription] : subscriptions_) {
        auto page = subscription->take();
        if (!page) return std::nullopt;  // the client comes back and is told
        append_page(out, log, *page);
        more = more || !page->events.empty();
      }
    }
    return out;
  }

 private:
  // Connects the logs' threads with a stream that may not exist yet, or not any more.
  struct Wake {
    std::mutex mutex;
    std::weak_ptr<Stream> stream;
    void bind(std::shared_ptr<Stream> to) {
      std::lock_guard lock(mutex);
      stream = to;
    }
    void call() {
      std::shared_ptr<Stream> target;
      {
        std::lock_guard lock(mutex);
        target = stream.lock();
      }
      if (target) target->wake();
    }
  };

  void append_page(std::string& out, const std::string& log, const platform::EventPage& page) {
    if (page.reset) {
      cursors_[log] = "";
      append_frame(out, id(), "reset", fmt::format(R"({{"run":{}}})", Json(log).dump()));
    }
    for (const platform::Event& event : page.events) {
      cursors_[log] = event.cursor;
      append_frame(out, id(), log == kRunsFeed ? "runs" : event.type, event_json(event));
    }
  }

  std::string id() const { return single_ ? cursors_.begin()->second : join_cursors(cursors_); }

  std::string end_of(const std::string& log) { return context_.deps.streams->end(log).value_or(""); }

  ApiContext& context_;
  bool single_;
  bool greeted_ = false;
  std::map<std::string, std::string> cursors_;
  std::shared_ptr<Wake> wake_ = std::make_shared<Wake>();
  std::vector<std::pair<std::string, std::unique_ptr<platform::Subscription>>> subscriptions_;
};

std::string_view asked_cursor(const Request& request) {
  // EventSource sends the header only when it reconnects by itself; a new one gives the cursor in the
  // address.
  std::string_view header = request.header("last-event-id");
  return header.empty() ? request.query_value("cursor").value_or("") : header;
}

void serve_stream(ApiContext& context, std::shared_ptr<EventSource> source, Executor& executor,
                  Responder responder) {
  Response head;
  head.content_type = "text/event-stream";
  head.headers.push_back({"X-Accel-Buffering", "no"});
  auto stream = responder.stream(std::move(head), executor, [source] { return source->next(); });
  if (!stream) return;
  source->bind(stream);
  stream->wake();
}

bool wants_stream(const Request& request) {
  return request.header("accept").find("text/event-stream") != std::string_view::npos;
}

Response event_page(ApiContext& context, const Request& request, const std::string& run) {
  auto limit = number_parameter(request, "limit", 200, 1, kMaxEventsPerPage);
  if (!limit) return limit.error().response();
  auto page = context.deps.streams->read(run, asked_cursor(request), *limit);
  if (!page) return Problem::from(page.error()).response();
  std::string events;
  for (const platform::Event& event : page->events) {
    if (!events.empty()) events += ",";
    std::string json = event_json(event);
    json.pop_back();
    events += fmt::format(R"({},"cursor":{}}})", json, Json(event.cursor).dump());
  }
  Response response;
  response.body = fmt::format(R"({{"events":[{}],"cursor":{},"reset":{}}})", events,
                              Json(page->cursor).dump(), page->reset);
  return response;
}

// A run that is known, or a sub-agent's, which has events but no row of its own.
bool is_known(ApiContext& context, const std::string& run) {
  if (context.store().run(run)) return true;
  auto page = context.deps.streams->read(run, "", 1);
  return page && !page->events.empty();
}

void run_events(ApiContext& context, Request& request, Responder responder) {
  std::string run(request.param("id"));
  if (run.starts_with('$') || !is_known(context, run)) {
    return responder.reply(
        Problem(404, "run_not_found", fmt::format("there is no run '{}'", run)).response());
  }
  if (!wants_stream(request)) return responder.reply(event_page(context, request, run));
  auto source = std::make_shared<EventSource>(context, true);
  std::string cursor(asked_cursor(request));
  if (Status opened = source->open({run}, {{run, cursor}}, !cursor.empty()); !opened.ok()) {
    return responder.reply(Problem::from(opened).response());
  }
  serve_stream(context, std::move(source), context.executor(), std::move(responder));
}

void all_events(ApiContext& context, Request& request, Responder responder) {
  std::vector<std::string> logs = {std::string(kRunsFeed)};
  for (const Header& parameter : request.query) {
    if (parameter.name != "run") continue;
    if (!is_valid_id(parameter.value)) {
      return responder.reply(Problem(400, "invalid_parameter", "'run' is not a run id").response());
    }
    logs.push_back(parameter.value);
  }
  std::sort(logs.begin() + 1, logs.end());
  logs.erase(std::unique(logs.begin(), logs.end()), logs.end());
  if (logs.size() > kMaxRunsPerStream + 1) {
    return responder.reply(
        Problem(400, "invalid_parameter", fmt::format("at most {} runs per stream", kMaxRunsPerStream))
            .response());
  }
  if (!wants_stream(request)) {
    return responder.reply(Problem(406, "not_acceptable", "this is a stream of Server-Sent Events")
                               .hint("send Accept: text/event-stream")
                               .response());
  }
  auto source = std::make_shared<EventSource>(context, false);
  std::string cursor(asked_cursor(request));
  std::map<std::string, std::string> cursors;
  if (auto split = split_cursors(cursor)) {
    cursors = *std::move(split);
  } else if (!cursor.empty()) {
    for (const std::string& log : logs) cursors[log] = cursor;  // fits none of them: each begins with a reset
  }
  if (Status opened = source->open(logs, std::move(cursors), !cursor.empty()); !opened.ok()) {
    return responder.reply(Problem::from(opened).response());
  }
  serve_stream(context, std::move(source), context.executor(), std::move(responder));
}

}  // namespace

void add_event_routes(Router& router, ApiContext& context) {
  router.add("GET", "/api/v1/runs/{id}/events", context.blocking(run_events), {"limit", "cursor"});
  router.add("GET", "/api/v1/events", context.blocking(all_events), {"run", "cursor"});
}

}  // namespace holdfast::http
