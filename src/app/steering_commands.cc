// send, complete, pause, resume, fail, retry, undo, bulk.

#include "app/steering_commands.h"

#include <fmt/format.h>

#include "app/api_session.h"
#include "app/exit_code.h"
#include "app/input_file.h"
#include "app/output.h"
#include "app/printable.h"
#include "app/user_name.h"
#include "base/json.h"
#include "base/url.h"

namespace holdfast::app {

namespace {

std::string path_of(const std::string& run, std::string_view verb) {
  return fmt::format("/api/v1/runs/{}/{}", percent_encode(run), verb);
}

void add(Json& body, const char* name, const std::string& text) {
  if (!text.empty()) body[name] = text;
}

}  // namespace

int send_message(const SendOptions& options) {
  if (options.text.has_value() == options.input_file.has_value()) {
    report_error("usage", "give the text or --input-file, one of them");
    return kExitUsage;
  }
  std::string text = options.text.value_or("");
  if (options.input_file) {
    auto read = read_file(*options.input_file);
    if (!read) return refuse(read.error());
    text = *std::move(read);
  }
  Json body = {{"input", text}, {"by", options.by.empty() ? user_name() : options.by}};
  add(body, "id", options.id);
  ApiSession api(options.api);
  auto answer = api.post(path_of(options.run, "messages"), body);
  if (!answer) return answer.error();
  print_line(options.api.json ? dump_json(*answer)
                              : printable(fmt::format("{}: {}", answer->value("state", ""), options.run)));
  return kExitOk;
}

int complete_call(const CompleteOptions& options) {
  const int given = (options.result ? 1 : 0) + (options.input_file ? 1 : 0) + (options.error ? 1 : 0);
  if (given > 1) {
    report_error("usage", "give the result, --input-file or --error, one of them");
    return kExitUsage;
  }
  std::string text = options.result.value_or("");
  if (options.input_file) {
    auto read = read_file(*options.input_file);
    if (!read) return refuse(read.error());
    text = *std::move(read);
  }
  Json body = Json::object();
  if (options.error) body["error"] = *options.error;
  if (options.result || options.input_file) body["result"] = std::move(text);
  // A URL says where to go, too.
  constexpr std::string_view kPath = "/api/v1/completions/";
  ApiOptions where = options.api;
  std::string token = options.token;
  if (const std::size_t at = token.find(kPath); at != std::string::npos) {
    if (!where.api) where.api = token.substr(0, at);
    token.erase(0, at + kPath.size());
  }
  ApiSession api(where);
  auto answer = api.post(std::string(kPath) + percent_encode(token), body);
  if (!answer) return answer.error();
  print_line(options.api.json ? dump_json(*answer)
                              : printable(fmt::format("{}: {} of {}", answer->value("state", ""),
                                                      answer->value("tool", ""), answer->value("run", ""))));
  return kExitOk;
}

int steer_run(const SteerOptions& options) {
  Json body = {{"by", options.by.empty() ? user_name() : options.by}};
  add(body, "reason", options.reason);
  add(body, "version", options.version);
  ApiSession api(options.api);
  auto answer = api.post(path_of(options.run, options.verb), body);
  if (!answer) return answer.error();
  print_line(options.api.json ? dump_json(*answer)
                              : printable(fmt::format("{}: {}", answer->value("state", ""), options.run)));
  return kExitOk;
}

int retry_run(const RetryOptions& options) {
  Json body = {{"by", options.by.empty() ? user_name() : options.by}};
  add(body, "id", options.id);
  add(body, "version", options.version);
  ApiSession api(options.api);
  auto answer = api.post(path_of(options.run, "retry"), body);
  if (!answer) return answer.error();
  print_line(options.api.json ? dump_json(*answer) : printable(answer->value("id", "")));
  return kExitOk;
}

int undo_run(const UndoOptions& options) {
  Json body = {{"by", options.by.empty() ? user_name() : options.by}};
  add(body, "reason", options.reason);
  if (options.dry_run) body["dry_run"] = true;
  ApiSession api(options.api);
  auto answer = api.post(path_of(options.run, "undo"), body);
  if (!answer) return answer.error();
  if (options.api.json) {
    print_line(dump_json(*answer));
  } else if (!options.dry_run) {
    print_line(printable(answer->value("id", "")));
  } else if ((*answer)["effects"].empty()) {
    complain("nothing to take back: the run made no call whose tool has `compensate`");
  } else {
    for (const Json& one : (*answer)["effects"]) {
      const std::string item =
          one.contains("item") ? fmt::format(", item {}", one.value("item", std::uint64_t{0})) : "";
      print_line(
          printable(fmt::format("{:<8} {} (step {}{}) of {}", one.value("would", ""), one.value("tool", ""),
                                one.value("step", 0), item, one.value("agent", ""))));
    }
    if (answer->value("more_effects", false)) print_line("... and others behind these");
  }
  return kExitOk;
}

int bulk_runs(const BulkOptions& options) {
  ApiSession api(options.api);
  Json body = {{"action", options.action}, {"status", options.status}, {"dry_run", options.dry_run}};
  body["by"] = options.by.empty() ? user_name() : options.by;
  add(body, "agent", options.agent);
  add(body, "reason", options.reason);
  add(body, "version", options.version);
  Json rows = Json::array();
  bool failed = false;
  while (options.limit == 0 || rows.size() < options.limit) {
    if (options.limit != 0) body["limit"] = std::min<std::size_t>(50, options.limit - rows.size());
    auto page = api.post("/api/v1/runs/bulk", body);
    if (!page) return page.error();
    for (Json& row : (*page)["runs"]) {
      failed = failed || !row.value("ok", false);
      rows.push_back(std::move(row));
    }
    if (!(*page)["next_cursor"].is_string()) break;
    body["cursor"] = (*page)["next_cursor"];
  }
  if (options.api.json) {
    print_line(dump_json(Json{{"action", options.action}, {"dry_run", options.dry_run}, {"runs", rows}}));
    return failed ? kExitConflict : kExitOk;
  }
  std::vector<std::vector<std::string>> table = {{"RUN", "AGENT", "STATUS", "RESULT"}};
  const std::string done = options.dry_run ? "would " + options.action : options.action + " ok";
  for (const Json& row : rows) {
    std::string result = row.value("ok", false) ? done : "not: " + row.value("why", "");
    if (row.contains("started")) result = "started " + row.value("started", "");
    table.push_back({row.value("run", ""), row.value("agent", ""), row.value("status", ""), result});
  }
  if (rows.empty()) {
    complain("no such runs");
  } else {
    print_table(table);
  }
  return failed ? kExitConflict : kExitOk;
}

}  // namespace holdfast::app
