// output, logs, memory: what the steps of a run gave, what their code wrote, and what agents remember.

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "app/api_session.h"
#include "app/commands.h"
#include "app/exit_code.h"
#include "app/log_commands.h"
#include "app/output.h"
#include "app/printable.h"
#include "base/json.h"
#include "base/text.h"
#include "base/url.h"

namespace holdfast::app {

namespace {

constexpr std::size_t kMaxOutput = 80 << 20;  // larger ones are not kept
constexpr std::size_t kShownText = 60;

std::string subject_path(const std::string& subject) {
  return "/api/v1/memory/" + percent_encode(subject);
}

std::string shown(const Json& row, const char* name) {
  if (!row.contains(name)) return "";
  const std::string text = row[name].is_string() ? row[name].get<std::string>() : dump_json(row[name]);
  return one_line(std::string(cut_text(text, kShownText)));
}

int list_steps(ApiSession& api, const OutputOptions& options) {
  std::string path = "/api/v1/runs/" + percent_encode(options.run) + "/steps";
  if (!options.search.empty()) path += "?search=" + percent_encode(options.search);
  auto answer = api.get(path);
  if (!answer) return answer.error();
  if (options.api.json) {
    print_line(dump_json(*answer));
    return kExitOk;
  }
  std::vector<std::vector<std::string>> table = {{"STEP", "KIND", "NAME", "STATUS", "BYTES", "OUTPUT"}};
  for (const Json& row : (*answer)["steps"]) {
    const bool large = row.contains("output");
    const std::string beginning = row.contains("result") ? shown(row, "result") : shown(row, "text");
    table.push_back({dump_json(row["step"]), row.value("kind", ""), shown(row, "name"),
                     row.value("status", ""), large ? dump_json(row["output"]["bytes"]) : "", beginning});
  }
  if (table.size() == 1) {
    complain("no such steps");
  } else {
    print_table(table);
  }
  return kExitOk;
}

}  // namespace

int print_output(const OutputOptions& options) {
  ApiSession api(options.api);
  if (!options.step) return list_steps(api, options);
  const std::string path =
      fmt::format("/api/v1/runs/{}/steps/{}/output", percent_encode(options.run), *options.step);
  auto text = api.get_text(path, kMaxOutput);
  if (!text) return text.error();
  if (options.api.json) {
    print_line(dump_json(Json{{"run", options.run}, {"step", *options.step}, {"output", *text}}));
    return kExitOk;
  }
  // To a file or a program as it is; a terminal would act on what stands in it.
  if (!write_out(::isatty(STDOUT_FILENO) ? printable(*text) : *text)) end_without_output(errno);
  return kExitOk;
}

// All of it, a page at a time.
int print_logs(const OutputOptions& options) {
  ApiSession api(options.api);
  std::string path = "/api/v1/runs/" + percent_encode(options.run) + "/logs?limit=10000";
  if (options.step) path += fmt::format("&step={}", *options.step);
  if (!options.search.empty()) path += "&search=" + percent_encode(options.search);
  bool any = false;
  for (std::string cursor;;) {
    auto page = api.get(cursor.empty() ? path : path + "&cursor=" + percent_encode(cursor));
    if (!page) return page.error();
    for (const Json& line : (*page)["lines"]) {
      any = true;
      if (options.api.json)
        print_line(dump_json(line));
      else
        print_line(fmt::format("{}  {}", line.value("name", ""), printable(line.value("text", ""))));
    }
    if (!(*page)["next_cursor"].is_string()) break;
    cursor = (*page)["next_cursor"].get<std::string>();
  }
  if (!any && !options.api.json) complain("no such lines");
  return kExitOk;
}

int list_memory(const MemoryOptions& options) {
  ApiSession api(options.api);
  if (!options.subject.empty()) return show_memory(options);
  auto answer = api.get("/api/v1/memory?limit=1000");
  if (!answer) return answer.error();
  if (options.api.json) {
    print_line(dump_json(*answer));
    return kExitOk;
  }
  std::vector<std::vector<std::string>> table = {{"SUBJECT", "ENTRIES", "BYTES", "UPDATED"}};
  for (const Json& row : (*answer)["subjects"]) {
    table.push_back({shown(row, "subject"), dump_json(row["entries"]), dump_json(row["bytes"]),
                     row.value("updated_at", "")});
  }
  if (table.size() == 1) {
    complain("nothing is remembered");
  } else {
    print_table(table);
  }
  return kExitOk;
}

int show_memory(const MemoryOptions& options) {
  ApiSession api(options.api);
  std::string path = subject_path(options.subject);
  if (!options.name.empty()) path += "/" + percent_encode(options.name);
  if (!options.search.empty()) path += "?search=" + percent_encode(options.search);
  auto answer = api.get(path);
  if (!answer) return answer.error();
  if (options.api.json) {
    print_line(dump_json(*answer));
    return kExitOk;
  }
  std::vector<std::vector<std::string>> table = {{"NAME", "VERSION", "STORED", "TEXT"}};
  const Json& rows = answer->contains("versions") ? (*answer)["versions"] : (*answer)["entries"];
  for (const Json& row : rows) {
    table.push_back({shown(row, "name"), dump_json(row["version"]), row.value("stored_at", ""),
                     row.value("forgotten", false) ? "(forgotten)" : shown(row, "text")});
  }
  if (table.size() == 1) {
    complain("nothing is remembered about it");
  } else {
    print_table(table);
  }
  return kExitOk;
}

int erase_memory(const MemoryOptions& options) {
  ApiSession api(options.api);
  const char* user = std::getenv("USER");
  const std::string by = !options.by.empty() ? options.by : user ? user : "command line";
  std::string path = subject_path(options.subject) + "?by=" + percent_encode(by);
  if (!options.reason.empty()) path += "&reason=" + percent_encode(options.reason);
  auto answer = api.erase(path);
  if (!answer) return answer.error();
  print_line(options.api.json ? dump_json(*answer)
                              : fmt::format("erased {} entries", dump_json((*answer)["erased"])));
  return kExitOk;
}

}  // namespace holdfast::app
