// Event streams. /api/v1/runs/{id}/events: one run's log, as Server-Sent Events or, for other clients, as
// JSON pages. /api/v1/events: the feed of all runs and any few runs' logs over one connection.
//
// The id of an event is a durable cursor: a client that comes back with Last-Event-ID goes on exactly behind
// it, also when the server died in between. An id that fits no log gets a `reset` event and everything from
// the beginning.

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "http/api_context.h"
#include "http/event_source.h"
#include "http/event_stream.h"
#include "http/problems.h"
#include "net/accept.h"

namespace holdfast::http {

namespace {

constexpr std::size_t kMaxRunsPerStream = 8;
constexpr std::uint32_t kMaxEventsPerPage = 1000;

std::string_view asked_cursor(const Request& request) {
  // EventSource sends the header only when it reconnects by itself; a new one gives the cursor in the
  // address.
  std::string_view header = request.header("last-event-id");
  return header.empty() ? request.query_value("cursor").value_or("") : header;
}

bool wants_stream(const Request& request) {
  return net::wants_event_stream(request.header("accept"));
}

Response event_page(ApiContext& context, const Request& request, const std::string& run) {
  auto limit = number_parameter(request, "limit", 200, 1, kMaxEventsPerPage);
  if (!limit) return limit.error().response();
  auto page = context.runs().events(run, asked_cursor(request), *limit);
  if (!page) return problem_of(page.error()).response();
  std::string events;
  for (const platform::Event& event : page->events) {
    if (!events.empty()) events += ",";
    std::string json = event_json(event);
    json.pop_back();
    events += fmt::format(R"({},"cursor":{}}})", json, dump_json(Json(event.cursor)));
  }
  Response response;
  response.body = fmt::format(R"({{"events":[{}],"cursor":{},"reset":{}}})", events,
                              dump_json(Json(page->cursor)), page->reset);
  return response;
}

void run_events(ApiContext& context, Request& request, Responder responder) {
  std::string run(request.param("id"));
  if (!context.runs().has_log(run)) {
    return responder.reply(
        Problem(404, "run_not_found", fmt::format("there is no run '{}'", run)).response());
  }
  if (!wants_stream(request)) return responder.reply(event_page(context, request, run));
  std::optional<runs::RunWatch::Place> from;
  if (std::string cursor(asked_cursor(request)); !cursor.empty()) {
    // A browser's EventSource comes back when a stream has ended, until it is told that there is no more.
    const auto ended = context.runs().is_read_to_its_end(run, cursor);
    if (!ended) return responder.reply(problem_of(ended.error()).response());
    if (*ended) return responder.reply({.status = 204, .content_type = ""});
    from = runs::RunWatch::Place{{run, cursor}};
  }
  auto source = std::make_shared<EventSource>(true);
  if (Status opened = source->open(context.runs(), {run}, from); !opened.ok()) {
    return responder.reply(problem_of(opened).response());
  }
  serve_events(context, source, std::move(responder));
}

// The feed, and the runs that the address names.
std::expected<std::vector<std::string>, Problem> asked_logs(const Request& request) {
  std::vector<std::string> logs = {std::string(runs::kRunsFeed)};
  for (const Header& parameter : request.query) {
    if (parameter.name != "run") continue;
    if (!runs::is_valid_run_id(parameter.value)) {
      return std::unexpected(Problem(400, "invalid_parameter", "'run' is not a run id"));
    }
    logs.push_back(parameter.value);
  }
  std::sort(logs.begin() + 1, logs.end());
  logs.erase(std::unique(logs.begin(), logs.end()), logs.end());
  if (logs.size() > kMaxRunsPerStream + 1) {
    return std::unexpected(
        Problem(400, "invalid_parameter", fmt::format("at most {} runs per stream", kMaxRunsPerStream)));
  }
  return logs;
}

void all_events(ApiContext& context, Request& request, Responder responder) {
  auto logs = asked_logs(request);
  if (!logs) return responder.reply(logs.error().response());
  if (!net::names_event_stream(request.header("accept"))) {
    return responder.reply(Problem(406, "not_acceptable", "this is a stream of Server-Sent Events")
                               .hint("send Accept: text/event-stream")
                               .response());
  }
  std::optional<runs::RunWatch::Place> from;
  if (std::string cursor(asked_cursor(request)); !cursor.empty()) {
    from = split_cursors(cursor);
    if (!from) {  // fits none of them: each begins with a reset
      from.emplace();
      for (const std::string& log : *logs) (*from)[log] = cursor;
    }
  }
  auto source = std::make_shared<EventSource>(false);
  if (Status opened = source->open(context.runs(), *logs, from); !opened.ok()) {
    return responder.reply(problem_of(opened).response());
  }
  serve_events(context, source, std::move(responder));
}

}  // namespace

void add_event_routes(Router& router, ApiContext& context) {
  router.add("GET", "/api/v1/runs/{id}/events", Permission::kRead, context.blocking(run_events),
             {"limit", "cursor"});
  router.add("GET", "/api/v1/events", Permission::kRead, context.blocking(all_events), {"run*", "cursor"});
}

}  // namespace holdfast::http
