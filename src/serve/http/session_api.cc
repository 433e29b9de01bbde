// /api/v1/conversations/{id}/events, messages (to send) and cancel: a session. Whoever takes part, from however many
// devices, sees all its runs as one stream, speaks without knowing which run works, and stops what works.

#include <fmt/format.h>

#include "base/ids.h"
#include "http/api_context.h"
#include "http/event_stream.h"
#include "http/problems.h"
#include "http/run_json.h"
#include "http/session_source.h"
#include "http/steering.h"
#include "net/accept.h"
#include "runs/session.h"

namespace holdfast::http {

namespace {

using runs::RunFault;

void session_events(ApiContext& context, Request& request, Responder responder) {
  if (!net::names_event_stream(request.header("accept"))) {
    return responder.reply(Problem(406, "not_acceptable", "this is a stream of Server-Sent Events")
                               .hint("send Accept: text/event-stream")
                               .response());
  }
  const std::string_view header = request.header("last-event-id");
  const std::string id(header.empty() ? request.query_value("cursor").value_or("") : header);
  auto source = std::make_shared<SessionSource>(context.runs(), std::string(request.param("id")));
  if (Status opened = source->open(id); !opened.ok())
    return responder.reply(problem_of(opened).response());
  serve_events(context, source, std::move(responder));
}

// ---- what is said

struct Said {
  std::string conversation;
  std::string agent;  // empty: whose run was the last
  runs::SteerRequest message;
  runs::Asker asker;
};

std::expected<Said, Problem> said_in(ApiContext& context, const Request& request) {
  auto body = json_body(request, {"input", "id", "by", "agent"});
  if (!body) return std::unexpected(body.error());
  auto message = read_message(*body, request);
  if (!message) return std::unexpected(message.error());
  auto agent = string_member(*body, "agent", runs::kMaxIdBytes);
  if (!agent) return std::unexpected(agent.error());
  Said out;
  out.conversation = std::string(request.param("id"));
  out.agent = *std::move(agent);
  out.message = *std::move(message);
  if (out.message.id.empty()) out.message.id = new_uuid(context.deps.environment->random());
  out.asker = asker_of(request);
  return out;
}

Response begun(ApiContext& context, const Said& said) {
  platform::StartIntent intent;
  intent.run = runs::run_of_message(said.conversation, said.message.id);
  intent.agent = said.agent;
  if (intent.agent.empty()) {
    auto last = runs::newest_run(context.runs(), said.conversation);
    if (!last && runs::run_fault(last.error()) == RunFault::kConversationNotFound) {
      return problem_of(last.error())
          .hint("name the `agent` that is to answer, and the conversation begins")
          .response();
    }
    if (!last) return problem_of(last.error()).response();
    intent.agent = last->agent;
  }
  const auto input = parse_json<Json>(said.message.text);
  intent.input = dump_json(input.is_structured() ? input : Json(said.message.text));
  intent.conversation = said.conversation;
  intent.started_by = said.message.by.empty() ? std::string(identity::kLocalName) : said.message.by;
  nlohmann::json settings = nlohmann::json::object();
  runs::put_asker(settings, context.store(), intent, said.asker);
  if (!settings.empty()) intent.settings = dump_json(settings);
  auto started = context.runs().start(std::move(intent));
  if (!started) return problem_of(started.error()).response();
  Json out = {{"run", started->run.run}, {"state", "started"}, {"id", said.message.id}};
  Response response = json_response(out, 202);
  response.headers.push_back({"Location", "/api/v1/runs/" + started->run.run});
  return response;
}

// To the run that works. One that ends in that moment has not taken it: then it begins the next one.
void pass_on(ApiContext& context, Said said, Responder responder) {
  const runs::SteerRequest message = said.message;
  context.runs().steer(message, kAnswerWithin,
                       [&context, said = std::move(said),
                        responder = std::move(responder)](Result<std::string> answer) mutable {
                         const RunFault fault = answer ? RunFault::kNone : runs::run_fault(answer.error());
                         if (fault != RunFault::kRunClosed && fault != RunFault::kRunEnding)
                           return responder.reply(steered_response(said.message, answer));
                         context.workers->post([&context, said = std::move(said),
                                             responder = std::move(responder)]() mutable {
                           responder.reply(begun(context, said));
                         });
                       });
}

void say(ApiContext& context, Request& request, Responder responder) {
  auto said = said_in(context, request);
  if (!said) return responder.reply(said.error().response());
  // A repeat of one that began a run, or that a run which is over has taken.
  const std::string own = runs::run_of_message(said->conversation, said->message.id);
  if (context.runs().find(own)) return responder.reply(begun(context, *said));
  auto working = runs::working_run(context.runs(), said->conversation);
  if (!working) return responder.reply(problem_of(working.error()).response());
  if (!*working) {
    if (auto last = runs::newest_run(context.runs(), said->conversation)) {
      auto taken = context.runs().has_received(last->run, said->message.id);
      if (!taken) return responder.reply(problem_of(taken.error()).response());
      if (*taken) {
        return responder.reply(
            json_response({{"run", last->run}, {"state", "taken"}, {"id", said->message.id}}, 202));
      }
    }
    return responder.reply(begun(context, *said));
  }
  const std::string& agent = (*working)->agent;
  if (!said->agent.empty() && said->agent.substr(0, said->agent.find('@')) != agent) {
    return responder.reply(Problem(409, "another_agent_works",
                                   fmt::format("'{}' works in this conversation now", agent))
                               .hint("leave `agent` out to speak to it, or wait until its run is over")
                               .response());
  }
  said->message.run = (*working)->run;
  pass_on(context, *std::move(said), std::move(responder));
}

// ---- stopping

Response stop(ApiContext& context, Request& request) {
  auto body = json_body(request, {"reason"}, true);
  if (!body) return body.error().response();
  auto reason = string_member(*body, "reason", 4000);
  if (!reason) return reason.error().response();
  auto open = runs::open_runs(context.runs(), std::string(request.param("id")));
  if (!open) return problem_of(open.error()).response();
  Json stopped = Json::array();
  for (const std::string& run : *open) {
    auto status = context.runs().cancel({.run = run, .by = actor_of(request, identity::kLocalName), .reason = *reason});
    if (!status) return problem_of(status.error()).response();
    if (!is_closed(*status)) stopped.push_back(run);
  }
  return json_response({{"canceled", std::move(stopped)}}, 202);
}

}  // namespace

void add_session_routes(Router& router, ApiContext& context) {
  router.add("GET", "/api/v1/conversations/{id}/events", Permission::kRead, context.blocking(session_events),
             {"cursor"});
  router.add("POST", "/api/v1/conversations/{id}/messages", Permission::kRun, context.blocking(say));
  router.add("POST", "/api/v1/conversations/{id}/cancel", Permission::kRun, context.answering(stop));
}

}  // namespace holdfast::http
