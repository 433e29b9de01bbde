#pragma once

// The section `mcp_servers` of agent.yaml: servers of the Model Context Protocol whose tools the agent gets.
//
//   mcp_servers:
//     - name: tickets                          # its tools are called tickets__create, ...
//       url: https://mcp.example.com/mcp       # streamable HTTP
//       headers: {Authorization: "Bearer ${TICKETS_TOKEN}"}
//       tools: {allow: [search, create], effects: {search: pure}}
//     - name: files
//       command: [/usr/bin/mcp-files, /srv/docs]   # standard streams, no shell
//       env: {FILES_TOKEN: "${FILES_TOKEN}"}       # all that the program gets to see of the environment
//
// What tools there are is asked when the definition is applied (activities/mcp_tools.h); the stored form
// names each of them in `tools`, as `type: mcp`, pinned by a hash. Values and pure functions.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "definition/auth_spec.h"
#include "definition/need.h"
#include "protocol/activities.h"
#include "spec/yaml_reader.h"

namespace holdfast::agent {

inline constexpr std::size_t kMaxMcpServers = 16;
inline constexpr std::size_t kMaxMcpAnswerBytes = 16 << 20;

struct McpServer {
  std::string name;
  std::string url;                                  // streamable HTTP; else
  std::vector<std::string> command;                 // the program's path and its arguments
  std::map<std::string, std::string> headers;       // with `url`; values may name ${VARIABLES}
  std::map<std::string, std::string> environment;   // with `command`; the same
  std::optional<AuthSpec> auth;                     // with `url`
  std::vector<std::string> allow;                   // names as the server has them; empty: all of its tools
  std::map<std::string, protocol::Effect> effects;  // by such a name, or "*"
  bool trust_annotations = false;                   // what the server says of its tools' effects counts
  std::chrono::milliseconds timeout{30000};         // of one call
  std::size_t max_response_bytes = 1 << 20;         // of one answer, or of a list of tools

  bool allows(std::string_view tool) const;
};
using McpServers = std::vector<std::shared_ptr<const McpServer>>;

McpServers read_mcp_servers(spec::MapReader& spec);
nlohmann::json mcp_server_json(const McpServer& server);
// JSON Schema of the list.
std::string mcp_servers_schema();
const McpServer* find_server(const McpServers& servers, std::string_view name);
// The server whose tool such a name is: "tickets__create". Null: none of these.
const McpServer* server_of_tool(const McpServers& servers, std::string_view tool);

// "SERVER__TOOL" in letters that every provider takes, 64 at most: other characters become `_`, and a name
// that this changed ends in a part of its hash.
std::string mcp_tool_name(const McpServer& server, std::string_view tool);

// What talking to it uses of the machine.
Needs needs_of(const McpServer& server);
// A command line as a grant and a need write it: a JSON list, no blank in it.
std::string command_text(const std::vector<std::string>& command);

}  // namespace holdfast::agent
