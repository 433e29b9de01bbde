// /api/v1/audit/messages: what the end of a run certifies, as rows of the record: each prompt, answer and
// result of a tool with who said it, as long as the conversation is kept.

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/sha256.h"
#include "http/api_context.h"
#include "platform/audit_rules.h"

namespace holdfast::http {

namespace {

namespace rules = platform::rules;

constexpr std::uint32_t kUsualPage = 100;
// A turn has no more calls: as many answers stand behind the message that asks for them.
constexpr std::uint64_t kMostAnswers = 64;

// What the record has about the run.
struct Certified {
  platform::Reference last;
  std::uint64_t first = 0;
  std::string starter{rules::kServerActor};
  std::string agent;
  std::map<std::string, std::string> senders;  // by the hash of what they sent
};

std::optional<Certified> certified(const std::vector<platform::AuditRow>& rows) {
  Certified out;
  bool ended = false;
  for (const platform::AuditRow& row : rows) {  // newest first
    const Json detail = parse_or_string<Json>(row.detail);
    if (!detail.is_object()) continue;
    if (row.action == platform::kRunStarted) out.starter = row.actor;
    if (row.action == platform::kRunMessage) out.senders[detail.value("text_sha256", "")] = row.actor;
    if (row.action != platform::kRunEnded || ended || !detail.contains("conversation")) continue;
    ended = true;
    out.agent = detail.value("agent", "");
    out.last.conversation = detail.value("conversation", "");
    out.last.branch = detail.value("branch", 0U);
    out.last.sequence = detail.value("last", std::uint64_t{0});
    out.last.sha256 = detail.value("sha256", "");
    out.first = detail.value("first", std::uint64_t{0});
  }
  return ended ? std::optional(std::move(out)) : std::nullopt;
}

std::string text_of(const Json& message) {
  std::string out;
  const auto content = message.find("content");
  if (content == message.end() || !content->is_array()) return out;
  for (const Json& part : *content) {
    if (part.is_object() && part.value("type", "") == "text") out += part.value("text", "");
  }
  return out;
}

// Names of tools by the ids of their calls, as far as they were read.
using Calls = std::map<std::string, std::string>;

void note_calls(const Json& message, Calls& calls) {
  const auto asked = message.find("tool_calls");
  if (asked == message.end() || !asked->is_array()) return;
  for (const Json& call : *asked) calls[call.value("id", "")] = call.value("name", "");
}

std::string speaker(const Certified& run, const Calls& calls, const std::string& role, const Json& message,
                    const std::string& text, bool is_first) {
  if (role == "assistant") return rules::actor_of_agent(run.agent);
  if (role == "tool") {
    const auto call = calls.find(message.value("tool_call_id", ""));
    return rules::actor_of_tool(call == calls.end() ? "" : call->second);
  }
  if (is_first) return run.starter;
  const auto sender = run.senders.find(sha256_hex(text));
  return sender == run.senders.end() ? std::string(rules::kServerActor) : sender->second;
}

Json row_of(const std::string& run, const Certified& certified, const Calls& calls,
            const platform::Message& stored, const Json& message) {
  const std::string role = message.value("role", "user");
  const std::string text = text_of(message);
  return {{"at", iso_time(stored.at)},
          {"principal", speaker(certified, calls, role, message, text, stored.sequence == certified.first)},
          {"kind", "message." + role},
          {"subject", run},
          {"detail",
           {{"role", role},
            {"conversation", certified.last.conversation},
            {"branch", stored.branch},
            {"sequence", stored.sequence},
            {"sha256", stored.chain_sha256},
            {"text", text},
            {"message", message}}}};
}

// As many as fit into one answer.
Result<std::vector<platform::Message>> read_some(platform::Store& store, const platform::Reference& at,
                                                 std::uint64_t first, std::uint64_t last) {
  while (true) {
    auto read = store.read(at, first, last);
    if (read || read.error().code() != Code::kResourceExhausted || first == last) return read;
    last = first + (last - first) / 2;
  }
}

Response show_messages(ApiContext& context, Request& request) {
  if (auto problem = not_everywhere(context, request)) return problem->response();
  const std::string run(request.query_value("run").value_or(""));
  if (run.empty()) return Problem(400, "missing_parameter", "'run' is missing").response();
  auto limit = number_parameter(request, "limit", kUsualPage, 1, platform::kMaxPage);
  if (!limit) return limit.error().response();
  auto after = place_parameter(request);
  if (!after) return after.error().response();
  const auto rows = context.store().audit_rows(run, platform::kMaxPage);
  if (!rows) return Problem::from(rows.error()).response();
  Json out = {{"rows", Json::array()}, {"next_cursor", nullptr}};
  const auto known = certified(*rows);
  if (!known || known->first == 0) return json_response(out);
  const std::uint64_t first = std::max(known->first, *after + 1);
  if (first > known->last.sequence) return json_response(out);
  const std::uint64_t last = std::min<std::uint64_t>(known->last.sequence, first + *limit - 1);
  auto page = read_some(context.store(), known->last, first, last);
  if (!page && page.error().code() == Code::kNotFound) return json_response(out);
  if (!page) return Problem::from(page.error()).response();
  Calls calls;
  // Whose result it is stands before it, perhaps on the page before.
  if (first > known->first) {
    const std::uint64_t from = std::max(known->first, first - std::min(first, kMostAnswers + 1));
    auto before = read_some(context.store(), known->last, from, first - 1);
    if (before) {
      for (const platform::Message& one : *before) note_calls(parse_or_string<Json>(one.json), calls);
    }
  }
  for (const platform::Message& stored : *page) {
    const Json message = parse_or_string<Json>(stored.json);
    if (!message.is_object()) continue;
    note_calls(message, calls);
    out["rows"].push_back(row_of(run, *known, calls, stored, message));
  }
  if (!page->empty() && page->back().sequence < known->last.sequence)
    out["next_cursor"] = cursor_of(request.path, std::to_string(page->back().sequence));
  return json_response(out);
}

}  // namespace

void add_audit_message_routes(Router& router, ApiContext& context) {
  router.add("GET", "/api/v1/audit/messages", Permission::kAdmin, context.answering(show_messages),
             {"run", "limit", "cursor"});
}

}  // namespace holdfast::http
