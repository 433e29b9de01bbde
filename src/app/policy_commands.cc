// policy test.

#include "app/policy_commands.h"

#include <fmt/format.h>

#include "activities/catalog.h"
#include "activities/policy_replay.h"
#include "app/api_session.h"
#include "app/definition_file.h"
#include "app/exit_code.h"
#include "app/input_file.h"
#include "app/output.h"
#include "app/printable.h"
#include "base/json.h"
#include "base/text.h"
#include "base/url.h"

namespace holdfast::app {

namespace {

constexpr std::size_t kShownArguments = 60;
constexpr std::size_t kMaxCallsBytes = 64 << 20;

struct Played {
  std::vector<agent::PlayedCall> calls;
  std::size_t runs = 0;
  std::size_t unreadable = 0;
};

std::expected<Json, int> events_of(ApiSession& api, const std::string& run) {
  const std::string path = "/api/v1/runs/" + percent_encode(run) + "/events?limit=1000";
  Json out = Json::array();
  std::string cursor;
  while (true) {
    auto page = api.get(path + (cursor.empty() ? "" : "&cursor=" + percent_encode(cursor)));
    if (!page) return std::unexpected(page.error());
    for (const Json& event : (*page)["events"]) out.push_back(event);
    if ((*page)["events"].size() < 1000) return out;
    cursor = (*page)["cursor"];
  }
}

std::expected<std::vector<std::string>, int> latest_runs(ApiSession& api, const std::string& name,
                                                         std::uint32_t limit) {
  auto page = api.get(fmt::format("/api/v1/runs?agent={}&limit={}", percent_encode(name), limit));
  if (!page) return std::unexpected(page.error());
  std::vector<std::string> out;
  for (const Json& run : (*page)["runs"]) out.push_back(run.value("id", ""));
  return out;
}

std::expected<Played, int> played_of_runs(const PolicyTestOptions& options, const std::string& name) {
  ApiSession api(options.api);
  std::vector<std::string> runs = options.runs;
  if (runs.empty()) {
    auto latest = latest_runs(api, name, options.limit);
    if (!latest) return std::unexpected(latest.error());
    runs = std::move(*latest);
  }
  Played out;
  out.runs = runs.size();
  for (const std::string& run : runs) {
    auto events = events_of(api, run);
    if (!events) return std::unexpected(events.error());
    for (agent::PlayedCall& call : agent::calls_of_events(run, *events, out.unreadable))
      out.calls.push_back(std::move(call));
  }
  return out;
}

std::expected<Played, int> played_of_file(const std::string& file) {
  auto text = read_file(file, kMaxCallsBytes);
  if (!text) return std::unexpected(refuse(text.error()));
  auto calls = agent::read_calls(*text);
  if (!calls)
    return std::unexpected(refuse(Status(calls.error().code(), file + ": " + calls.error().message())));
  Played out;
  out.calls = std::move(*calls);
  return out;
}

Json row_of(const agent::PlayedCall& call, const agent::PlayedRuling& played) {
  const agent::Ruling& ruling = played.ruling;
  Json row = {{"run", call.run},
              {"tool", call.tool},
              {"args", call.arguments},
              {"was", call.ruling},
              {"is", agent::to_string(ruling.action)},
              {"rule", ruling.rule},
              {"reason", ruling.reason},
              {"differs", played.differs}};
  if (ruling.shadow)
    row["shadow"] = {{"action", agent::to_string(ruling.shadow->action)}, {"rule", ruling.shadow->rule}};
  return row;
}

void print_rows(const std::vector<Json>& rows) {
  std::vector<std::vector<std::string>> table = {{"RUN", "TOOL", "ARGUMENTS", "WAS", "IS", "RULE", "SHADOW"}};
  for (const Json& row : rows) {
    const bool known = !row["was"].get<std::string>().empty();
    if (known && !row["differs"].get<bool>() && !row.contains("shadow")) continue;
    table.push_back({one_line(row.value("run", "")), one_line(row.value("tool", "")),
                     one_line(std::string(cut_text(dump_json(row["args"]), kShownArguments))),
                     known ? row.value("was", "") : "-", row.value("is", ""), row.value("rule", ""),
                     row.contains("shadow") ? row["shadow"].value("action", "") : ""});
  }
  if (table.size() > 1) print_table(table);
}

}  // namespace

int test_policy(const PolicyTestOptions& options) {
  auto file = read_definition_file(options.file);
  if (!file) return refuse(file.error());
  auto definition = agent::parse_definition(file->canonical, options.file);
  if (!definition) return refuse(definition.error());
  auto played = options.calls ? played_of_file(*options.calls) : played_of_runs(options, file->name);
  if (!played) return played.error();
  const auto rulings = agent::play_policy(*definition, played->calls);
  std::vector<Json> rows;
  std::size_t differ = 0, shadows = 0;
  for (std::size_t i = 0; i < rulings.size(); ++i) {
    rows.push_back(row_of(played->calls[i], rulings[i]));
    differ += rulings[i].differs ? 1 : 0;
    shadows += rulings[i].ruling.shadow ? 1 : 0;
  }
  if (options.api.json) {
    print_line(dump_json(Json{{"calls", rows.size()},
                              {"differ", differ},
                              {"shadow", shadows},
                              {"unreadable", played->unreadable},
                              {"rulings", rows}}));
  } else {
    print_rows(rows);
    print_line(fmt::format("{} calls: {} would be ruled on otherwise, {} by rules in shadow", rows.size(),
                           differ, shadows));
    if (played->unreadable > 0)
      complain(fmt::format("{} calls have arguments that the events do not hold whole; they are left out",
                           played->unreadable));
  }
  return differ == 0 ? kExitOk : kExitError;
}

}  // namespace holdfast::app
