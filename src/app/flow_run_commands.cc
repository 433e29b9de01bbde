#include "app/flow_run_commands.h"

#include <fmt/format.h>

#include "app/api_session.h"
#include "app/definition_file.h"
#include "app/exit_code.h"
#include "app/input_file.h"
#include "app/output.h"
#include "app/printable.h"
#include "base/json.h"
#include "base/text.h"
#include "base/url.h"
#include "language/flow.h"
#include "protocol/flow_run.h"

namespace holdfast::app {

namespace {

std::string short_version(const Json& row) {
  return row.value("version", "").substr(0, 12);
}

ApiSession::Reply apply(ApiSession& api, const std::string& file) {
  auto text = read_file(file, flows::kMaxFlowBytes);
  if (!text) return std::unexpected(refuse(text.error()));
  return api.put_definition(file, *text);
}

}  // namespace

int apply_flows(const FlowApplyOptions& options) {
  ApiSession api(options.api);
  for (const std::string& file : options.files) {
    auto answer = apply(api, file);
    if (!answer) return answer.error();
    const char* what = answer->value("new", false)       ? "new version"
                       : answer->value("created", false) ? "known version, current again"
                                                         : "unchanged";
    print_line(options.api.json ? dump_json(*answer)
                                : one_line(fmt::format("{}  {}  {}", answer->value("name", ""),
                                                       short_version(*answer), what)));
  }
  return kExitOk;
}

int list_flows(const FlowListOptions& options) {
  ApiSession api(options.api);
  if (options.name) {
    auto flow = api.get("/api/v1/flows/" + percent_encode(*options.name));
    if (!flow) return flow.error();
    print_line(options.api.json ? dump_json(*flow) : printable(dump_json((*flow)["definition"], 2)));
    return kExitOk;
  }
  Json flows = Json::array();
  for (std::string path = "/api/v1/flows"; !path.empty();) {
    auto page = api.get(path);
    if (!page) return page.error();
    for (Json& row : (*page)["flows"]) flows.push_back(std::move(row));
    const Json next = page->value("next_cursor", Json());
    path = next.is_string() ? "/api/v1/flows?cursor=" + percent_encode(next.get<std::string>()) : "";
  }
  if (options.api.json) {
    print_line(dump_json(Json{{"flows", std::move(flows)}}));
    return kExitOk;
  }
  std::vector<std::vector<std::string>> table = {{"FLOW", "VERSION", "UPDATED", "DESCRIPTION"}};
  for (const Json& row : flows)
    table.push_back({row.value("name", ""), short_version(row), row.value("updated_at", ""),
                     row.value("description", "")});
  if (table.size() == 1)
    complain("no flows; register one with 'holdfast flow apply'");
  else
    print_table(table);
  return kExitOk;
}

namespace {

int run_part(const RunOptions& options, FlowPartOptions part) {
  if (!names_file(options.agent)) {
    report_error("usage", "--until and --only run a part of a file, here", "name the file of the flow");
    return kExitUsage;
  }
  part.file = options.agent;
  part.json = options.api.json;
  if (options.input) part.input = *options.input;
  if (options.input_file) {
    auto text = read_file(*options.input_file);
    if (!text) return refuse(text.error());
    part.input = *std::move(text);
  }
  return run_part_of_flow(part);
}

// What begins like JSON is meant as JSON, and so is a number of more than 64 bits: as a text it would be
// found out by the first block that reads it, behind the effects of those before it.
Status check_input(RunOptions& run) {
  if (run.input_file && !run.input) {
    auto text = read_file(*run.input_file);
    if (!text) return text.error();
    run.input = *std::move(text);
    run.input_file.reset();
  }
  if (!run.input) return {};
  const auto read = read_json(*run.input, kMaxForeignJsonDepth, Integers::kExact);
  const bool is_meant = run.input->starts_with('{') || run.input->starts_with('[') || read_json(*run.input);
  if (read || !is_meant) return {};
  return {Code::kInvalidArgument, fmt::format("the input is no JSON: {}", read.error().message())};
}

// What the schema of a flow's input is about is the members of an object: those are asked of nothing else, so
// that a number would pass, and the first block find nothing in it.
bool asks_for_members(const Json& schema) {
  if (!schema.is_object()) return false;
  if (schema.contains("type")) return schema["type"] == "object";
  return schema.contains("properties") || schema.contains("required");
}

// Of a registered flow. Exit code: what is typed cannot be its input.
int check_members(const RunOptions& run, const std::string& name) {
  const std::string typed = run.input.value_or("");
  if (typed.starts_with('{') || name.find('@') != std::string::npos) return kExitOk;
  ApiSession api(run.api);
  auto flow = api.get("/api/v1/flows/" + percent_encode(name));
  if (!flow) return flow.error();
  if (!asks_for_members(flow->value(Json::json_pointer("/definition/spec/input"), Json()))) return kExitOk;
  const std::string what =
      typed.empty() ? "it was given none" : fmt::format("not {}", one_line(std::string(cut_text(typed, 60))));
  report_error("usage", fmt::format("the flow '{}' takes an object: {}", name, what),
               "give it as JSON: holdfast flow run " + name + " '{\"NAME\": VALUE}'");
  return kExitUsage;
}

}  // namespace

int run_flow(const RunOptions& options, const FlowPartOptions& part) {
  if (!part.until.empty() || !part.only.empty()) return run_part(options, part);
  if (part.pinned) {
    report_error("usage", "--pinned needs --until or --only: a server pins nothing");
    return kExitUsage;
  }
  RunOptions run = options;
  if (Status wrong = check_input(run); !wrong.ok()) return refuse(wrong);
  if (names_file(options.agent)) {
    ApiSession api(options.api);
    auto applied = apply(api, options.agent);
    if (!applied) return applied.error();
    run.agent = applied->value("name", "");
  }
  if (const int wrong = check_members(run, run.agent); wrong != kExitOk) return wrong;
  run.agent = protocol::agent_of_flow(run.agent);
  return run_agent(run);
}

}  // namespace holdfast::app
