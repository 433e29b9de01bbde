#include "http/openai_runs.h"

#include <fmt/format.h>

#include "base/ids.h"
#include "base/json.h"
#include "http/problems.h"
#include "openai/errors.h"
#include "openai/ids.h"
#include "platform/find_version.h"
#include "platform/run_rules.h"
#include "protocol/agent_reference.h"
#include "runs/run_fault.h"
#include "runs/seed_conversation.h"

namespace holdfast::http {

namespace {

using runs::RunFault;

constexpr std::uint32_t kPage = 1000;

Problem no_model(const std::string& model, const std::string& why) {
  return Problem(404, "model_not_found",
                 fmt::format("The model '{}' does not exist or you do not have access to it.", model))
      .hint(why.empty() ? "GET /v1/models lists the agents" : why)
      .member("param", R"("model")");
}

Problem no_response(std::string_view id, std::string_view param) {
  return Problem(
             404, param.empty() ? "response_not_found" : "previous_response_not_found",
             fmt::format("{} with id '{}' not found.", param.empty() ? "Response" : "Previous response", id))
      .member("param", param.empty() ? "null" : dump_json(Json(param)));
}

// A conversation is a line: what comes behind a response comes behind all that was said. A repeat of what has
// come behind it is no news.
std::expected<std::string, Problem> behind(ApiContext& context, const std::string& previous,
                                           const std::string& key) {
  const std::string id = openai::response_id(previous);
  const auto run = context.store().run(previous);
  if (!run && run.error().code() != Code::kNotFound) return std::unexpected(Problem::from(run.error()));
  const auto unkept = context.store().unkept_run(previous);
  if (!unkept) return std::unexpected(Problem::from(unkept.error()));
  if (!run || *unkept) return std::unexpected(no_response(id, "previous_response_id"));
  const std::string conversation = platform::rules::conversation_of(*run);
  const auto turns = context.runs().turns(conversation, "", 1);
  if (!turns) return std::unexpected(problem_of(turns.error()));
  const std::string& last = turns->empty() ? conversation : turns->front().run;
  if (last == previous) return conversation;
  if (const auto newest = context.store().run(last); newest && !key.empty() && newest->idempotency_key == key)
    return conversation;
  return std::unexpected(
      Problem(409, "previous_response_not_last",
              fmt::format("The conversation has gone on behind '{}': a response continues its last one.", id))
          .hint("the last one is " + openai::response_id(last))
          .member("param", R"("previous_response_id")"));
}

// What is not to be stored goes into no conversation that is: into one of its own, which begins with what was
// said in that. Whoever speaks there now has to be heard first.
std::expected<std::vector<std::string>, Problem> said_before(ApiContext& context,
                                                             const std::string& conversation) {
  const auto turns = context.runs().turns(conversation, "", 1);
  if (!turns) return std::unexpected(problem_of(turns.error()));
  const bool open =
      turns->empty() ? context.runs().is_open(conversation).value_or(false) : !turns->front().over;
  if (open)
    return std::unexpected(Problem(409, "previous_response_open", "the response before has not ended")
                               .hint("wait for it, or leave out store: false")
                               .member("param", R"("previous_response_id")"));
  std::vector<std::string> out;
  runs::ConversationQuery query{.conversation = conversation, .limit = kPage};
  do {
    const auto page = context.runs().conversation(query);
    if (!page) return std::unexpected(problem_of(page.error()));
    for (const platform::Message& message : page->messages) out.push_back(message.json);
    if (out.size() > platform::kMaxMessagesPerStep)
      return std::unexpected(
          openai::wrong("previous_response_id", "invalid_value",
                        fmt::format("what was said before has more than {} messages, too many to begin a "
                                    "conversation with that is not stored",
                                    platform::kMaxMessagesPerStep)));
    query.after = page->next;
  } while (query.after != 0);
  return out;
}

// With their keys sorted, so that the same settings are the same request.
std::string settings_of(ApiContext& context, const openai::Asked& asked, const Request& request,
                        const platform::StartIntent& intent) {
  nlohmann::json out = nlohmann::json::object();
  runs::put_asker(out, context.store(), intent, asker_of(request));
  if (!asked.kept.is_null()) out[openai::kKept] = asked.kept;
  return out.empty() ? std::string() : dump_json(out);
}

Problem not_started(const std::string& model, const Status& error) {
  if (error.code() == Code::kPermissionDenied) return not_granted(error);
  switch (runs::run_fault(error)) {
    case RunFault::kAgentNotFound:
    case RunFault::kVersionNotFound: return no_model(model, "");
    case RunFault::kRunExists:
      return Problem(409, "idempotency_key_used", "another request had this Idempotency-Key")
          .hint("the same request again gives the same run; another one needs another key");
    default: return problem_of(error);
  }
}

// Turns of the client's own, before anything of them is kept.
Status check_history(ApiContext& context, const std::vector<std::string>& history) {
  for (const std::string& turn : history) {
    const Json message = parse_json<Json>(turn);
    Status parts = context.runs().check_message(dump_json(Json{{"content", message["content"]}}));
    if (!parts.ok()) return parts;
  }
  return {};
}

// Where a run stands: the conversation, and what that begins with.
struct RunPlace {
  std::string conversation;
  std::vector<std::string> history;
};

std::expected<RunPlace, Problem> place_of(ApiContext& context, const openai::Asked& asked,
                                          const std::string& key) {
  RunPlace out{.conversation = asked.conversation, .history = asked.history};
  if (!asked.previous.empty()) {
    auto conversation = behind(context, asked.previous, key);
    if (!conversation) return std::unexpected(conversation.error());
    out.conversation = *std::move(conversation);
    if (asked.store) return out;
    auto said = said_before(context, out.conversation);
    if (!said) return std::unexpected(said.error());
    out.history = *std::move(said);
  }
  if (out.history.empty()) {
    if (!asked.store) out.conversation.clear();  // its own
    return out;
  }
  const std::string salt = key.empty() ? new_uuid(context.deps.environment->random()) : key;
  out.conversation = runs::seeded_conversation(out.history, salt);
  return out;
}

// The same request was here before, and what it came to is no more, or is being deleted.
std::expected<bool, Problem> is_gone(ApiContext& context, const runs::StartedRun& same) {
  const auto gone = context.store().gone_history(same.run.run);
  if (!gone) return std::unexpected(Problem::from(gone.error()));
  if (*gone) return true;
  const auto unkept = context.store().unkept_run(same.run.run);
  if (!unkept) return std::unexpected(Problem::from(unkept.error()));
  return unkept->has_value() && same.telling == nullptr;
}

// Whoever was to be told how it ended was, or was not there; it is no one's to fetch.
std::expected<bool, Problem> is_over_and_unkept(ApiContext& context, const std::string& run) {
  const auto unkept = context.store().unkept_run(run);
  if (!unkept) return std::unexpected(Problem::from(unkept.error()));
  if (!*unkept) return false;
  const auto fold = fold_of(context, run, [] { return false; });
  if (!fold) return std::unexpected(fold.error());
  return fold->has_ended();
}

}  // namespace

std::expected<platform::Definition, Problem> model_named(ApiContext& context, const std::string& model) {
  const auto reference = protocol::parse_agent_reference(model);
  if (!reference) return std::unexpected(no_model(model, reference.error().message()));
  auto found = platform::find_version(context.store(), reference->agent, reference->version);
  if (found) return *std::move(found);
  if (found.error().code() == Code::kInvalidArgument)
    return std::unexpected(no_model(model, found.error().message()));
  if (found.error().code() != Code::kNotFound) return std::unexpected(Problem::from(found.error()));
  return std::unexpected(no_model(model, ""));
}

std::expected<AskedRun, Problem> start_asked(ApiContext& context, const Request& request,
                                             openai::Asked asked) {
  if (auto model = model_named(context, asked.model); !model) return std::unexpected(model.error());
  Status parts = context.runs().check_input(asked.input);
  if (parts.ok()) parts = check_history(context, asked.history);
  if (!parts.ok()) return std::unexpected(Problem::from(parts));
  platform::StartIntent intent;
  intent.idempotency_key = std::string(request.header("idempotency-key"));
  auto place = place_of(context, asked, intent.idempotency_key);
  if (!place) return std::unexpected(place.error());
  if (!asked.history.empty())
    asked.kept[openai::kHistory] = {{"of", place->conversation}, {"turns", asked.history.size()}};
  intent.agent = asked.model;
  intent.input = std::move(asked.input);
  intent.conversation = std::move(place->conversation);
  intent.history = std::move(place->history);
  intent.keep = asked.store;
  intent.settings = settings_of(context, asked, request, intent);
  intent.started_by = actor_of(request, identity::kLocalName);
  auto started = context.runs().start(std::move(intent));
  if (!started) return std::unexpected(not_started(asked.model, started.error()));
  if (!started->created) {
    const auto gone = is_gone(context, *started);
    if (!gone) return std::unexpected(gone.error());
    if (*gone)
      return std::unexpected(no_response(openai::response_id(started->run.run), "")
                                 .hint("the request with this Idempotency-Key was answered, and its answer "
                                       "was deleted; another request needs another key")
                                 .header("X-Should-Retry", "false"));
  }
  return AskedRun{std::move(started->run), std::move(started->telling)};
}

std::expected<platform::RunRecord, Problem> run_of_response(ApiContext& context, std::string_view id) {
  const auto run = openai::run_of_response(id);
  if (!run) return std::unexpected(no_response(id, ""));
  auto found = context.runs().find(*run);
  if (!found && runs::run_fault(found.error()) == RunFault::kRunNotFound)
    return std::unexpected(no_response(id, ""));
  if (!found) return std::unexpected(problem_of(found.error()));
  const auto gone = context.store().gone_history(*run);
  if (!gone) return std::unexpected(Problem::from(gone.error()));
  if (*gone)
    return std::unexpected(
        no_response(id, "").hint("its history was deleted; how it ended: GET /api/v1/runs/" + *run));
  if (auto over = is_over_and_unkept(context, *run); !over || *over)
    return std::unexpected(over ? no_response(id, "").hint("it was not stored: `store` was false")
                                : over.error());
  return *std::move(found);
}

std::expected<openai::ResponseHead, Problem> head_of(ApiContext& context, const platform::RunRecord& run) {
  auto settings = context.store().run_settings(run.run);
  if (!settings) return std::unexpected(Problem::from(settings.error()));
  const ApiInfo& info = context.info;
  return openai::response_head(run, *settings, info.public_url.empty() ? info.http_address : info.public_url);
}

std::expected<openai::RunFold, Problem> fold_of(ApiContext& context, const std::string& run,
                                                const ApiContext::Gone& gone) {
  openai::RunFold out;
  std::string cursor;
  while (true) {
    if (gone()) return std::unexpected(Problem(499, "client_gone", "the client has closed the connection"));
    auto page = context.runs().events(run, cursor, kPage);
    if (!page) return std::unexpected(problem_of(page.error()));
    if (page->reset) out = openai::RunFold();
    for (const platform::Event& event : page->events) out.apply(event);
    cursor = page->cursor;
    if (page->events.empty() || !page->more) return out;
  }
}

Response of_run(Response response, const std::string& run) {
  response.headers.push_back({"X-Request-Id", run});
  if (response.status >= 400) response.headers.push_back(openai::no_retry());
  return response;
}

}  // namespace holdfast::http
