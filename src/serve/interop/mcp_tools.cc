// The agents as tools.

#include <fmt/format.h>

#include "base/base64.h"
#include "interop/agent_words.h"
#include "interop/mcp_answers.h"
#include "protocol/flow_run.h"

namespace holdfast::interop {

namespace {

constexpr std::uint32_t kToolsPage = 50;
constexpr std::string_view kCursor = "tools/list:";  // and then the last name: no other list's cursor is one

Json output_schema() {
  return {
      {"type", "object"},
      {"properties",
       {{"run", {{"type", "string"}, {"description", "the run's id"}}},
        {"status", {{"type", "string"}, {"description", "completed, input_required, failed, canceled, ..."}}},
        {"output", {{"type", "string"}}},
        {"error", {{"type", "string"}}},
        {"approvals", {{"type", "array"}, {"items", {{"type", "object"}}}}}}},
      {"required", {"run", "status"}}};
}

Json tool_of(const platform::Definition& definition) {
  Json properties = {{"input", {{"type", "string"}, {"description", "what the agent is to do"}}},
                     {"conversation",
                      {{"type", "string"},
                       {"description", "goes on in the conversation of that name; left out: a new one"}}},
                     {"context",
                      {{"type", "object"},
                       {"description", "values to which the agent's tools are bound, if it asks for them"}}}};
  return {{"name", definition.name},
          {"title", definition.name},
          {"description", description_of(definition)},
          {"inputSchema",
           {{"type", "object"},
            {"properties", std::move(properties)},
            {"required", {"input"}},
            {"additionalProperties", false}}},
          {"outputSchema", output_schema()}};
}

Json run_tool() {
  return {
      {"name", kRunTool},
      {"title", "Wait for a run"},
      {"description",
       "Waits for a run that an earlier call has started and gives its answer: after a person has decided, "
       "or when the connection of that call broke."},
      {"inputSchema",
       {{"type", "object"},
        {"properties", {{"run", {{"type", "string"}, {"description", "the run's id"}}}}},
        {"required", {"run"}},
        {"additionalProperties", false}}},
      {"outputSchema", output_schema()},
      {"annotations", {{"readOnlyHint", true}}}};
}

}  // namespace

std::expected<Json, RpcError> list_tools(const Host& host, const McpPeer& peer, const Json& params) {
  std::string after;
  if (params.contains("cursor")) {
    const auto read = from_base64url(text_member(params, "cursor"));
    if (!read || !read->starts_with(kCursor))
      return std::unexpected(
          RpcError{kInvalidParams, "the cursor is not one of ours: list from the beginning"});
    after = read->substr(kCursor.size());
  }
  auto definitions = host.store->definitions(after, kToolsPage);
  if (!definitions) return std::unexpected(RpcError{kInternalError, definitions.error().message()});
  Json tools = Json::array();
  if (after.empty()) tools.push_back(run_tool());
  std::size_t bytes = 0;
  for (const platform::Definition& one : *definitions) {
    bytes += one.text.size();
    if (!protocol::is_flow(one.name)) tools.push_back(tool_of(one));
  }
  Json out = {{"tools", std::move(tools)}};
  if (definitions->size() == kToolsPage || bytes >= platform::kMaxListedText)
    out["nextCursor"] = base64url(std::string(kCursor) + definitions->back().name);
  if (peer.stateless()) {
    out["ttlMs"] = 5'000;
    out["cacheScope"] = "private";
  }
  return out;
}

}  // namespace holdfast::interop
