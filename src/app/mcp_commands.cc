// holdfast mcp: what a server of the Model Context Protocol offers, and a call of it, for whoever writes
// `mcp_servers` into a definition. It speaks to the server itself, with the client that agents use.

#include <fmt/format.h>

#include <cstdlib>

#include "app/commands.h"
#include "app/exit_code.h"
#include "app/output.h"
#include "app/outside.h"
#include "app/printable.h"
#include "base/json.h"
#include "definition/mcp_servers.h"
#include "grant/grants.h"
#include "os/clock.h"
#include "os/thread_executor.h"

namespace holdfast::app {

namespace {

using nlohmann::json;

constexpr std::chrono::seconds kPatience{60};

Result<std::pair<std::string, std::string>> pair_of(const std::string& text, char between) {
  const std::size_t at = text.find(between);
  if (at == std::string::npos || at == 0)
    return fail(Code::kInvalidArgument, fmt::format("`{}` is not NAME{}VALUE", text, between));
  std::size_t value = at + 1;
  while (between == ':' && value < text.size() && text[value] == ' ') ++value;
  return std::pair(text.substr(0, at), text.substr(value));
}

// The command line as the section of a definition, which is then read as one: the same is valid in both.
Result<std::shared_ptr<const agent::McpServer>> server_of(const McpOptions& options) {
  json entry = {{"name", "server"}, {"timeout", "60s"}, {"max_response_bytes", agent::kMaxMcpAnswerBytes}};
  if (options.target.front().find("://") != std::string::npos) {
    entry["url"] = options.target.front();
  } else {
    entry["command"] = options.target;
  }
  for (const std::string& text : options.headers) {
    auto header = pair_of(text, ':');
    if (!header) return fail(header.error());
    entry["headers"][header->first] = header->second;
  }
  for (const std::string& text : options.environment) {
    auto variable = pair_of(text, '=');
    if (!variable) return fail(variable.error());
    entry["env"][variable->first] = variable->second;
  }
  spec::YamlProblems problems("command line");
  spec::MapReader reader(problems, YAML::Load(dump_json(json{{"mcp_servers", json::array({entry})}})), "");
  agent::McpServers servers = agent::read_mcp_servers(reader);
  if (!problems.empty()) return fail(problems.status());
  return servers.front();
}

json listing_json(const mcp::Listing& listing) {
  json out = {{"tools", json::array()}, {"left_out", listing.left_out}};
  for (const mcp::ListedTool& tool : listing.tools) {
    out["tools"].push_back({{"name", tool.name},
                            {"description", tool.description},
                            {"parameters", tool.parameters},
                            {"sha256", tool.sha256},
                            {"claimed_effect", to_string(tool.claimed)}});
  }
  return out;
}

void print_listing(const mcp::Listing& listing) {
  for (const mcp::ListedTool& tool : listing.tools) {
    std::string about = tool.description.substr(0, tool.description.find('\n'));
    print_line(printable(fmt::format("{:<32} {}", tool.name, about)));
  }
  for (const std::string& why : listing.left_out) complain("left out: " + printable(why));
}

// The listing goes before a call: what is called is what was seen.
int call(mcp::Client& client, const std::shared_ptr<const agent::McpServer>& server,
         const McpOptions& options, const mcp::Listing& listing, const mcp::Access& access) {
  mcp::ToolCall call;
  call.tool = *options.call;
  auto arguments = read_json(options.arguments, kMaxJsonDepth, Integers::kExact);
  if (!arguments || !arguments->is_object()) {
    return refuse({Code::kInvalidArgument, "--arguments must be a JSON object" +
                                               (arguments ? "" : ": " + std::string(arguments.error().message()))});
  }
  call.arguments = *std::move(arguments);
  call.idempotency_key = "holdfast-mcp";
  for (const mcp::ListedTool& tool : listing.tools) {
    if (tool.name != call.tool) continue;
    call.sha256 = tool.sha256;
    call.headers = tool.headers;
  }
  auto answer = client.call(server, call, access);
  if (!answer) return refuse(answer.error().status());
  print_line(options.json ? dump_json(json{{"text", answer->text}, {"is_error", answer->is_error}})
                          : printable(answer->text));
  return answer->is_error ? kExitError : kExitOk;
}

}  // namespace

int mcp_command(const McpOptions& options) {
  auto server = server_of(options);
  if (!server) return refuse(server.error());
  const os::SystemClock clock;
  os::SystemRandom random;
  const Environment environment(
      clock, random, [](const std::string& name) { return std::make_unique<os::ThreadExecutor>(name); });
  Outside outside(environment);
  const grant::Grants grants([](const char* name) -> const char* { return std::getenv(name); });
  const auto permits = grants.naming(agent::needs_of(**server));
  mcp::Access access;
  access.clock = &clock;
  access.permits = permits.get();
  access.deadline = clock.monotonic() + kPatience;
  auto listing = outside.mcp().list(*server, access);
  if (!listing) return refuse(listing.error().status());
  if (options.call) return call(outside.mcp(), *server, options, *listing, access);
  if (options.json) {
    print_line(dump_json(listing_json(*listing)));
  } else {
    print_listing(*listing);
  }
  return kExitOk;
}

}  // namespace holdfast::app
