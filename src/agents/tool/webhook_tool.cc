// `type: webhook`: an event to a program, as Standard Webhooks say (https://www.standardwebhooks.com): its id
// is the call's idempotency key, so that a repeated one is one event to the receiver, and it is signed with a
// secret that both sides know.

#include <fmt/format.h>

#include "base/base64.h"
#include "base/iso_time.h"
#include "base/json.h"
#include "base/sha256.h"
#include "definition/names.h"
#include "definition/value_name.h"
#include "net/text_body.h"
#include "spec/template.h"
#include "spec/written_order.h"
#include "tool/activity_tool.h"
#include "tool/http_answer.h"
#include "tool/message_text.h"
#include "tool/written_section.h"

namespace holdfast::agent {

namespace {

constexpr std::string_view kSchema = R"json({
  "type": "object",
  "additionalProperties": false,
  "required": ["url", "secret_env"],
  "properties": {
    "url": {"type": "string", "pattern": "^https?://"},
    "secret_env": {"type": "string", "description": "Name of the variable that holds the secret: whsec_ and base64."},
    "event": {"type": "string", "description": "The event's type, such as order.refunded; the tool's name by default."},
    "data": {"description": "Template of the payload's `data`; all arguments by default."}
  }
})json";

constexpr std::size_t kMaxPayloadBytes = 1 << 20;
constexpr std::size_t kMaxAnswerBytes = 64 * 1024;
constexpr std::string_view kPrefix = "whsec_";

struct WebhookSettings : WrittenSection {
  void write(Written& section) const override {
    if (!data.is_null()) section["data"] = data;
  }

  std::string url;
  std::string secret_env;
  std::string event;
  Written data;
};

void read(ToolReader& reader) {
  auto out = std::make_shared<WebhookSettings>();
  spec::MapReader in = reader.in.map("webhook");
  out->url = in.required_text("url");
  if (!out->url.empty() && !is_http_url(out->url)) in.problem("url", "must start with http:// or https://");
  out->secret_env = in.required_text("secret_env");
  if (!out->secret_env.empty() && !is_value_name(out->secret_env)) {
    in.problem("secret_env", "must be the name of an environment variable, not the secret");
    out->secret_env.clear();
  }
  out->event = in.text("event");
  check_text(in, "event", out->event, reader.tool);
  const Json data = in.json("data");
  check_declared(in, "data", spec::body_arguments(data), usable_parameters(reader.tool));
  out->data = spec::in_order(data, in.child("data"));
  in.finish();
  if (reader.effect_given && reader.tool.effect != Effect::kIdempotent) {
    reader.in.problem(
        "effect", "a webhook is idempotent, as its receiver knows an event again by its id; remove `effect`");
  }
  reader.tool.effect = Effect::kIdempotent;
  reader.tool.settings = std::move(out);
}

Json canonical(const ToolSpec& tool) {
  const auto& webhook = settings_of<WebhookSettings>(tool);
  Json out = {{"url", webhook.url}, {"secret_env", webhook.secret_env}};
  if (!webhook.event.empty()) out["event"] = webhook.event;
  if (!webhook.data.is_null()) out["data"] = Json(webhook.data);
  return out;
}

Needs needs(const ToolSpec& tool) {
  const auto& webhook = settings_of<WebhookSettings>(tool);
  const std::string place = place_of(webhook.url);
  return {{.kind = Need::Kind::kHost, .name = {}, .url = place},
          {.kind = Need::Kind::kVariable, .name = webhook.secret_env, .url = place}};
}

// The bytes of "whsec_" and base64. INVALID_ARGUMENT never tells it.
Result<std::string> secret_bytes(const std::string& name, std::string text) {
  const auto wrong = [&name] {
    return fail(
        Code::kInvalidArgument,
        fmt::format(
            "the variable {} holds no secret of a webhook: it is whsec_ and base64 of 24 bytes or more",
            name));
  };
  if (!text.starts_with(kPrefix)) return wrong();
  text.erase(0, kPrefix.size());
  while (text.ends_with('=')) text.pop_back();
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  auto bytes = from_base64url(text);
  if (!bytes || bytes->size() < 24) return wrong();
  return *std::move(bytes);
}

ToolEnding run(const ToolSpec& tool, const Json& arguments, const ToolContext& context) {
  const auto& webhook = settings_of<WebhookSettings>(tool);
  auto secret = context.permits->variable(webhook.secret_env, webhook.url);
  if (!secret) return {Ending::kFailed, secret.error().message()};
  const auto key = secret_bytes(webhook.secret_env, *std::move(secret));
  if (!key) return {Ending::kFailed, key.error().message()};
  const WallTime now = context.clock->now();
  const std::string event = webhook.event.empty() ? tool.name : fill_text(webhook.event, arguments);
  Written payload;
  payload["data"] = written_arguments(arguments, context);
  if (!webhook.data.is_null())
    payload["data"] = spec::fill_body(webhook.data, usable_arguments(payload["data"], context));
  payload["timestamp"] = iso_time(now);
  payload["type"] = event;
  const std::string body = dump_json(payload);
  if (body.size() > kMaxPayloadBytes) return {Ending::kFailed, "the event is larger than 1 MiB"};
  const std::string seconds =
      std::to_string(std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count());
  const std::string& id = context.idempotency_key;
  net::HttpRequest request;
  request.method = "POST";
  request.url = webhook.url;
  request.body = body;
  request.total_timeout = tool.timeout;
  request.max_response_bytes = kMaxAnswerBytes;
  request.reach = context.permits->reach();
  request.headers = {{"Content-Type", "application/json"},
                     {"webhook-id", id},
                     {"webhook-timestamp", seconds},
                     {"webhook-signature",
                      "v1," + padded_base64(hmac_sha256(*key, fmt::format("{}.{}.{}", id, seconds, body)))}};
  add_completion_headers(context, request.headers);
  auto response = net::fetch(*context.http, std::move(request), context.stop, {kBeatInterval, context.beat});
  if (auto ending = unless_answered(tool, "POST", kMaxAnswerBytes, response, context)) return *ending;
  return {Ending::kDone, dump_json(Json{{"delivered", event}, {"id", id}})};
}

}  // namespace

constinit const ActivityTool kWebhookTool({.name = "webhook",
                                           .schema = kSchema,
                                           .section_needs = "with `url` and `secret_env`",
                                           .notifies = true,
                                           .hands_out_tokens = true,
                                           .read = read,
                                           .canonical = canonical,
                                           .needs = needs},
                                          run);

}  // namespace holdfast::agent
