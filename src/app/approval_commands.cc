// approvals, approve, answer.

#include <fmt/format.h>

#include "app/api_session.h"
#include "app/commands.h"
#include "app/exit_code.h"
#include "app/output.h"
#include "app/people_commands.h"
#include "app/printable.h"
#include "app/steering_commands.h"
#include "app/typed_json.h"
#include "app/user_name.h"
#include "base/json.h"
#include "base/url.h"

namespace holdfast::app {

namespace {

// The approval itself, or the one that a run waits for.
std::expected<Json, int> find_approval(ApiSession& api, const std::string& id) {
  auto waiting = api.get("/api/v1/approvals?status=pending&run=" + percent_encode(id));
  if (!waiting) return std::unexpected(waiting.error());
  const Json& rows = (*waiting)["approvals"];
  if (rows.empty()) return api.get("/api/v1/approvals/" + percent_encode(id));
  if (rows.size() == 1) return rows[0];
  std::string all;
  for (const Json& row : rows) {
    all += fmt::format("\n{}  {} {}", row.value("id", ""), one_line(row.value("tool", "")),
                       dump_json(row["arguments"]));
  }
  report_error("ambiguous",
               fmt::format("run {} waits for {} approvals; name the one you mean:{}", id, rows.size(), all));
  return std::unexpected(kExitConflict);
}

// Where several have to: so many of how many, and who may.
std::string approved_of(const Json& row) {
  if (!row.contains("need")) return "";
  std::string out = fmt::format("{}/{}", row.value("have", 0), row.value("need", 1));
  const std::size_t escalated = row.value("escalated", std::size_t{0});
  Json who = row.value("who", Json::array());
  for (std::size_t i = 0; i < escalated && i < row["escalation"].size(); ++i) {
    for (const Json& one : row["escalation"][i]["to"]) who.push_back(one);
  }
  for (const Json& one : who)
    out += (&one == &who.front() ? " by " : ", ") + one_line(one.get<std::string>());
  return out;
}

// All of them, page by page.
std::expected<Json, int> approvals_of(ApiSession& api, const ApprovalsOptions& options) {
  std::string path = "/api/v1/approvals?limit=1000&status=" + percent_encode(options.status);
  if (options.run) path += "&run=" + percent_encode(*options.run);
  if (options.mine) path += "&for=me";
  if (options.teams) path += "&for=team";
  if (options.team) path += "&team=" + percent_encode(*options.team);
  Json rows = Json::array();
  std::string cursor;
  while (true) {
    auto page = api.get(cursor.empty() ? path : path + "&cursor=" + cursor);
    if (!page) return std::unexpected(page.error());
    for (Json& row : (*page)["approvals"]) rows.push_back(std::move(row));
    if (!(*page)["next_cursor"].is_string()) return rows;
    cursor = (*page)["next_cursor"].get<std::string>();
  }
}

}  // namespace

int list_approvals(const ApprovalsOptions& options) {
  ApiSession api(options.api);
  auto rows = approvals_of(api, options);
  if (!rows) return rows.error();
  if (options.api.json) {
    print_line(dump_json(Json{{"approvals", std::move(*rows)}, {"next_cursor", nullptr}}));
    return kExitOk;
  }
  std::vector<std::vector<std::string>> table = {
      {"APPROVAL", "RUN", "TOOL", "ARGUMENTS", "STATUS", "EXPIRES", "APPROVED"}};
  for (const Json& row : *rows) {
    std::string expires = row["expires_at"].is_string() ? row["expires_at"].get<std::string>() : "never";
    const std::string asks =
        row.contains("question") ? row["question"].value("text", "") : dump_json(row["arguments"]);
    table.push_back({row.value("id", ""), row.value("run", ""), row.value("tool", ""), asks,
                     row.value("status", ""), expires, approved_of(row)});
  }
  if (table.size() == 1) {
    complain(options.status == "pending" ? "nothing waits for a decision" : "no approvals");
  } else {
    print_table(table);
  }
  return kExitOk;
}

namespace {

// A form of one text takes it as it is typed.
Result<Json> answer_of(const Json& form, const std::string& typed) {
  auto answer = json_or_text(typed);
  if (!answer || answer->is_object()) return answer;
  const auto properties = form.find("properties");
  const auto only = properties == form.end() ? form.end() : properties->begin();
  if (properties == form.end() || properties->size() != 1 || only->value("type", Json()) != "string") {
    return fail(Code::kInvalidArgument,
                "the answer must be a JSON object of the question's form: `holdfast approvals --json`");
  }
  return Json{{only.key(), typed}};
}

int report_decided(const ApiOptions& api, const Json& answer, std::string_view what) {
  if (api.json) {
    print_line(dump_json(answer));
  } else if (answer.contains("status")) {
    const bool waits = answer.value("status", "") == "pending" && answer.contains("need");
    const std::string status = waits ? "counted (" + approved_of(answer) + ")" : answer.value("status", "");
    const std::string shown = answer.contains("edited_arguments") ? "edited_arguments" : std::string(what);
    print_line(one_line(fmt::format("{}: {} {}", status, answer.value("tool", ""),
                                    answer.contains(shown) ? dump_json(answer[shown]) : "")));
  } else {
    complain(answer.value("detail", "the decision is stored"));
  }
  return kExitOk;
}

}  // namespace

int answer_question(const AnswerOptions& options) {
  if (!options.answer && !options.decline) {
    report_error("usage", "give the answer, or --decline WHY");
    return kExitUsage;
  }
  ApiSession api(options.api);
  auto asked = find_approval(api, options.id);
  if (!asked) return asked.error();
  Json body = {{"decision", options.decline ? "reject" : "answer"},
               {"arguments_sha256", asked->value("arguments_sha256", "")},
               {"decided_by", options.by.empty() ? user_name() : options.by}};
  const std::string& comment = options.decline ? *options.decline : options.comment;
  if (!comment.empty()) body["comment"] = comment;
  if (options.answer) {
    auto answer =
        answer_of(asked->value("question", Json::object()).value("form", Json::object()), *options.answer);
    if (!answer) {
      report_error("usage", answer.error().message());
      return kExitUsage;
    }
    body["answer"] = *std::move(answer);
  }
  auto answer = api.post("/api/v1/approvals/" + percent_encode(asked->value("id", "")) + "/decision", body);
  if (!answer) return answer.error();
  return report_decided(options.api, *answer, "answer");
}

int decide_approval(const ApproveOptions& options) {
  Json body = {{"decision", options.reject ? "reject" : options.arguments ? "edit" : "approve"}};
  if (options.arguments) {
    auto arguments = json_or_text(*options.arguments);
    if (!arguments || !arguments->is_object()) {
      report_error("usage", arguments ? "--arguments must be a JSON object" : arguments.error().message());
      return kExitUsage;
    }
    body["arguments"] = *std::move(arguments);
  }
  if (!options.comment.empty()) body["comment"] = options.comment;
  if (options.for_run) body["scope"] = "run";
  body["decided_by"] = options.by.empty() ? user_name() : options.by;
  ApiSession api(options.api);
  auto approval = find_approval(api, options.id);
  if (!approval) return approval.error();
  body["arguments_sha256"] = approval->value("arguments_sha256", "");
  auto answer =
      api.post("/api/v1/approvals/" + percent_encode(approval->value("id", "")) + "/decision", body);
  if (!answer) return answer.error();
  return report_decided(options.api, *answer, "arguments");
}

}  // namespace holdfast::app
