// /v1/chat/completions: a turn of a chat is a run, which goes on whatever becomes of the request.

#include "base/json.h"
#include "http/api_context.h"
#include "http/openai_runs.h"
#include "http/run_source.h"
#include "openai/chat_json.h"
#include "openai/errors.h"

namespace holdfast::http {

namespace {

Response still_running(const openai::ResponseHead& head, const openai::RunFold& run) {
  const std::string on = run.waiting_on().empty() ? "" : " and waits (" + run.waiting_on() + ")";
  return Problem(504, "run_goes_on", "the run " + head.run + " is not over" + on + "; it goes on")
      .hint("GET /v1/responses/resp_" + head.run + ", or " + head.page)
      .response();
}

Response answer(const openai::ResponseHead& head, const openai::RunFold& run) {
  if (run.status() == runs::RunStatus::kCompleted) return json_response(openai::chat_completion(head, run));
  return Problem(openai::chat_error_status(run), run.reason(), openai::chat_error_message(head, run))
      .response();
}

void stream(ApiContext& context, openai::ResponseHead head, bool include_usage,
            std::shared_ptr<runs::Telling> telling, Responder responder) {
  auto chunks = std::make_shared<openai::ChatChunks>(head, include_usage);
  auto source = std::make_shared<RunSource>(
      platform::Deltas::kAtOnce, [chunks](std::string& out, const openai::RunFold&) { chunks->begin(out); },
      [chunks](std::string& out, const openai::RunFold& run, const openai::Happening& happening) {
        chunks->write(out, run, happening);
      });
  stream_run(context.runs(), head.run, *context.stream_workers, source, std::move(telling),
             std::move(responder));
}

void complete(ApiContext& context, Request& request, Responder responder) {
  auto body = json_object(request);
  if (!body) return responder.reply(body.error().response());
  auto asked = openai::read_chat(*body);
  if (!asked) return responder.reply(asked.error().response());
  const bool streams = asked->stream;
  const bool include_usage = asked->include_usage;
  const std::string model = asked->model;
  auto started = start_asked(context, request, *std::move(asked));
  if (!started) return responder.reply(started.error().response());
  auto head = head_of(context, started->run);
  if (!head) return responder.reply(of_run(head.error().response(), started->run.run));
  head->model = model;
  if (streams)
    return stream(context, *std::move(head), include_usage, std::move(started->telling),
                  std::move(responder));
  context.waits.wait(
      head->run, kLongestWait,
      [head = *head](const openai::RunFold& now, bool last) -> std::optional<Response> {
        if (now.has_ended()) return of_run(answer(head, now), head.run);
        if (last) return of_run(still_running(head, now), head.run);
        return std::nullopt;
      },
      std::move(started->telling), std::move(responder));
}

}  // namespace

void add_openai_chat_routes(Router& router, ApiContext& context) {
  router.add("POST", "/v1/chat/completions", Permission::kRun, context.blocking(complete));
}

}  // namespace holdfast::http
