// schedule.

#include <fmt/format.h>

#include "app/api_session.h"
#include "app/commands.h"
#include "app/exit_code.h"
#include "app/output.h"
#include "app/printable.h"
#include "app/typed_json.h"
#include "base/json.h"
#include "base/url.h"

namespace holdfast::app {

namespace {

constexpr const char* kPath = "/api/v1/schedules";

std::string path_of(const std::string& name) {
  return fmt::format("{}/{}", kPath, percent_encode(name));
}

std::string word(const Json& row, const char* name) {
  const auto found = row.find(name);
  return found != row.end() && found->is_string() ? one_line(found->get<std::string>()) : std::string("-");
}

void print_view(const Json& view) {
  const auto say = [](const char* what, const std::string& text) {
    print_line(fmt::format("{:<9} {}", what, text));
  };
  say("schedule", word(view, "name"));
  say("agent", word(view, "agent"));
  say("cron", fmt::format("{} ({})", word(view, "cron"), word(view, "time_zone")));
  say("overlap", word(view, "overlap"));
  if (view.value("paused", false)) say("paused", word(view, "note"));
  say("next", word(view, "next_at"));
  say("last run", word(view, "last_run"));
  if (const Json runs = view.value("runs", Json()); runs.is_object()) {
    say("runs", fmt::format("{} started, {} skipped, {} failed", runs.value("started", 0),
                            runs.value("skipped", 0), runs.value("failed", 0)));
  }
  if (view.contains("last_error")) say("error", word(view, "last_error"));
}

int print_reply(const ApiSession::Reply& reply, bool json) {
  if (!reply) return reply.error();
  if (json) {
    print_line(dump_json(*reply));
  } else if (reply->contains("requested")) {
    print_line(fmt::format("{} requested: {}", word(*reply, "requested"), word(*reply, "name")));
  } else {
    print_view(*reply);
  }
  return kExitOk;
}

}  // namespace

int create_schedule(const ScheduleOptions& options) {
  ApiSession api(options.api);
  auto input = typed_input(options.input);
  if (!input) return refuse(input.error());
  Json body = {{"name", options.name}, {"agent", options.agent}, {"input", *std::move(input)}};
  body["cron"] = options.cron;
  body["time_zone"] = options.time_zone;
  body["overlap"] = options.overlap;
  body["catch_up_seconds"] = options.catch_up_seconds;
  if (!options.conversation.empty()) body["conversation"] = options.conversation;
  if (!options.version.empty()) body["version"] = options.version;
  return print_reply(api.post(kPath, body), options.api.json);
}

int list_schedules(const ScheduleOptions& options) {
  ApiSession api(options.api);
  Json rows = Json::array();
  std::string cursor;
  do {
    auto page = api.get(
        fmt::format("{}?limit=200{}", kPath, cursor.empty() ? "" : "&cursor=" + percent_encode(cursor)));
    if (!page) return page.error();
    for (Json& row : (*page)["schedules"]) rows.push_back(std::move(row));
    cursor = (*page)["next_cursor"].is_string() ? (*page)["next_cursor"].get<std::string>() : std::string();
  } while (!cursor.empty());
  if (options.api.json) {
    print_line(dump_json(Json{{"schedules", rows}}));
    return kExitOk;
  }
  if (rows.empty()) {
    complain("no schedules");
    return kExitOk;
  }
  std::vector<std::vector<std::string>> table = {{"SCHEDULE", "AGENT", "CRON", "TIME ZONE", "NEXT"}};
  for (const Json& row : rows) {
    table.push_back({word(row, "name"), word(row, "agent"), word(row, "cron"), word(row, "time_zone"),
                     word(row, "next_at")});
  }
  print_table(table);
  return kExitOk;
}

int show_schedule(const ScheduleOptions& options) {
  ApiSession api(options.api);
  return print_reply(api.get(path_of(options.name)), options.api.json);
}

int pause_schedule(const ScheduleOptions& options) {
  ApiSession api(options.api);
  Json body = Json::object();
  if (!options.note.empty()) body["note"] = options.note;
  return print_reply(api.post(path_of(options.name) + "/pause", body), options.api.json);
}

int resume_schedule(const ScheduleOptions& options) {
  ApiSession api(options.api);
  return print_reply(api.post(path_of(options.name) + "/resume", Json::object()), options.api.json);
}

int trigger_schedule(const ScheduleOptions& options) {
  ApiSession api(options.api);
  return print_reply(api.post(path_of(options.name) + "/trigger", Json::object()), options.api.json);
}

int delete_schedule(const ScheduleOptions& options) {
  ApiSession api(options.api);
  return print_reply(api.erase(path_of(options.name)), options.api.json);
}

}  // namespace holdfast::app
