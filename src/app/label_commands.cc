// agent promote, rollback, labels, diff.

#include <fmt/format.h>

#include "app/agent_reports.h"
#include "app/api_session.h"
#include "app/commands.h"
#include "app/definition_file.h"
#include "app/exit_code.h"
#include "app/output.h"
#include "app/printable.h"
#include "app/user_name.h"
#include "base/json.h"
#include "base/json_diff.h"
#include "base/url.h"
#include "protocol/agent_reference.h"

namespace holdfast::app {

namespace {

std::string label_path(const std::string& agent, const std::string& label) {
  return fmt::format("/api/v1/agents/{}/labels/{}", percent_encode(agent), percent_encode(label));
}

std::string short_version(const Json& value) {
  return value.is_string() ? value.get<std::string>().substr(0, 12) : std::string();
}

int print_moved(const ApiSession::Reply& moved, bool json) {
  if (!moved) return moved.error();
  if (json) {
    print_line(dump_json(*moved));
  } else {
    print_move(*moved);
  }
  return kExitOk;
}

}  // namespace

ApiSession::Reply move_label(ApiSession& api, const LabelTarget& target) {
  const std::string path = label_path(target.agent, target.label);
  auto now = api.find(path + "?limit=1");
  if (!now) return std::unexpected(now.error());
  const std::string version = *now ? (*now)->value("version", "") : "";
  if (!target.expect.empty() && !version.starts_with(target.expect)) {
    report_error("label_moved",
                 fmt::format("label '{}' of agent '{}' names {}, not {}", target.label, target.agent,
                             version.empty() ? "nothing" : version.substr(0, 12), target.expect),
                 "nothing was changed");
    return std::unexpected(kExitConflict);
  }
  std::string etag;
  if (*now) etag = fmt::format("\"{}\"", (*now)->value("move", 0ULL));
  Json body = target.body.is_null() ? Json::object() : target.body;
  body["by"] = target.by.empty() ? user_name() : target.by;
  if (!target.comment.empty()) body["comment"] = target.comment;
  return target.rollback ? api.change("POST", path + "/rollback", body, etag)
                         : api.change("PUT", path, body, etag);
}

void print_move(const Json& moved) {
  const std::string where = fmt::format("{}@{}  {}", moved.value("agent", ""), moved.value("label", ""),
                                        short_version(moved["version"]));
  if (!moved.value("moved", false)) return print_line(one_line(where + "  unchanged"));
  const std::string before = short_version(moved["previous"]);
  print_line(one_line(where + (before.empty() ? "  new label" : "  was " + before)));
}

int promote_agent(const PromoteOptions& options) {
  auto reference = protocol::parse_agent_reference(options.agent);
  if (!reference) return refuse(reference.error());
  if (reference->version.empty() == !options.from) {
    report_error("usage", "say once which version: NAME --from LABEL, or NAME@VERSION");
    return kExitUsage;
  }
  ApiSession api(options.api);
  LabelTarget target;
  target.agent = reference->agent;
  target.label = options.to;
  target.expect = options.expect;
  target.by = options.by;
  target.comment = options.comment;
  if (options.from) {
    // The version that is promoted is the one that was looked at, and the label must still name it.
    auto source = api.get(label_path(target.agent, *options.from) + "?limit=1");
    if (!source) return source.error();
    target.body = {{"version", (*source)["version"]}, {"from", *options.from}};
  } else {
    target.body = {{"version", reference->version}};
  }
  return print_moved(move_label(api, target), options.api.json);
}

int roll_back_agent(const RollbackOptions& options) {
  ApiSession api(options.api);
  LabelTarget target;
  target.agent = options.agent;
  target.label = options.label;
  target.expect = options.expect;
  target.by = options.by;
  target.comment = options.comment;
  target.rollback = true;
  return print_moved(move_label(api, target), options.api.json);
}

int list_labels(const LabelsOptions& options) {
  ApiSession api(options.api);
  const std::string path = options.label
                               ? label_path(options.agent, *options.label) + "?limit=200"
                               : fmt::format("/api/v1/agents/{}/labels", percent_encode(options.agent));
  auto answer = api.get(path);
  if (!answer) return answer.error();
  if (options.api.json) {
    print_line(dump_json(*answer));
    return kExitOk;
  }
  std::vector<std::vector<std::string>> table = {
      {options.label ? "MOVE" : "LABEL", "VERSION", "BEFORE", "HOW", "BY", "AT", "COMMENT"}};
  for (const Json& row : (*answer)[options.label ? "moves" : "labels"]) {
    std::string how = row.value("how", "");
    if (row.contains("from")) how += " from " + row.value("from", "");
    table.push_back({options.label ? dump_json(row["move"]) : row.value("label", ""),
                     short_version(row["version"]), short_version(row["previous"]), how, row.value("by", ""),
                     row.value("at", ""), row.value("comment", "")});
  }
  if (table.size() == 1) {
    complain(fmt::format("agent {} has no labels; 'holdfast agent apply FILE --label staging' gives it one",
                         options.agent));
  } else {
    print_table(table);
  }
  return kExitOk;
}

namespace {

using Definition = nlohmann::json;

// One side of a comparison: a file, or a version of the server.
struct Side {
  std::string title;
  std::string name;
  Definition definition;
};

std::expected<Side, int> file_side(const std::string& file) {
  auto read = read_definition_file(file);
  if (!read) return std::unexpected(refuse(read.error()));
  return Side{fmt::format("{} ({})", file, read->version.substr(0, 12)), read->name,
              parse_json<Definition>(read->canonical)};
}

std::expected<Side, int> version_side(ApiSession& api, const std::string& agent) {
  auto reference = protocol::parse_agent_reference(agent);
  if (!reference) return std::unexpected(refuse(reference.error()));
  std::string path = "/api/v1/agents/" + percent_encode(reference->agent);
  if (!reference->version.empty()) path += "/versions/" + percent_encode(reference->version);
  auto answer = api.get(path);
  if (!answer) return std::unexpected(answer.error());
  return Side{fmt::format("{} ({})", agent, short_version((*answer)["version"])), reference->agent,
              parse_json<Definition>(dump_json((*answer)["definition"]))};
}

std::expected<Side, int> side_of(ApiSession& api, const std::string& what) {
  return names_file(what) ? file_side(what) : version_side(api, what);
}

void print_change(const JsonChange& change) {
  using Kind = JsonChange::Kind;
  const std::string before = dump_json(change.before);
  const std::string after = dump_json(change.after);
  switch (change.kind) {
    case Kind::kAdded:
      return print_line(coloured(Colour::kGreen, one_line("+ " + change.path + ": " + after)));
    case Kind::kRemoved:
      return print_line(coloured(Colour::kRed, one_line("- " + change.path + ": " + before)));
    case Kind::kReordered: return print_line(one_line("~ " + change.path + ": the order is " + after));
    case Kind::kChanged: break;
  }
  if (change.lines.empty()) return print_line(one_line("~ " + change.path + ": " + before + " -> " + after));
  print_line(one_line("~ " + change.path + ":"));
  for (const std::string& line : change.lines) {
    const std::string shown = "    " + one_line(line);
    if (line.starts_with('+')) {
      print_line(coloured(Colour::kGreen, shown));
    } else {
      print_line(line.starts_with('-') ? coloured(Colour::kRed, shown) : shown);
    }
  }
}

}  // namespace

int diff_agents(const DiffOptions& options) {
  ApiSession api(options.api);
  auto one = side_of(api, options.before);
  if (!one) return one.error();
  // A file alone: what applying it would change.
  const bool alone = !options.after;
  auto two = alone ? version_side(api, one->name) : side_of(api, *options.after);
  if (!two) return two.error();
  if (alone) std::swap(*one, *two);
  const std::vector<JsonChange> changes = json_diff(one->definition, two->definition);
  if (options.api.json) {
    Json rows = Json::array();
    for (const JsonChange& change : changes) rows.push_back(Json(to_json(change)));
    print_line(dump_json(Json{{"from", one->title}, {"to", two->title}, {"changes", std::move(rows)}}));
    return kExitOk;
  }
  complain(fmt::format("{} -> {}: {}", one->title, two->title,
                       changes.empty() ? "no difference" : fmt::format("{} changes", changes.size())));
  for (const JsonChange& change : changes) print_change(change);
  return kExitOk;
}

}  // namespace holdfast::app
