// run, runs, cancel, terminate, delete, events.

#include <fmt/format.h>
#include <unistd.h>

#include "activities/settings.h"
#include "app/api_session.h"
#include "app/commands.h"
#include "app/definition_file.h"
#include "app/exit_code.h"
#include "app/input_file.h"
#include "app/output.h"
#include "app/printable.h"
#include "app/typed_json.h"
#include "app/usage_text.h"
#include "base/json.h"
#include "base/text.h"
#include "base/url.h"

namespace holdfast::app {

namespace {

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : dump_json(value);
}

// One line of it.
std::string shortened(std::string_view whole, std::size_t limit) {
  std::string text = one_line(whole);
  if (text.size() <= limit) return text;
  return std::string(cut_text(text, limit - 3)) + "...";
}

// The command that decides it.
std::string how_to_decide(bool question, const std::string& id) {
  return question ? fmt::format("holdfast answer {} ANSWER", id) : "holdfast approve " + id;
}

// "paused by ada: lunch"
std::string hold_of(const Json& run) {
  const Json& hold = run["hold"];
  std::string out = hold.value("state", "");
  if (const std::string by = hold.value("by", ""); !by.empty()) out += " by " + one_line(by);
  if (const std::string why = hold.value("reason", ""); !why.empty()) out += ": " + one_line(why);
  return out;
}

Colour colour_of(const std::string& status) {
  if (status == "completed") return Colour::kGreen;
  if (status == "running" || status == "queued") return Colour::kBlue;
  return Colour::kRed;
}

// Shows on stderr what a run does; text of the model only on a terminal.
class Progress {
 public:
  // False: the run is over.
  bool show(const rest::Event& frame) {
    const Json& data = frame.data.contains("data") ? frame.data["data"] : frame.data;
    if (frame.type == "delta") {
      delta(data);
    } else if (frame.type == "step.started" && data.value("kind", "") != "model") {
      say(Colour::kBlue,
          fmt::format("> {} {}", word(data, "name"), shortened(member(data, "arguments"), 160)));
    } else if (frame.type == "step.started" && data.contains("instead_of")) {
      for (const Json& other : data["instead_of"])
        say(Colour::kYellow, fmt::format("! {} instead of {}: {}", word(data, "name"), word(other, "name"),
                                         shortened(member(other, "why"), 200)));
    } else if (frame.type == "step.waiting") {
      const std::string until = word(data, "until");
      say(Colour::kYellow,
          fmt::format("! waits for the limit of {}{}", word(data, "limit"),
                      until.empty() ? "" : ", whose provider wants to be left alone until " + until));
    } else if (frame.type == "step.completed" && data.value("kind", "") == "model") {
      std::string text = printable(member(data, "text"));
      if (!on_terminal_ && !text.empty()) say(Colour::kDim, text);
    } else if (frame.type == "step.completed") {
      bool bad = data.value("is_error", false);
      say(bad ? Colour::kRed : Colour::kDim,
          fmt::format("< {} {}", word(data, "name"), shortened(member(data, "result"), 160)));
    } else if (frame.type == "step.retrying" || frame.type == "step.failed") {
      say(Colour::kYellow, fmt::format("! {}: {}", frame.type == "step.failed" ? "failed" : "will be retried",
                                       printable(member(data, "error"))));
    } else if (frame.type == "run.paused" || frame.type == "run.parked") {
      const std::string by = word(data, "by");
      say(Colour::kYellow, fmt::format("| {}{}{}", frame.type.substr(4), by.empty() ? "" : " by " + by,
                                       word(data, "error").empty() ? "" : ": " + word(data, "error")));
    } else if (frame.type == "run.resumed") {
      say(Colour::kGreen, "| goes on");
    } else if (frame.type == "plan.stage") {
      const bool step = data.contains("plan_step");
      say(Colour::kBlue, "# " + word(data, "stage") +
                             (step ? fmt::format(", step {} of {}: {}", word(data, "plan_step"),
                                                 word(data, "of"), shortened(member(data, "text"), 160))
                                   : ""));
    } else if (frame.type == "message.seen") {
      say(Colour::kBlue, fmt::format("+ {}: {}", word(data, "by"), shortened(member(data, "text"), 160)));
    } else if (frame.type == "effect.not_undone") {
      say(Colour::kRed, fmt::format("! not undone: {}: {}", word(data, "tool"), word(data, "why")));
    } else if (frame.type == "approval.requested") {
      const bool question = word(data, "kind") == "question";
      say(Colour::kYellow,
          fmt::format("? {} {} waits for {}{}", word(data, "tool"), shortened(member(data, "arguments"), 200),
                      question ? "an answer" : "approval",
                      word(data, "reason").empty() ? "" : ": " + word(data, "reason")));
      say(Colour::kYellow, "  " + how_to_decide(question, word(data, "approval")));
    } else if (frame.type == "approval.decided") {
      std::string by = word(data, "decided_by");
      say(Colour::kGreen, fmt::format("  {}{}", word(data, "outcome"), by.empty() ? "" : " by " + by));
    }
    return frame.type != "run.closed";
  }
  void end_line() {
    if (std::exchange(in_text_, false)) print_progress("\n");
  }

 private:
  static std::string member(const Json& data, const char* name) {
    return data.contains(name) ? text_of(data[name]) : std::string();
  }
  static std::string word(const Json& data, const char* name) { return one_line(member(data, name)); }
  void say(Colour colour, const std::string& text) {
    end_line();
    print_progress(coloured(colour, text, true) + "\n");
  }
  void delta(const Json& data) {
    if (!on_terminal_) return;
    if (data.value("reset", false)) streamed_ = {};
    if (data.value("reset", false) && in_text_) say(Colour::kYellow, "(the model begins again)");
    std::string text = streamed_.feed(place_.new_of(data));
    if (text.empty()) return;
    in_text_ = !text.ends_with('\n');
    print_progress(coloured(Colour::kDim, text, true));
  }

  // Behind a broken connection the last text may come again.
  struct Place {
    std::string new_of(const Json& data) {
      std::string text = data.value("text", "");
      const std::string its = member(data, "step") + "/" + member(data, "attempt");
      const auto offset = data.value("offset", std::uint64_t{0});
      if (std::exchange(attempt, its) != its) end = offset;
      if (offset < end) text.erase(0, end - offset);
      end += text.size();
      return text;
    }
    std::string attempt;
    std::uint64_t end = 0;
  };

  bool on_terminal_ = ::isatty(STDERR_FILENO) == 1;
  bool in_text_ = false;
  Place place_;
  PrintableStream streamed_;
};

int finish(ApiSession& api, const std::string& id, bool json) {
  auto run = api.get("/api/v1/runs/" + percent_encode(id));
  if (!run) return run.error();
  std::string status = run->value("status", "");
  if (json) {
    print_line(dump_json(*run));
  } else if (status == "completed") {
    print_line(printable(text_of((*run)["output"])));
  }
  if (status == "completed") return kExitOk;
  std::string why = run->contains("error") ? (*run)["error"].value("message", "") : "";
  report_error("run_" + status,
               fmt::format("run {} ended as {}{}", id, status, why.empty() ? "" : ": " + why));
  return kExitRunFailed;
}

// `--context` and `--notify`.
int add_settings(const RunOptions& options, Json& body) {
  for (const std::string& one : options.context) {
    const std::size_t equals = one.find('=');
    if (equals == std::string::npos || equals == 0) {
      report_error("usage", "--context is NAME=VALUE");
      return kExitUsage;
    }
    auto parsed = json_or_text(one.substr(equals + 1));
    if (!parsed) return refuse(parsed.error());
    body["context"][one.substr(0, equals)] = *std::move(parsed);
  }
  if (options.notify) {
    auto text = read_file(*options.notify);
    if (!text) return refuse(text.error());
    auto list = agent::notify_list(*text, *options.notify);
    if (!list) {
      report_error("usage", std::string(list.error().message()));
      return kExitUsage;
    }
    body["notify"] = Json(*std::move(list));
  }
  return kExitOk;
}

}  // namespace

int run_agent(const RunOptions& options) {
  if (options.input && options.input_file) {
    report_error("usage", "give the input or --input-file, not both");
    return kExitUsage;
  }
  Result<std::string> typed = options.input.value_or("");
  if (options.input_file) typed = read_file(*options.input_file);
  if (!typed) return refuse(typed.error());
  auto input = typed_input(*typed);
  if (!input) return refuse(input.error());
  ApiSession api(options.api);
  Json body = {{"agent", options.agent}, {"input", *std::move(input)}};
  if (options.id) body["id"] = *options.id;
  if (options.conversation) body["conversation"] = *options.conversation;
  if (const int wrong = add_settings(options, body); wrong != kExitOk) return wrong;
  if (names_file(options.agent)) {
    auto text = read_file(options.agent);
    if (!text) return refuse(text.error());
    auto deployed = api.put_definition(options.agent, *text);
    if (!deployed) return deployed.error();
    body["agent"] = (*deployed)["name"];
  }
  auto started = api.post("/api/v1/runs", body);
  if (!started) return started.error();
  std::string id = (*started)["id"];
  if (options.detach) {
    print_line(options.api.json ? dump_json(*started) : id);
    return kExitOk;
  }
  complain(fmt::format("run {}: {}/runs/{}", id, api.address(), id));
  Progress progress;
  auto followed = api.follow("/api/v1/runs/" + percent_encode(id) + "/events", "", options.timeout,
                             [&](const rest::Event& frame) { return progress.show(frame); });
  progress.end_line();
  if (!followed) {
    if (followed.error() == kExitTimeout) {
      report_error("timeout", fmt::format("run {} is not over yet; it goes on", id));
    }
    return followed.error();
  }
  return finish(api, id, options.api.json);
}

namespace {

// "customer-7: waits (concurrency), behind run-3, 2 ahead".
std::string flow_of(const Json& flow) {
  std::string out = one_line(flow.value("key", ""));
  const std::string state = flow.value("state", "");
  out += (out.empty() ? "" : ": ") + state;
  if (flow.contains("rule")) out += fmt::format(" ({})", flow.value("rule", ""));
  if (flow.contains("behind")) out += ", behind " + one_line(flow.value("behind", ""));
  if (flow.value("ahead", 0) > 0) out += fmt::format(", {} ahead", flow.value("ahead", 0));
  if (flow.contains("until")) out += ", until " + flow.value("until", "");
  if (flow.contains("into")) out += ", by " + one_line(flow.value("into", ""));
  return out;
}

int show_run(ApiSession& api, const RunsOptions& options) {
  auto run = api.get("/api/v1/runs/" + percent_encode(*options.id));
  if (!run) return run.error();
  if (options.api.json) {
    print_line(dump_json(*run));
    return kExitOk;
  }
  std::string status = run->value("status", "");
  print_line(fmt::format("{}  {}  {}", coloured(Colour::kBold, one_line(*options.id)),
                         one_line(run->value("agent", "")), coloured(colour_of(status), status)));
  if (run->contains("origin")) print_line("origin   " + one_line(run->value("origin", "")));
  if (const auto from = run->find("forked_from"); from != run->end()) {
    print_line(fmt::format("fork of  {} at message {}", one_line(from->value("run", "")),
                           (*from)["at"].value("message", 0)));
  }
  if (run->contains("hold")) {
    print_line(coloured(Colour::kYellow, fmt::format("held     {}: holdfast resume {}", hold_of(*run),
                                                     one_line(*options.id))));
    if ((*run)["hold"].contains("error"))
      print_line("         " + shortened(text_of((*run)["hold"]["error"]["message"]), 200));
  }
  if (const std::string conversation = run->value("conversation", ""); conversation != *options.id)
    print_line("said in  " + one_line(conversation));
  if (run->value("waiting_on", Json()) == "conversation")
    print_line("waits    for its turn in the conversation");
  if (run->contains("flow")) print_line("flow     " + flow_of((*run)["flow"]));
  print_line("input    " + shortened(text_of((*run)["input"]), 200));
  if (run->value("history_deleted", false)) print_line("history  deleted, and the steps with it");
  for (const Json& step : (*run)["steps"]) {
    std::string what = step.contains("result") ? text_of(step["result"])
                       : step.contains("text") ? text_of(step["text"])
                                               : "";
    if (step.contains("error")) what = text_of(step["error"]);
    print_line(fmt::format("{:>3}  {:<9}  {:<20} {}", dump_json(step["step"]), step.value("status", ""),
                           one_line(step.value("name", "")), shortened(what, 120)));
  }
  for (const Json& approval : (*run)["approvals"]) {
    if (approval.value("status", "") != "pending") continue;
    const auto question = approval.find("question");
    const std::string asks =
        question != approval.end() ? question->value("text", "") : dump_json(approval["arguments"]);
    print_line(
        coloured(Colour::kYellow,
                 fmt::format("waits    {} {}: {}", one_line(approval.value("tool", "")), shortened(asks, 120),
                             how_to_decide(question != approval.end(), one_line(approval.value("id", ""))))));
  }
  if (!(*run)["output"].is_null()) print_line("output   " + printable(text_of((*run)["output"])));
  if (const auto spent = run->find("spent"); spent != run->end()) {
    print_line(fmt::format("used     {} tokens in, {} out, {} calls; {}", dump_json((*spent)["input_tokens"]),
                           dump_json((*spent)["output_tokens"]), dump_json((*spent)["model_calls"]),
                           cost_text((*spent)["cost"])));
  }
  if (const auto waits = run->find("waiting_on"); waits != run->end() && *waits == "budget")
    print_line(coloured(Colour::kYellow, "waits    for a budget: holdfast budget " + one_line(*options.id)));
  if (run->contains("error")) print_line("error    " + printable(text_of((*run)["error"]["message"])));
  return kExitOk;
}

}  // namespace

int list_runs(const RunsOptions& options) {
  ApiSession api(options.api);
  if (options.id) return show_run(api, options);
  std::string path = fmt::format("/api/v1/runs?limit={}", std::min(options.limit, 200U));
  if (options.status) path += "&status=" + percent_encode(*options.status);
  if (options.agent) path += "&agent=" + percent_encode(*options.agent);
  Json rows = Json::array();
  std::string cursor;
  while (rows.size() < options.limit) {
    auto page = api.get(cursor.empty() ? path : path + "&cursor=" + percent_encode(cursor));
    if (!page) return page.error();
    for (Json& row : (*page)["runs"]) {
      if (rows.size() < options.limit) rows.push_back(std::move(row));
    }
    if (!(*page)["next_cursor"].is_string()) break;
    cursor = (*page)["next_cursor"];
  }
  if (options.api.json) {
    print_line(dump_json(Json{{"runs", rows}}));
    return kExitOk;
  }
  std::vector<std::vector<std::string>> table = {{"RUN", "AGENT", "STATUS", "CREATED", "COST", "INPUT"}};
  for (const Json& row : rows) {
    std::string status = row.value("status", "");
    if (row.contains("hold")) {
      status += fmt::format(" ({})", hold_of(row));
    } else if (row["waiting_on"].is_string()) {
      status += fmt::format(" (waits for {})", row.value("waiting_on", ""));
    }
    table.push_back({row.value("id", ""), row.value("agent", ""), status, row.value("created_at", ""),
                     row.contains("spent") ? cost_text(row["spent"]["cost"]) : std::string(),
                     shortened(text_of(row["input"]), 50)});
  }
  if (rows.empty()) {
    complain("no runs");
  } else {
    print_table(table);
  }
  return kExitOk;
}

int stop_run(const StopOptions& options) {
  ApiSession api(options.api);
  Json body = Json::object();
  if (!options.reason.empty()) body["reason"] = options.reason;
  auto answer = api.post(fmt::format("/api/v1/runs/{}/{}", percent_encode(options.id),
                                     options.terminate ? "terminate" : "cancel"),
                         body);
  if (!answer) return answer.error();
  print_line(options.api.json
                 ? dump_json(*answer)
                 : printable(fmt::format("{} requested: {}", answer->value("requested", ""), options.id)));
  return kExitOk;
}

int delete_run(const DeleteOptions& options) {
  ApiSession api(options.api);
  auto answer = api.erase("/api/v1/runs/" + percent_encode(options.id));
  if (!answer) return answer.error();
  print_line(options.api.json ? dump_json(*answer) : printable("delete requested: " + options.id));
  return kExitOk;
}

int print_events(const EventsOptions& options) {
  ApiSession api(options.api);
  std::string path = "/api/v1/runs/" + percent_encode(options.run) + "/events";
  auto print = [&](const Json& event) {
    if (options.api.json) return print_line(dump_json(event));
    print_line(printable(fmt::format("{}  {:<18} {}", event.value("at", ""), event.value("type", ""),
                                     event.contains("data") ? dump_json(event["data"]) : "")));
  };
  if (options.follow) {
    auto followed = api.follow(path, options.from, {}, [&](const rest::Event& frame) {
      Json event = frame.data.is_object() ? frame.data : Json::object();
      if (!event.contains("type")) event["type"] = frame.type;
      event["cursor"] = frame.id;
      print(event);
      return frame.type != "run.closed";
    });
    return followed ? kExitOk : followed.error();
  }
  std::string cursor = options.from;
  while (true) {
    auto page = api.get(
        fmt::format("{}?limit=1000{}", path, cursor.empty() ? "" : "&cursor=" + percent_encode(cursor)));
    if (!page) return page.error();
    for (const Json& event : (*page)["events"]) print(event);
    if ((*page)["events"].size() < 1000) return kExitOk;
    cursor = (*page)["cursor"];
  }
}

}  // namespace holdfast::app
