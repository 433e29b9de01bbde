#include "otlp/span_json.h"

#include <fmt/format.h>

#include <charconv>

#include "base/json.h"

namespace holdfast::otlp {

namespace {

using runs::SpanKind;
using runs::SpanStatus;
using runs::TraceSpan;

enum : int { kInternal = 1, kClient = 3 };       // Span.SpanKind
enum : int { kStatusOk = 1, kStatusError = 2 };  // Status.StatusCode

class Attributes {
 public:
  void text(const char* key, std::string_view value) {
    if (!value.empty()) add(key, {{"stringValue", value}});
  }
  // In JSON, 64-bit numbers are texts.
  void number(const char* key, std::int64_t value) { add(key, {{"intValue", std::to_string(value)}}); }
  void real(const char* key, double value) { add(key, {{"doubleValue", value}}); }
  void flag(const char* key, bool value) { add(key, {{"boolValue", value}}); }
  void texts(const char* key, const std::vector<std::string>& values) {
    Json list = Json::array();
    for (const std::string& value : values) list.push_back({{"stringValue", value}});
    add(key, {{"arrayValue", {{"values", std::move(list)}}}});
  }
  Json take() { return std::move(all_); }

 private:
  void add(const char* key, Json value) { all_.push_back({{"key", key}, {"value", std::move(value)}}); }
  Json all_ = Json::array();
};

std::string text_at(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string nanoseconds(WallTime time) {
  return std::to_string(time.time_since_epoch().count());
}

void add_server(Attributes& out, const std::string& server) {
  if (server.empty()) return;
  const std::size_t colon = server.rfind(':');
  const bool has_port = colon != std::string::npos && server.find(']', colon) == std::string::npos;
  out.text("server.address", server.substr(0, has_port ? colon : server.size()));
  std::int64_t port = 443;
  if (has_port) std::from_chars(server.data() + colon + 1, server.data() + server.size(), port);
  out.number("server.port", port);
}

void add_usage(Attributes& out, const Json& usage) {
  if (!usage.is_object()) return;
  const std::pair<const char*, const char*> names[] = {
      {"input_tokens", "gen_ai.usage.input_tokens"},
      {"output_tokens", "gen_ai.usage.output_tokens"},
      {"cached_input_tokens", "gen_ai.usage.cache_read.input_tokens"},
      {"cache_write_tokens", "gen_ai.usage.cache_write.input_tokens"},
      {"reasoning_tokens", "gen_ai.usage.reasoning.output_tokens"}};
  for (const auto& [ours, theirs] : names) {
    const auto found = usage.find(ours);
    if (found != usage.end() && found->is_number_integer()) out.number(theirs, found->get<std::int64_t>());
  }
}

void add_cost(Attributes& out, const Json& more) {
  const auto cost = more.find("cost");
  if (cost == more.end() || !cost->is_object()) return;
  double usd = 0;
  const std::string text = text_at(*cost, "usd");
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), usd);
  if (bad == std::errc() && !text.empty()) out.real("holdfast.cost.usd", usd);
}

// One message as the conventions' schema has it.
Json message_json(const char* role, const std::string& text, const Json& calls, const std::string& finish) {
  Json parts = Json::array();
  if (!text.empty()) parts.push_back({{"type", "text"}, {"content", text}});
  if (calls.is_array()) {
    for (const Json& call : calls) {
      Json part = {{"type", "tool_call"}, {"name", text_at(call, "name")}};
      const std::string arguments = text_at(call, "arguments");
      const Json read = parse_json<Json>(arguments);
      part["arguments"] = read.is_discarded() ? Json(arguments) : read;
      parts.push_back(std::move(part));
    }
  }
  Json out = {{"role", role}, {"parts", std::move(parts)}};
  if (!finish.empty()) out["finish_reason"] = finish;
  return Json::array({std::move(out)});
}

void describe_run(Attributes& out, const TraceSpan& span, bool content) {
  out.text("gen_ai.operation.name", "invoke_agent");
  out.text("gen_ai.agent.version", text_at(span.more, "version"));
  out.text("holdfast.run.status", text_at(span.more, "status"));
  out.text("holdfast.run.reason", text_at(span.more, "reason"));
  out.text("holdfast.run.origin", text_at(span.more, "origin"));
  if (span.more.contains("iterations") && span.more["iterations"].is_number_integer())
    out.number("holdfast.run.iterations", span.more["iterations"].get<std::int64_t>());
  if (span.more.contains("usage")) add_usage(out, span.more["usage"]);
  if (!content) return;
  out.text("gen_ai.input.messages", dump_json(message_json("user", text_at(span.content, "input"), {}, "")));
  out.text("gen_ai.output.messages",
           dump_json(message_json("assistant", text_at(span.content, "output"), {}, "")));
}

void describe_model(Attributes& out, const TraceSpan& span, bool content) {
  const std::string model = text_at(span.more, "model");
  out.text("gen_ai.operation.name", "chat");
  out.text("gen_ai.provider.name", provider_name(text_at(span.more, "provider")));
  out.text("gen_ai.request.model", model.empty() ? span.name : model);
  out.flag("gen_ai.request.stream", true);
  if (const std::string stop = text_at(span.more, "stop"); !stop.empty())
    out.texts("gen_ai.response.finish_reasons", {stop});
  if (span.more.contains("usage")) add_usage(out, span.more["usage"]);
  add_cost(out, span.more);
  add_server(out, text_at(span.more, "server"));
  if (span.more.contains("http_status") && span.more["http_status"].is_number_integer())
    out.number("http.response.status_code", span.more["http_status"].get<std::int64_t>());
  if (span.more.contains("queued_ms"))
    out.number("holdfast.queued_ms", span.more["queued_ms"].get<std::int64_t>());
  if (span.more.contains("instead_of") && span.more["instead_of"].is_array()) {
    std::vector<std::string> others;
    for (const Json& other : span.more["instead_of"])
      others.push_back(fmt::format("{}: {}", text_at(other, "name"), text_at(other, "why")));
    out.texts("holdfast.instead_of", others);
  }
  if (content && span.status == SpanStatus::kOk) {
    const auto calls = span.content.find("tool_calls");
    out.text("gen_ai.output.messages", dump_json(message_json("assistant", text_at(span.content, "text"),
                                                              calls == span.content.end() ? Json() : *calls,
                                                              text_at(span.more, "stop"))));
  }
}

void describe_tool(Attributes& out, const TraceSpan& span, bool content) {
  out.text("gen_ai.operation.name", "execute_tool");
  out.text("gen_ai.tool.name", span.name);
  out.text("gen_ai.tool.call.id", text_at(span.more, "key"));
  const std::string type = span.kind == SpanKind::kAgent ? "agent" : text_at(span.more, "type");
  out.text("gen_ai.tool.type", type == "sql" || type == "memory" ? "datastore" : "function");
  out.text("holdfast.tool.type", type);
  out.text("holdfast.sub_agent.run", span.kind == SpanKind::kAgent ? text_at(span.more, "run") : "");
  if (!content) return;
  out.text("gen_ai.tool.call.arguments", text_at(span.content, "arguments"));
  out.text("gen_ai.tool.call.result", text_at(span.content, "result"));
}

void describe_waiting(Attributes& out, const TraceSpan& span) {
  out.text("holdfast.approval.outcome", text_at(span.more, "outcome"));
  out.text("holdfast.approval.tool", span.kind == SpanKind::kApproval ? span.name : "");
  out.text("holdfast.hold.reason", span.kind == SpanKind::kHold ? text_at(span.more, "reason") : "");
}

std::string name_of(const TraceSpan& span) {
  switch (span.kind) {
    case SpanKind::kRun: return "invoke_agent " + span.name;
    case SpanKind::kModel: return "chat " + span.name;
    case SpanKind::kCompaction: return "chat " + text_at(span.more, "model");
    case SpanKind::kTool:
    case SpanKind::kAgent: return "execute_tool " + span.name;
    case SpanKind::kApproval: return "approval " + span.name;
    case SpanKind::kHold: return span.name;
  }
  return span.name;
}

Json status_of(const TraceSpan& span, bool content) {
  if (span.status == SpanStatus::kOk) return Json::object();
  Json out = {{"code", kStatusError}};
  // What a tool answered is content; what went wrong at a provider is not.
  const bool told = span.error_type == "ToolError" && !content;
  if (!told && !span.error.empty()) out["message"] = span.error;
  return out;
}

}  // namespace

std::string_view provider_name(std::string_view provider) {
  if (provider == "gemini") return "gcp.gemini";
  if (provider.starts_with("openai")) return "openai";
  return provider;
}

Json span_json(const platform::TraceContext& trace, std::string_view run, const TraceSpan& span,
               const std::string& agent, const std::string& conversation, bool content) {
  Attributes attributes;
  bool client = false;
  switch (span.kind) {
    case SpanKind::kRun: describe_run(attributes, span, content); break;
    case SpanKind::kModel:
    case SpanKind::kCompaction:
      describe_model(attributes, span, content);
      client = true;
      break;
    case SpanKind::kTool:
    case SpanKind::kAgent: describe_tool(attributes, span, content); break;
    case SpanKind::kApproval:
    case SpanKind::kHold: describe_waiting(attributes, span); break;
  }
  attributes.text("gen_ai.agent.name", agent);
  attributes.text("gen_ai.conversation.id", conversation);
  attributes.text("holdfast.run.id", run);
  if (span.step != 0) attributes.number("holdfast.step", span.step);
  if (span.attempt != 0) attributes.number("holdfast.attempt", span.attempt);
  if (span.status != SpanStatus::kOk) {
    const bool named = !span.error_type.empty();
    attributes.text("error.type", named ? span.error_type : std::string(to_string(span.status)));
  }
  Json out = {{"traceId", trace.trace_id}, {"spanId", runs::span_id_of(trace, run, span)}};
  const std::string parent = runs::parent_id_of(trace, run, span);
  if (!parent.empty()) out["parentSpanId"] = parent;
  if (!trace.state.empty()) out["traceState"] = trace.state;
  out["flags"] = trace.sampled ? 1 : 0;
  out["name"] = name_of(span);
  out["kind"] = client ? kClient : kInternal;
  out["startTimeUnixNano"] = nanoseconds(span.begun);
  out["endTimeUnixNano"] = nanoseconds(span.ended.value_or(span.begun));
  out["attributes"] = attributes.take();
  out["status"] = status_of(span, content);
  return out;
}

std::string request_json(const Settings& settings, std::string_view version,
                         const std::vector<std::string>& spans) {
  Attributes resource;
  resource.text("service.name", settings.service_name);
  resource.text("service.version", version);
  Json attributes = resource.take();
  for (const auto& [name, value] : settings.resource)
    attributes.push_back({{"key", name}, {"value", {{"stringValue", value}}}});
  const Json head = {{"attributes", std::move(attributes)}};
  const Json scope = {{"name", "holdfast"}, {"version", version}};
  std::string out = R"({"resourceSpans":[{"resource":)" + dump_json(head) + R"(,"scopeSpans":[{"scope":)" +
                    dump_json(scope) + R"(,"spans":[)";
  for (std::size_t i = 0; i < spans.size(); ++i) {
    if (i > 0) out += ',';
    out += spans[i];
  }
  return out + "]}]}]}";
}

}  // namespace holdfast::otlp
