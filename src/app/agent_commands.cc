// agent init, validate, apply, show, versions, list; agents. The life of a definition up to its labels, which
// are in label_commands.cc.

#include <fmt/format.h>

#include "app/agent_reports.h"
#include "app/api_session.h"
#include "app/commands.h"
#include "app/definition_file.h"
#include "app/exit_code.h"
#include "app/input_file.h"
#include "app/output.h"
#include "app/printable.h"
#include "base/json.h"
#include "base/url.h"
#include "protocol/agent_reference.h"

namespace holdfast::app {

namespace {

std::string short_version(const Json& value) {
  return value.is_string() ? value.get<std::string>().substr(0, 12) : std::string();
}

std::string labels_text(const Json& labels) {
  std::string out;
  for (const Json& label : labels) {
    if (!out.empty()) out += ", ";
    out += label.is_string() ? label.get<std::string>() : label.value("label", "");
  }
  return out;
}

int list_all(ApiSession& api, bool json) {
  Json agents = Json::array();
  for (std::string path = "/api/v1/agents"; !path.empty();) {
    auto page = api.get(path);
    if (!page) return page.error();
    for (Json& row : (*page)["agents"]) agents.push_back(std::move(row));
    const Json next = page->value("next_cursor", Json());
    path = next.is_string() ? "/api/v1/agents?cursor=" + percent_encode(next.get<std::string>()) : "";
  }
  if (json) {
    print_line(dump_json(Json{{"agents", std::move(agents)}}));
    return kExitOk;
  }
  std::vector<std::vector<std::string>> table = {{"AGENT", "VERSION", "UPDATED", "DESCRIPTION"}};
  for (const Json& row : agents) {
    table.push_back({row.value("name", ""), short_version(row["version"]), row.value("updated_at", ""),
                     row.value("description", "")});
  }
  if (table.size() == 1) {
    complain("no agents; begin one with 'holdfast agent init', register it with 'holdfast agent apply'");
  } else {
    print_table(table);
  }
  return kExitOk;
}

}  // namespace

int init_agent(const AgentInitOptions& options) {
  const Status written = write_first_definition(options.file, options.name);
  if (written.code() == Code::kAlreadyExists) {
    report_error("exists", written.message(), "name another file");
    return kExitConflict;
  }
  if (!written.ok()) return refuse(written);
  print_line(one_line(fmt::format("{}: holdfast agent validate {}", options.file, options.file)));
  return kExitOk;
}

int validate_agents(const AgentFilesOptions& options) {
  Json files = Json::array();
  int wrong = 0;
  int exit_code = kExitOk;
  for (const std::string& file : options.files) {
    auto read = read_definition_file(file);
    Json row = {{"file", file}, {"valid", read.has_value()}};
    if (read) {
      row["name"] = read->name;
      row["version"] = read->version;
      if (!options.api.json)
        print_line(one_line(fmt::format("{}: ok  {}  {}", file, read->name, read->version.substr(0, 12))));
    } else {
      ++wrong;
      // A mistake in one file says more than another one that is not there.
      exit_code = exit_code == kExitUsage ? kExitUsage : exit_code_of(read.error());
      row["problems"] = problems_json(file, read.error().message());
      if (!options.api.json) print_progress(printable(read.error().message()) + "\n");
    }
    files.push_back(std::move(row));
  }
  if (options.api.json) print_line(dump_json(Json{{"files", std::move(files)}}));
  if (wrong == 0) return kExitOk;
  report_error("invalid_definition",
               fmt::format("{} of {} files cannot be used", wrong, options.files.size()),
               "docs/guide/agents.md");
  return exit_code;
}

int apply_agents(const AgentFilesOptions& options) {
  ApiSession api(options.api);
  for (const std::string& file : options.files) {
    auto text = read_file(file);
    if (!text) return refuse(text.error());
    auto answer = api.put_definition(file, *text);
    if (!answer) return answer.error();
    const char* what = answer->value("new", false)       ? "new version"
                       : answer->value("created", false) ? "known version, current again"
                                                         : "unchanged";
    if (!options.label) {
      print_line(options.api.json ? dump_json(*answer)
                                  : one_line(fmt::format("{}  {}  {}", answer->value("name", ""),
                                                         short_version((*answer)["version"]), what)));
      continue;
    }
    if (!options.api.json)
      print_line(one_line(
          fmt::format("{}  {}  {}", answer->value("name", ""), short_version((*answer)["version"]), what)));
    LabelTarget target;
    target.agent = answer->value("name", "");
    target.label = *options.label;
    target.body = {{"version", (*answer)["version"]}};
    target.by = options.by;
    auto moved = move_label(api, target);
    if (!moved) return moved.error();
    if (options.api.json) {
      (*answer)["label"] = *moved;
      print_line(dump_json(*answer));
    } else {
      print_move(*moved);
    }
  }
  return kExitOk;
}

int list_agents(const AgentsOptions& options) {
  if (!options.put.empty()) {
    AgentFilesOptions files;
    files.api = options.api;
    files.files = options.put;
    return apply_agents(files);
  }
  if (options.name) {
    AgentNameOptions named;
    named.api = options.api;
    named.agent = *options.name;
    return show_agent(named);
  }
  ApiSession api(options.api);
  return list_all(api, options.api.json);
}

int show_agent(const AgentNameOptions& options) {
  auto reference = protocol::parse_agent_reference(options.agent);
  if (!reference) return refuse(reference.error());
  ApiSession api(options.api);
  std::string path = "/api/v1/agents/" + percent_encode(reference->agent);
  if (!reference->version.empty()) path += "/versions/" + percent_encode(reference->version);
  auto answer = api.get(path);
  if (!answer) return answer.error();
  print_line(options.api.json ? dump_json(*answer) : printable(dump_json(*answer, 2)));
  return kExitOk;
}

int list_versions(const AgentNameOptions& options) {
  ApiSession api(options.api);
  const std::string path = fmt::format("/api/v1/agents/{}/versions?limit=200", percent_encode(options.agent));
  Json rows = Json::array();
  std::string cursor;
  while (rows.size() < options.limit) {
    auto page = api.get(cursor.empty() ? path : path + "&cursor=" + percent_encode(cursor));
    if (!page) return page.error();
    for (Json& row : (*page)["versions"]) {
      if (rows.size() < options.limit) rows.push_back(std::move(row));
    }
    if (!(*page)["next_cursor"].is_string()) break;
    cursor = (*page)["next_cursor"];
  }
  if (options.api.json) {
    print_line(dump_json(Json{{"versions", rows}}));
    return kExitOk;
  }
  std::vector<std::vector<std::string>> table = {{"VERSION", "APPLIED", "CURRENT", "LABELS"}};
  for (const Json& row : rows) {
    table.push_back({short_version(row["version"]), row.value("updated_at", ""),
                     row.value("current", false) ? "*" : "", labels_text(row["labels"])});
  }
  print_table(table);
  return kExitOk;
}

}  // namespace holdfast::app
