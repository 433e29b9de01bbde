// fork, replay, forks, diff.

#include "app/fork_commands.h"

#include <fmt/format.h>

#include "app/api_session.h"
#include "app/exit_code.h"
#include "app/input_file.h"
#include "app/output.h"
#include "app/printable.h"
#include "app/user_name.h"
#include "app/steering_commands.h"
#include "app/usage_text.h"
#include "base/json.h"
#include "base/text.h"
#include "base/url.h"

namespace holdfast::app {

namespace {

std::string path_of(const std::string& run, std::string_view verb) {
  return fmt::format("/api/v1/runs/{}/{}", percent_encode(run), verb);
}

std::string shown(const Json& value, std::size_t most) {
  const std::string text = one_line(value.is_string() ? value.get<std::string>() : dump_json(value));
  return text.size() <= most ? text : std::string(cut_text(text, most - 3)) + "...";
}

Json place_of(const ForkOptions& options) {
  if (!options.from.empty()) return options.from;
  if (options.message) return {{"message", *options.message}};
  if (options.turn) return {{"turn", *options.turn}};
  if (options.step) return {{"step", *options.step}};
  return options.replay ? Json("start") : Json(nullptr);
}

// None: an exit code.
std::expected<Json, int> body_of(const ForkOptions& options) {
  Json body = Json::object();
  if (const Json at = place_of(options); !at.is_null()) body["at"] = at;
  if (options.call.has_value() != options.result.has_value()) {
    report_error("usage", "--call and --result belong together");
    return std::unexpected(kExitUsage);
  }
  if (options.call) {
    std::string text = *options.result;
    if (text.starts_with('@')) {
      auto read = read_file(text.substr(1));
      if (!read) return std::unexpected(refuse(read.error()));
      text = *std::move(read);
    }
    body["edit"]["tool_result"] = {{"call", *options.call}, {"text", std::move(text)}};
    if (options.is_error) body["edit"]["tool_result"]["is_error"] = true;
  }
  if (options.prompt) body["edit"]["prompt"] = *options.prompt;
  if (options.say) body["edit"]["message"] = *options.say;
  const auto add = [&](const char* name, const std::string& text) {
    if (!text.empty()) body[name] = text;
  };
  add("version", options.version);
  add("id", options.id);
  add("reason", options.reason);
  body["by"] = options.by.empty() ? user_name() : options.by;
  if (options.dry_run) body["dry_run"] = true;
  return body;
}

std::string used_text(const Json& used) {
  return fmt::format("{} model calls, {} tokens in, {} out; {}", used.value("model_calls", 0),
                     used.value("input_tokens", 0), used.value("output_tokens", 0), cost_text(used["cost"]));
}

void print_plan(const Json& plan) {
  const Json& from = plan["forked_from"];
  print_line(fmt::format("{} at message {}, version {}", one_line(from.value("run", "")),
                         from["at"].value("message", 0), plan.value("version", "").substr(0, 12)));
  print_line("inherits " + used_text(plan["inherited"]));
  std::vector<std::vector<std::string>> table = {{"MESSAGE", "TOOL", "CALL", "CLASS", "WOULD", ""}};
  for (const Json& one : plan["effects"]) {
    table.push_back({dump_json(one["message"]), one.value("tool", ""), one.value("call", ""),
                     one["class"].is_string() ? one.value("class", "") : "-", one.value("would", ""),
                     one.value("edited", false) ? "its result is edited" : one.value("reason", "")});
  }
  if (table.size() > 1) print_table(table);
  if (plan.value("more_effects", false)) complain("there are more calls than are listed");
}

std::string role_of(const Json& message) {
  return message.contains("role") ? message.value("role", "") : "(long)";
}

std::string said_in(const Json& message) {
  if (message.value("omitted", false)) return fmt::format("[{} bytes]", message.value("bytes", 0));
  std::string out;
  for (const Json& part : message.value("content", Json::array())) {
    if (part.value("type", "") == "text") out += part.value("text", "");
  }
  for (const Json& call : message.value("tool_calls", Json::array()))
    out +=
        fmt::format("{}> {} {}", out.empty() ? "" : " ", call.value("name", ""), call.value("arguments", ""));
  return out;
}

void print_head(const char* sign, const Json& side) {
  print_line(fmt::format("{} {}: {}, version {}, branch {}, {} messages", sign,
                         one_line(side.value("run", "")), side.value("status", ""),
                         side.value("version", "").substr(0, 12), side.value("branch", 0),
                         side.value("head", 0)));
  if (side.contains("spent")) print_line("    used " + used_text(side["spent"]));
}

void print_messages(const char* sign, Colour colour, const Json& side) {
  for (const Json& message : side["messages"]) {
    print_line(coloured(colour, fmt::format("{} {:>4} {:<9} {}", sign, message.value("sequence", 0),
                                            one_line(role_of(message)), shown(said_in(message), 160))));
  }
}

}  // namespace

int fork_run(const ForkOptions& options) {
  auto body = body_of(options);
  if (!body) return body.error();
  ApiSession api(options.api);
  auto answer = api.post(path_of(options.run, "fork"), *body);
  if (!answer) return answer.error();
  if (options.api.json) {
    print_line(dump_json(*answer));
  } else if (options.dry_run) {
    print_plan(*answer);
  } else {
    print_line(printable(answer->value("id", "")));
  }
  return kExitOk;
}

int list_forks(const ForksOptions& options) {
  ApiSession api(options.api);
  const std::string path = path_of(options.run, "forks?limit=200");
  Json rows = Json::array();
  std::string cursor;
  while (true) {
    auto page = api.get(cursor.empty() ? path : path + "&cursor=" + percent_encode(cursor));
    if (!page) return page.error();
    for (Json& row : (*page)["forks"]) rows.push_back(std::move(row));
    if (!(*page)["next_cursor"].is_string()) break;
    cursor = (*page)["next_cursor"];
  }
  if (options.api.json) {
    print_line(dump_json(Json{{"run", options.run}, {"forks", rows}}));
    return kExitOk;
  }
  std::vector<std::vector<std::string>> table = {{"RUN", "HOW", "MESSAGE", "EDIT", "BY", "AT"}};
  for (const Json& row : rows) {
    const Json from = row.value("forked_from", Json::object());
    table.push_back({row.value("run", ""), row.value("how", ""),
                     from.contains("at") ? dump_json(from["at"]["message"]) : "",
                     from.contains("edit") && from["edit"].is_string() ? from.value("edit", "") : "",
                     row.value("by", ""), row.value("at", "")});
  }
  if (rows.empty()) {
    complain("nobody goes on from it");
  } else {
    print_table(table);
  }
  return kExitOk;
}

int diff_runs(const RunDiffOptions& options) {
  ApiSession api(options.api);
  const std::string path = path_of(options.a, "diff/" + percent_encode(options.b));
  std::string cursor;
  while (true) {
    auto page = api.get(cursor.empty() ? path : path + "?cursor=" + percent_encode(cursor));
    if (!page) return page.error();
    const Json& diff = *page;
    if (options.api.json) {
      print_line(dump_json(diff));
    } else {
      if (cursor.empty()) {
        print_head("-", diff["a"]);
        print_head("+", diff["b"]);
        print_line(fmt::format("  {} messages in common", diff["common"].value("messages", 0)));
      }
      print_messages("-", Colour::kRed, diff["a"]);
      print_messages("+", Colour::kGreen, diff["b"]);
    }
    if (!diff["next_cursor"].is_string()) break;
    cursor = diff["next_cursor"];
  }
  return kExitOk;
}

}  // namespace holdfast::app
