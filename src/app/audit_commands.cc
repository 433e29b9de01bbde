#include "app/audit_commands.h"

#include <fmt/format.h>

#include "app/api_session.h"
#include "app/exit_code.h"
#include "app/output.h"
#include "base/json.h"
#include "base/url.h"

namespace holdfast::app {

namespace {

// Those that the row certifies; the exit code when they cannot be read.
int print_messages(ApiSession& api, const Json& ended) {
  const std::string path = "/api/v1/audit/messages?run=" + percent_encode(ended.value("subject", ""));
  std::string cursor;
  while (true) {
    const auto page = api.get(path + (cursor.empty() ? "" : "&cursor=" + percent_encode(cursor)));
    if (!page) return page.error();
    for (const Json& row : page->at("rows")) print_line(dump_json(row));
    if (!page->at("next_cursor").is_string()) return kExitOk;
    cursor = page->at("next_cursor").get<std::string>();
  }
}

}  // namespace

int export_audit(const AuditOptions& options) {
  ApiSession api(options.api);
  std::string query;
  const std::pair<const char*, const std::optional<std::string>&> filters[] = {
      {"from", options.from},
      {"until", options.until},
      {"principal", options.principal},
      {"kind", options.kind},
      {"subject", options.subject}};
  for (const auto& [name, value] : filters) {
    if (value) query += fmt::format("&{}={}", name, percent_encode(*value));
  }
  std::string cursor = options.cursor.value_or("");
  while (true) {
    const auto page = api.get("/api/v1/audit?limit=1000" + query +
                              (cursor.empty() ? "" : "&cursor=" + percent_encode(cursor)));
    if (!page) return page.error();
    for (const Json& row : page->at("rows")) {
      print_line(dump_json(row));
      if (!options.messages || row.value("kind", "") != "run.ended") continue;
      if (const int failed = print_messages(api, row); failed != kExitOk) return failed;
    }
    cursor = page->value("next_cursor", "");
    // After the rows: whoever is interrupted takes none of them for read that was not written.
    if (page->value("end", true)) break;
  }
  print_progress(fmt::format("to go on from here: --cursor {}\n", cursor));
  return kExitOk;
}

}  // namespace holdfast::app
