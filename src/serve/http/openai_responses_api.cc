// /v1/responses: a response is a run (Open Responses). It goes on without whoever asked for it, is read and
// streamed again by its id, and is the same one after a restart.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "http/api_context.h"
#include "http/openai_runs.h"
#include "http/problems.h"
#include "http/run_source.h"
#include "openai/errors.h"
#include "openai/ids.h"
#include "openai/response_events.h"

namespace holdfast::http {

namespace {

using openai::ResponseHead;
using openai::RunFold;

// Until a run that was asked to stop has: longer than most take, shorter than a client waits.
constexpr std::chrono::seconds kStopsWithin{20};

Response answer(const ResponseHead& head, const RunFold& run) {
  return of_run(json_response(openai::response_json(head, run)), head.run);
}

void stream(ApiContext& context, const ResponseHead& head, std::optional<std::uint64_t> after,
            std::shared_ptr<runs::Telling> telling, Responder responder) {
  auto events = std::make_shared<openai::ResponseEvents>(head, after);
  auto source = std::make_shared<RunSource>(
      platform::Deltas::kCommitted,
      [events](std::string& out, const RunFold& run) { events->begin(out, run); },
      [events](std::string& out, const RunFold& run, const openai::Happening& happening) {
        events->write(out, run, happening);
      });
  stream_run(context.runs(), head.run, *context.stream_workers, source, std::move(telling),
             std::move(responder));
}

// As it is now.
Response now(ApiContext& context, const ResponseHead& head, const ApiContext::Gone& gone) {
  auto run = fold_of(context, head.run, gone);
  return run ? answer(head, *run) : of_run(run.error().response(), head.run);
}

// Who waits is answered when it is over, and when somebody else has to act first, unless nobody could fetch
// what it comes to then.
std::optional<Response> when_over(const ResponseHead& head, const RunFold& run, bool last) {
  const bool asks = head.store && (run.waiting_on() == "approval" || run.waiting_on() == "resume");
  if (run.has_ended() || asks || last) return answer(head, run);
  return std::nullopt;
}

void create(ApiContext& context, Request& request, Responder responder) {
  auto body = json_object(request);
  if (!body) return responder.reply(body.error().response());
  if (auto problem = put_references(context, *body, [&responder] { return responder.gone(); }))
    return responder.reply(problem->response());
  auto asked = openai::read_response(*body);
  if (!asked) return responder.reply(asked.error().response());
  const bool streams = asked->stream;
  const bool background = asked->background;
  auto started = start_asked(context, request, *std::move(asked));
  if (!started) return responder.reply(started.error().response());
  auto head = head_of(context, started->run);
  if (!head) return responder.reply(of_run(head.error().response(), started->run.run));
  if (streams) return stream(context, *head, std::nullopt, std::move(started->telling), std::move(responder));
  if (background) return responder.reply(now(context, *head, [&responder] { return responder.gone(); }));
  context.waits.wait(
      head->run, kLongestWait,
      [head = *head](const RunFold& seen, bool last) { return when_over(head, seen, last); },
      std::move(started->telling), std::move(responder));
}

// ---- one response

std::expected<ResponseHead, Problem> asked_head(ApiContext& context, const Request& request) {
  auto run = run_of_response(context, request.param("id"));
  if (!run) return std::unexpected(run.error());
  return head_of(context, *run);
}

// Before it is looked up: what is found stays until it is told. Null: it is kept, or there is none.
std::shared_ptr<runs::Telling> telling_of(ApiContext& context, const Request& request) {
  const auto run = openai::run_of_response(request.param("id"));
  return run ? context.runs().tell(*run) : nullptr;
}

// ?stream=true&starting_after=N
std::expected<std::optional<std::uint64_t>, Problem> starting_after(const Request& request, bool streams) {
  const auto text = request.query_value("starting_after");
  if (!text) return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size() || !streams)
    return std::unexpected(
        openai::wrong("starting_after", "invalid_value",
                      "'starting_after' is the sequence_number of an event, and goes with stream=true"));
  return number;
}

void show(ApiContext& context, Request& request, Responder responder) {
  const std::string_view word = request.query_value("stream").value_or("false");
  if (word != "true" && word != "false")
    return responder.reply(
        openai::wrong("stream", "invalid_value", "'stream' must be true or false").response());
  auto after = starting_after(request, word == "true");
  if (!after) return responder.reply(after.error().response());
  const auto telling = telling_of(context, request);
  auto head = asked_head(context, request);
  if (!head) return responder.reply(head.error().response());
  if (word == "true") return stream(context, *head, *after, telling, std::move(responder));
  // All of a run's log is read: short requests do not wait behind those who ask for long runs.
  context.standing_back(
      fmt::format("telling of run {}", head->run),
      [&context, head = *head, telling](const ApiContext::Gone& gone) { return now(context, head, gone); },
      std::move(responder));
}

void cancel(ApiContext& context, Request& request, Responder responder) {
  auto telling = telling_of(context, request);
  auto head = asked_head(context, request);
  if (!head) return responder.reply(head.error().response());
  auto status = context.runs().cancel({.run = head->run,
                                       .by = actor_of(request, identity::kLocalName),
                                       .reason = "cancelled at /v1/responses"});
  if (!status) return responder.reply(of_run(problem_of(status.error()).response(), head->run));
  context.waits.wait(
      head->run, kStopsWithin,
      [head = *head](const RunFold& run, bool last) -> std::optional<Response> {
        if (run.has_ended() || last) return answer(head, run);
        return std::nullopt;
      },
      std::move(telling), std::move(responder));
}

// Answered when nobody finds it any more: its log is the last that goes, and who waits is told.
void erase(ApiContext& context, Request& request, Responder responder) {
  const std::string id(request.param("id"));
  auto run = run_of_response(context, id);
  if (!run) return responder.reply(run.error().response());
  if (auto status = context.runs().erase({.run = run->run, .by = actor_of(request, identity::kLocalName)});
      !status)
    return responder.reply(problem_of(status.error()).response());
  context.runs().history_deleted(run->run);  // another process's engine does not say so by itself
  context.waits.wait(
      run->run, kStopsWithin,
      [&context, id, run = run->run](const RunFold&, bool last) -> std::optional<Response> {
        const auto gone = context.store().gone_history(run);
        if (!gone) return Problem::from(gone.error()).response();
        if (*gone) return json_response({{"id", id}, {"object", "response"}, {"deleted", true}});
        if (!last) return std::nullopt;
        return Problem(503, "deletion_under_way",
                       "the response is being deleted, and is there until it has been")
            .hint("ask again: 404 says that it is gone")
            .response();
      },
      nullptr, std::move(responder));
}

// Of what a response was asked, as it came: `first` and `count`.
struct InputPage {
  std::size_t first = 0;
  std::size_t count = 0;
  bool backwards = true;
  bool more = false;
};

std::expected<InputPage, Problem> input_page(const Request& request, const ResponseHead& head) {
  const std::string_view limit = request.query_value("limit").value_or("20");
  std::size_t count = 0;
  const auto [end, error] = std::from_chars(limit.data(), limit.data() + limit.size(), count);
  if (error != std::errc() || end != limit.data() + limit.size() || count < 1 || count > 100)
    return std::unexpected(openai::wrong("limit", "invalid_value", "'limit' is 1 to 100"));
  const std::string_view order = request.query_value("order").value_or("desc");
  if (order != "asc" && order != "desc")
    return std::unexpected(openai::wrong("order", "invalid_value", "'order' is asc or desc"));
  InputPage out{.backwards = order == "desc"};
  const std::size_t all = head.history + 1;
  std::size_t left = all;
  if (const std::string_view after = request.query_value("after").value_or(""); !after.empty()) {
    const auto at = place_of_input(head, after);
    if (!at)
      return std::unexpected(
          openai::wrong("after", "invalid_value", "'after' is the id of an item of this list"));
    left = out.backwards ? *at : all - *at - 1;
  }
  out.count = std::min(count, left);
  out.first = out.backwards ? left - out.count : all - left;
  out.more = out.count < left;
  return out;
}

Response list_input(ApiContext& context, Request& request) {
  auto run = run_of_response(context, request.param("id"));
  if (!run) return run.error().response();
  auto head = head_of(context, *run);
  if (!head) return head.error().response();
  const auto page = input_page(request, *head);
  if (!page) return page.error().response();
  auto items = input_of(context, *run, *head, page->first, page->count);
  if (!items) return items.error().response();
  if (page->backwards) std::ranges::reverse(*items);
  return json_response({{"object", "list"},
                        {"data", *items},
                        {"first_id", items->empty() ? Json(nullptr) : items->front()["id"]},
                        {"last_id", items->empty() ? Json(nullptr) : items->back()["id"]},
                        {"has_more", page->more}});
}

}  // namespace

void add_openai_response_routes(Router& router, ApiContext& context) {
  router.add("POST", "/v1/responses", Permission::kRun, context.blocking(create));
  router.add("GET", "/v1/responses/{id}", Permission::kRead, context.blocking(show),
             {"stream", "starting_after", "include", "include[]", "include_obfuscation"});
  router.add("DELETE", "/v1/responses/{id}", Permission::kAdmin, context.blocking(erase));
  router.add("POST", "/v1/responses/{id}/cancel", Permission::kRun, context.blocking(cancel));
  router.add("GET", "/v1/responses/{id}/input_items", Permission::kRead, context.answering(list_input),
             {"after", "limit", "order", "include", "include[]"});
}

}  // namespace holdfast::http
