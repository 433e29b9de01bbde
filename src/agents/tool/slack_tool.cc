// `type: slack`: a message into a channel, by an incoming webhook or by chat.postMessage. What the arguments
// say is text: it can make no link and call nobody. Slack knows no key of a call, so it is made once at most.

#include <fmt/format.h>

#include <tuple>

#include "base/json.h"
#include "base/text.h"
#include "definition/names.h"
#include "definition/value_name.h"
#include "net/text_body.h"
#include "spec/template.h"
#include "tool/activity_tool.h"
#include "tool/http_answer.h"
#include "tool/message_text.h"

namespace holdfast::agent {

namespace {

constexpr std::string_view kSchema = R"json({
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "webhook_env": {"type": "string", "description": "Name of the variable that holds the URL of an incoming webhook."},
    "token_env": {"type": "string", "description": "Name of the variable that holds a bot's token; needs `channel`."},
    "channel": {"type": "string"},
    "text": {"type": "string", "description": "{text} by default."},
    "buttons": {"type": "boolean", "description": "Of notify: a message with a link has buttons that decide; needs the app's signing secret on the server."},
    "base_url": {"type": "string", "pattern": "^https?://", "description": "Where Slack is, when it is not Slack."}
  }
})json";

constexpr std::size_t kMaxTextBytes = 40'000;
constexpr std::size_t kMaxBlockBytes = 2900;  // of 3,000 characters
constexpr std::size_t kMaxAnswerBytes = 64 * 1024;

struct SlackSettings : ToolSettings {
  std::string webhook_env;  // or
  std::string token_env;    // with
  std::string channel;
  std::string text = "{text}";
  bool buttons = false;
  std::string base_url;  // without a slash at the end
};

Json parameters() {
  return {{"type", "object"},
          {"properties", {{"text", {{"type", "string"}}}}},
          {"required", Json::array({"text"})}};
}

std::string read_variable(spec::MapReader& in, const char* key) {
  std::string name = in.text(key);
  if (name.empty() || is_value_name(name)) return name;
  in.problem(key, "must be the name of an environment variable, not what it holds");
  return {};
}

void read(ToolReader& reader) {
  auto out = std::make_shared<SlackSettings>();
  spec::MapReader in = reader.in.map("slack");
  out->webhook_env = read_variable(in, "webhook_env");
  out->token_env = read_variable(in, "token_env");
  out->channel = in.text("channel");
  if (in.has("webhook_env") == in.has("token_env")) {
    reader.in.problem("slack", "needs `webhook_env`, or `token_env` with `channel`: one of them");
  } else if (in.has("token_env") && out->channel.empty()) {
    in.missing("channel", "such as C0123456789");
  } else if (in.has("webhook_env") && !out->channel.empty()) {
    in.problem("channel", "an incoming webhook has its channel; remove it");
  }
  check_text(in, "channel", out->channel, reader.tool);
  out->text = in.text("text", out->text);
  check_text(in, "text", out->text, reader.tool);
  out->buttons = in.boolean("buttons", false);
  out->base_url =
      in.text("base_url", out->token_env.empty() ? "https://hooks.slack.com" : "https://slack.com");
  while (out->base_url.ends_with('/')) out->base_url.pop_back();
  if (!is_http_url(out->base_url)) in.problem("base_url", "must start with http:// or https://");
  in.finish();
  if (reader.effect_given && reader.tool.effect != Effect::kAtMostOnce)
    reader.in.problem("effect", "a message to Slack is at_most_once: it knows none again; remove `effect`");
  reader.tool.effect = Effect::kAtMostOnce;
  reader.tool.settings = std::move(out);
}

Json canonical(const ToolSpec& tool) {
  const auto& slack = settings_of<SlackSettings>(tool);
  Json out = {{"text", slack.text}, {"base_url", slack.base_url}};
  if (!slack.webhook_env.empty()) out["webhook_env"] = slack.webhook_env;
  if (!slack.token_env.empty()) out["token_env"] = slack.token_env;
  if (!slack.channel.empty()) out["channel"] = slack.channel;
  if (slack.buttons) out["buttons"] = true;
  return out;
}

Needs needs(const ToolSpec& tool) {
  const auto& slack = settings_of<SlackSettings>(tool);
  const std::string place = place_of(slack.base_url);
  const std::string& name = slack.token_env.empty() ? slack.webhook_env : slack.token_env;
  return {{.kind = Need::Kind::kHost, .name = {}, .url = place},
          {.kind = Need::Kind::kVariable, .name = name, .url = place}};
}

// https://docs.slack.dev/messaging/formatting-message-text: the three characters that mean something.
std::string escaped(std::string text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      default: out += c;
    }
  }
  return out;
}

// Where the message goes, and with what; a secret that leads elsewhere is not followed.
Result<net::HttpRequest> request_of(const SlackSettings& slack, const ToolContext& context) {
  net::HttpRequest request;
  const bool by_token = !slack.token_env.empty();
  const std::string& name = by_token ? slack.token_env : slack.webhook_env;
  auto secret = context.permits->variable(name, slack.base_url);
  if (!secret) return fail(secret.error());
  if (by_token) {
    request.url = slack.base_url + "/api/chat.postMessage";
    request.headers.emplace_back("Authorization", "Bearer " + *secret);
  } else if (secret->starts_with(slack.base_url + "/")) {
    request.url = *secret;
  } else {
    return fail(Code::kInvalidArgument,
                fmt::format("the variable {} holds no URL below {}", name, slack.base_url));
  }
  request.method = "POST";
  request.headers.emplace_back("Content-Type", "application/json; charset=utf-8");
  request.max_response_bytes = kMaxAnswerBytes;
  request.reach = context.permits->reach();
  return request;
}

Json button(const char* words, const char* action, const char* look = nullptr) {
  Json out = {{"type", "button"}, {"text", {{"type", "plain_text"}, {"text", words}}}, {"action_id", action}};
  if (look != nullptr) out["style"] = look;
  return out;
}

// The message, and what can be done about it (https://docs.slack.dev/block-kit): a question is answered on
// the link's page.
Json blocks_of(const std::string& text, const ToolContext& context) {
  const std::string token = context.decide_url.substr(context.decide_url.rfind('/') + 1);
  Json elements = Json::array();
  for (const auto& [words, action, look] : {std::tuple("Approve", "holdfast_approve", "primary"),
                                            std::tuple("Reject", "holdfast_reject", "danger")}) {
    if (context.asks_question) continue;
    elements.push_back(button(words, action, look));
    elements.back()["value"] = token;
  }
  elements.push_back(button(context.asks_question ? "Answer" : "Look", "holdfast_open"));
  elements.back()["url"] = context.decide_url;
  return Json::array(
      {{{"type", "section"}, {"text", {{"type", "mrkdwn"}, {"text", bounded_text(text, kMaxBlockBytes)}}}},
       {{"type", "actions"}, {"elements", std::move(elements)}}});
}

// "1700000000.123456"
bool is_timestamp(std::string_view text) {
  return !text.empty() && text.size() <= 32 &&
         text.find_first_not_of("0123456789.") == std::string_view::npos;
}

ToolEnding run(const ToolSpec& tool, const Json& arguments, const ToolContext& context) {
  const auto& slack = settings_of<SlackSettings>(tool);
  const std::string text = fill_text(slack.text, arguments, escaped);
  if (text.empty()) return {Ending::kFailed, "the message is empty"};
  if (text.size() > kMaxTextBytes)
    return {Ending::kFailed,
            fmt::format("the message has {} bytes, at most {} are allowed", text.size(), kMaxTextBytes)};
  auto request = request_of(slack, context);
  if (!request) return {Ending::kFailed, request.error().message()};
  Json body = {{"text", text}};
  if (!slack.channel.empty()) body["channel"] = fill_text(slack.channel, arguments);
  if (!context.decide_url.empty()) body["unfurl_links"] = false;
  if (!context.decide_url.empty() && slack.buttons) body["blocks"] = blocks_of(text, context);
  if (!slack.token_env.empty() && is_timestamp(context.follows)) body["thread_ts"] = context.follows;
  request->body = dump_json(body);
  request->total_timeout = tool.timeout;
  auto response = net::fetch(*context.http, *std::move(request), context.stop, {kBeatInterval, context.beat});
  if (auto ending = unless_answered(tool, "POST", kMaxAnswerBytes, response, context)) return *ending;
  if (slack.token_env.empty()) return {Ending::kDone, "sent"};
  // It answers 200 to everything; `ok` says whether.
  const Json answer = parse_json(response->body);
  if (!answer.is_object() || !answer.contains("ok"))
    return {Ending::kUnknown, "the answer is none of chat.postMessage"};
  if (answer["ok"] != true)
    return {Ending::kFailed, "Slack refused the message: " + answer.value("error", std::string("no reason"))};
  return {Ending::kDone, dump_json(Json{{"sent", true}, {"ts", answer.value("ts", "")}})};
}

}  // namespace

constinit const ActivityTool kSlackTool({.name = "slack",
                                         .schema = kSchema,
                                         .section_needs = "with `webhook_env`, or `token_env` and `channel`",
                                         .notifies = true,
                                         .parameters = parameters,
                                         .read = read,
                                         .canonical = canonical,
                                         .needs = needs},
                                        run);

}  // namespace holdfast::agent
