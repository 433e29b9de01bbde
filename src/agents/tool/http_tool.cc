// `type: http`. Sends `Idempotency-Key`. Placeholders are filled, the rest of the arguments goes into query
// (GET, HEAD, DELETE) or JSON body when the tool gives no body of its own. Redirects are not followed.

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "base/json.h"
#include "base/url.h"
#include "definition/names.h"
#include "net/fetch.h"
#include "oauth/tokens.h"
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
  "required": ["url"],
  "properties": {
    "method": {"enum": ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]},
    "url": {"type": "string", "pattern": "^https?://"},
    "headers": {"type": "object", "additionalProperties": {"type": "string"}},
    "body": {},
    "auth": {"type": "object", "required": ["type", "token_url", "client_id_env"], "description": "OAuth 2: a token for this server."},
    "max_response_bytes": {"type": "integer", "minimum": 1, "maximum": 67108864}
  }
})json";

struct HttpSettings : WrittenSection {
  void write(Written& section) const override {
    if (!body.is_null()) section["body"] = body;
  }

  std::string method = "GET";
  std::string url;  // `{argument}` placeholders in path and query only, percent-encoded when filled
  std::map<std::string, std::string> headers;  // values may name `${ENVIRONMENT}` variables, read at the call
  Written body;  // template: `{argument}` inside strings; null: the arguments the URL does not use
  std::optional<AuthSpec> auth;
  std::size_t max_response_bytes = 64 * 1024;
};

void read_effect(ToolReader& reader, const std::string& method) {
  const bool reads = method == "GET" || method == "HEAD";
  if (reader.effect_given) {
    if (reader.tool.effect == Effect::kTransactional) {
      reader.in.problem("effect",
                        "an HTTP call cannot be transactional; use idempotent (the receiver honours the "
                        "Idempotency-Key header) or at_most_once");
    }
  } else if (reads) {
    reader.tool.effect = Effect::kPure;
  } else {
    reader.in.missing("effect",
                      fmt::format("idempotent if the receiver of this {} honours the Idempotency-Key header, "
                                  "at_most_once if not, pure if it changes nothing",
                                  method));
  }
}

void read(ToolReader& reader) {
  auto out = std::make_shared<HttpSettings>();
  const Json parameters = usable_parameters(reader.tool);
  spec::MapReader in = reader.in.map("http");
  static const std::vector<std::string_view> kMethods = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"};
  if (auto method = in.choice("method", kMethods)) out->method = kMethods[*method];
  out->url = in.required_text("url");
  if (!out->url.empty()) {
    if (!is_http_url(out->url)) in.problem("url", "must start with http:// or https://");
    auto url = spec::UrlTemplate::parse(out->url);
    if (!url) {
      in.problem("url", url.error().message());
    } else {
      check_declared(in, "url", url->arguments(), parameters);
    }
  }
  for (auto& [name, value] : in.text_map("headers")) {
    if (name.find_first_of("\r\n: ") != std::string::npos ||
        value.find_first_of("\r\n") != std::string::npos) {
      in.problem("headers", fmt::format("`{}` is no valid header", name));
    }
    out->headers[name] = value;
  }
  out->auth = read_auth(in);
  const Json body = in.json("body");
  check_declared(in, "body", spec::body_arguments(body), parameters);
  out->body = spec::in_order(body, in.child("body"));
  out->max_response_bytes =
      static_cast<std::size_t>(in.integer("max_response_bytes", 64 * 1024, 1, 64 << 20));
  in.finish();
  const bool reads = out->method == "GET" || out->method == "HEAD";
  if (reads && !out->body.is_null()) in.problem("body", fmt::format("a {} request has no body", out->method));
  read_effect(reader, out->method);
  reader.tool.settings = std::move(out);
}

Json canonical(const ToolSpec& tool) {
  const auto& http = settings_of<HttpSettings>(tool);
  Json out = {{"method", http.method}, {"url", http.url}, {"max_response_bytes", http.max_response_bytes}};
  if (!http.headers.empty()) out["headers"] = http.headers;
  if (!http.body.is_null()) out["body"] = Json(http.body);
  if (http.auth) out["auth"] = auth_json(*http.auth);
  return out;
}

Needs needs(const ToolSpec& tool) {
  const auto& http = settings_of<HttpSettings>(tool);
  const std::string place = place_of(http.url);
  Needs out = {{.kind = Need::Kind::kHost, .name = {}, .url = place}};
  for (const auto& [unused, value] : http.headers) {
    for (std::string& name : spec::environment_names(value))
      out.push_back({.kind = Need::Kind::kVariable, .name = std::move(name), .url = place});
  }
  if (http.auth) add_needs(*http.auth, out);
  return out;
}

// ---- a call

Written unused_arguments(const Written& arguments, const std::vector<std::string>& used) {
  Written rest = Written::object();
  for (const auto& [name, value] : arguments.items()) {
    // Its operator[] looks through all names for each new one.
    if (std::find(used.begin(), used.end(), name) == used.end())
      rest.get_ref<Written::object_t&>().emplace_back(name, value);
  }
  return rest;
}

// The name of a member that the query of `url` has already: of two servers one takes the first, another the
// last, and so would let the arguments override what the definition says.
std::optional<std::string> fixed_by_query(std::string_view url, const Written& values) {
  const std::size_t query = url.find('?');
  if (query == std::string_view::npos) return std::nullopt;
  for (std::string_view rest = url.substr(query + 1); !rest.empty();) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const std::string_view fixed = pair.substr(0, pair.find('='));
    for (const auto& [name, value] : values.items()) {
      if (!value.is_null() && (fixed == name || fixed == percent_encode(name))) return name;
    }
  }
  return std::nullopt;
}

void append_query(std::string& url, const Written& values) {
  for (const auto& [name, value] : values.items()) {
    if (value.is_null()) continue;
    url += url.find('?') == std::string::npos ? '?' : '&';
    url += percent_encode(name) + "=" +
           percent_encode(value.is_string() ? value.get<std::string>() : dump_json(value));
  }
}

Result<net::HttpRequest> build_request(const ToolSpec& tool, const Json& arguments,
                                       const ToolContext& context) {
  const auto& http = settings_of<HttpSettings>(tool);
  auto url = spec::UrlTemplate::parse(http.url);
  if (!url) return fail(url.error());
  auto filled = url->fill(usable_arguments(arguments, context));
  if (!filled) return fail(filled.error());
  net::HttpRequest request;
  request.method = http.method;
  request.url = *filled;
  request.total_timeout = tool.timeout;
  request.max_response_bytes = http.max_response_bytes;
  request.reach = context.permits->reach();
  const auto lookup = [&](const std::string& name) { return context.permits->variable(name, request.url); };
  for (const auto& [name, value] : http.headers) {
    auto text = spec::fill_environment(value, lookup);
    if (!text) return fail(text.error());
    request.headers.emplace_back(name, *text);
  }
  request.headers.emplace_back("Idempotency-Key", context.idempotency_key);
  add_completion_headers(context, request.headers);
  const Written written = written_arguments(arguments, context);
  const Written rest = unused_arguments(written, url->arguments());
  const bool bodiless = http.method == "GET" || http.method == "HEAD" || http.method == "DELETE";
  if (!http.body.is_null()) {
    request.body = dump_json(spec::fill_body(http.body, usable_arguments(written, context)));
  } else if (bodiless) {
    request.url.resize(std::min(request.url.size(), request.url.find('#')));  // which is never sent
    if (const auto name = fixed_by_query(request.url, rest)) {
      return fail(
          Code::kInvalidArgument,
          fmt::format("the argument `{}` cannot be given: the URL of the tool says it already", *name));
    }
    append_query(request.url, rest);
  } else {
    request.body = dump_json(rest);
  }
  if (!request.body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  return request;
}

// Nothing was sent yet. Empty: the tool has no `auth`.
std::expected<std::string, ToolEnding> token_for(const ToolSpec& tool, const ToolContext& context) {
  const auto& http = settings_of<HttpSettings>(tool);
  if (!http.auth) return "";
  if (context.tokens == nullptr)
    return std::unexpected(ToolEnding(Ending::kFailed, "this worker gets no tokens"));
  oauth::TokenCall call;
  call.http = context.http;
  call.permits = context.permits;
  call.stop = context.stop;
  call.heartbeat = {kBeatInterval, context.beat};
  call.timeout = tool.timeout;
  auto token = context.tokens->get(*http.auth, call);
  if (token) return *std::move(token);
  const bool later = token.error().code() == Code::kUnavailable && tool.effect != Effect::kAtMostOnce;
  return std::unexpected(ToolEnding(later ? Ending::kRetry : Ending::kFailed, token.error().message()));
}

ToolEnding run(const ToolSpec& tool, const Json& arguments, const ToolContext& context) {
  auto request = build_request(tool, arguments, context);
  if (!request) return {Ending::kFailed, request.error().message()};
  const std::string method = request->method;
  const std::size_t most = request->max_response_bytes;
  const auto send = [&](const std::string& token) {
    net::HttpRequest one = *request;
    if (!token.empty()) one.headers.emplace_back("Authorization", "Bearer " + token);
    return net::fetch(*context.http, std::move(one), context.stop, {kBeatInterval, context.beat});
  };
  auto token = token_for(tool, context);
  if (!token) return token.error();
  auto response = send(*token);
  // A token may be taken back before its time. What was refused for it was not done.
  if (!token->empty() && (response ? *response : response.error().received).head.status == 401) {
    context.tokens->refused(*token);
    token = token_for(tool, context);
    if (!token) return token.error();
    response = send(*token);
  }
  if (auto ending = unless_answered(tool, method, most, response, context)) return *ending;
  return answered_with(tool, *response, context);
}

}  // namespace

constinit const ActivityTool kHttpTool({.name = "http",
                                        .schema = kSchema,
                                        .section_needs = "with `url`",
                                        .has_effect = true,
                                        .hands_out_tokens = true,
                                        .read = read,
                                        .canonical = canonical,
                                        .needs = needs},
                                       run);

}  // namespace holdfast::agent
