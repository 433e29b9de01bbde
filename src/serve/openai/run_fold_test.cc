// Goal: a run is told the same whole, streamed and resumed, and nothing is said twice. Method: logs as runs
// write them, folded, and written as Responses and as Chat Completions; a stream that is resumed behind any
// of its events is compared with the end of the whole one.

#include "openai/run_fold.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "base/json.h"
#include "openai/chat_json.h"
#include "openai/response_events.h"
#include "openai/response_json.h"

namespace holdfast::openai {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

using Log = std::vector<platform::Event>;

platform::Event event(std::string type, std::string data) {
  platform::Event out;
  out.run = "r";
  out.type = std::move(type);
  out.data = std::move(data);
  return out;
}

platform::Event delta(int step, int attempt, int offset, const std::string& text) {
  return event(
      "delta",
      dump_json(
          Json{{"step", std::to_string(step)}, {"attempt", attempt}, {"offset", offset}, {"text", text}}));
}

platform::Event reset(int step, int attempt) {
  return event("delta",
               dump_json(Json{{"step", std::to_string(step)}, {"attempt", attempt}, {"reset", true}}));
}

const platform::Event kClosed =
    event("run.closed", R"({"status":"completed","reason":"completed","result":{"output":"Done."}})");

// A call that a person approves, between two turns of the model.
Log refund() {
  return {
      event("run.started", R"({"agent":"refund"})"),
      event("step.started", R"({"step":1,"kind":"model","attempt":1})"),
      reset(1, 1),
      delta(1, 1, 0, "I "),
      delta(1, 1, 2, "look."),
      event("step.completed", R"({"step":1,"kind":"model","text":"I look.","tool_calls":[{"name":"pay"}]})"),
      event("approval.requested",
            R"({"approval":"a1","step":2,"tool":"pay","arguments":"{\"n\":1}","reason":"much"})"),
      event("approval.decided", R"({"approval":"a1","outcome":"approved"})"),
      event("step.started", R"({"step":2,"kind":"sql","name":"pay","arguments":"{\"n\":1}","attempt":1})"),
      event("step.completed", R"({"step":2,"kind":"sql","name":"pay","result":"ok","is_error":false})"),
      event("step.started", R"({"step":3,"kind":"model","attempt":1})"),
      reset(3, 1),
      delta(3, 1, 0, "Done."),
      event("step.completed", R"({"step":3,"kind":"model","text":"Done.","tool_calls":[],"stop":"end"})"),
      event("run.completed", R"({"output":"Done.","usage":{"input_tokens":30,"output_tokens":4}})"),
      kClosed};
}

// A stream that broke in mid-answer, and the attempt behind it.
Log retried(const std::string& again) {
  return {event("run.started", "{}"),
          event("step.started", R"({"step":1,"kind":"model","attempt":1})"),
          reset(1, 1),
          delta(1, 1, 0, "Alpha beta"),
          event("step.retrying", R"({"step":1})"),
          event("step.started", R"({"step":1,"kind":"model","attempt":2})"),
          reset(1, 2),
          delta(1, 2, 0, again.substr(0, 5)),
          delta(1, 2, 5, again.substr(5)),
          event("step.completed", R"({"step":1,"kind":"model","text":"x","tool_calls":[]})"),
          event("run.closed", dump_json(Json{{"status", "completed"}, {"result", {{"output", again}}}}))};
}

RunFold fold(const Log& log) {
  RunFold out;
  for (const platform::Event& one : log) out.apply(one);
  return out;
}

ResponseHead head(bool background = false) {
  platform::RunRecord run;
  run.run = "r";
  run.agent = "refund";
  return response_head(run, background ? R"({"response":{"background":true}})" : "", "http://here");
}

std::string stream(const Log& log, std::optional<std::uint64_t> after = {}, bool background = false) {
  ResponseEvents events(head(background), after);
  RunFold run;
  std::string out;
  events.begin(out, run);
  for (const platform::Event& one : log)
    run.apply(one, [&](const Happening& happening) { events.write(out, run, happening); });
  return out;
}

std::string chunks(const Log& log, bool usage = false) {
  ChatChunks chunks(head(), usage);
  RunFold run;
  std::string out;
  chunks.begin(out);
  for (const platform::Event& one : log)
    run.apply(one, [&](const Happening& happening) { chunks.write(out, run, happening); });
  return out;
}

std::vector<Json> data_of(const std::string& stream) {
  std::vector<Json> out;
  std::istringstream lines(stream);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("data: {")) out.push_back(Json::parse(line.substr(6)));
  }
  return out;
}

std::string said(const std::string& chunks) {
  std::string out;
  for (const Json& chunk : data_of(chunks)) {
    if (!chunk.contains("choices") || chunk["choices"].empty()) continue;
    out += chunk["choices"][0]["delta"].value("content", "");
  }
  return out;
}

TEST(RunFold, TurnsCallsAndQuestionsAreItemsInTheirOrder) {
  const Json response = response_json(head(), fold(refund()));
  EXPECT_EQ(response["id"], "resp_r");
  EXPECT_EQ(response["status"], "completed");
  std::vector<std::string> types;
  for (const Json& item : response["output"]) types.push_back(item["type"]);
  EXPECT_THAT(types, ElementsAre("message", "mcp_approval_request", "mcp_call", "message"));
  EXPECT_EQ(response["output"][0]["phase"], "commentary");
  EXPECT_EQ(response["output"][1]["decision"], "approved");
  EXPECT_EQ(response["output"][2]["output"], "ok");
  EXPECT_EQ(response["output"][3]["phase"], "final_answer");
  EXPECT_EQ(response["usage"]["total_tokens"], 34);
  EXPECT_EQ(response["holdfast"]["waiting_on"], nullptr);
}

TEST(RunFold, WhatWaitsForAPersonIsInProgressAndSaysSo) {
  Log log = refund();
  log.resize(7);
  const RunFold run = fold(log);
  const Json response = response_json(head(), run);
  EXPECT_EQ(response["status"], "in_progress");
  EXPECT_EQ(response["holdfast"]["waiting_on"], "approval");
  EXPECT_EQ(response["output"][1]["id"], "mcpr_a1");
  EXPECT_THAT(chunks(log), HasSubstr("Waiting for a person to approve pay"));
}

TEST(RunFold, AnotherAttemptLeavesNothingOfTheFirst) {
  const Json response = response_json(head(), fold(retried("Alpha gamma")));
  ASSERT_EQ(response["output"].size(), 2u);
  EXPECT_TRUE(response["output"][0]["content"].empty());
  EXPECT_EQ(response["output"][0]["status"], "incomplete");
  EXPECT_EQ(response["output"][1]["content"][0]["text"], "Alpha gamma");
}

TEST(RunFold, EndsAreToldApart) {
  const auto status = [](const std::string& closed) {
    return std::string(
        response_status(head(), fold({event("run.started", "{}"), event("run.closed", closed)})));
  };
  EXPECT_EQ(status(R"({"status":"failed","reason":"rate_limited","error":{"message":"no"}})"), "failed");
  EXPECT_EQ(status(R"({"status":"terminated"})"), "failed");
  EXPECT_EQ(status(R"({"status":"canceled"})"), "cancelled");
  EXPECT_EQ(status(R"({"status":"completed","reason":"max_iterations","result":{"output":"x"}})"),
            "incomplete");
  EXPECT_EQ(response_status(head(true), RunFold()), "queued");
  EXPECT_EQ(response_status(head(false), RunFold()), "in_progress");
}

TEST(RunFold, ARunsOwnWordOfItsEndIsTheEnd) {
  const std::string long_text(20'000, 'x');
  const RunFold said = fold({event("run.started", "{}"),
                             event("step.started", R"({"step":1,"kind":"model"})"), delta(1, 1, 0, long_text),
                             event("step.completed", R"({"step":1,"kind":"model","tool_calls":[]})"),
                             event("run.completed", R"({"output":"xxx...","usage":{"input_tokens":1}})")});
  EXPECT_TRUE(said.has_ended());
  EXPECT_EQ(said.output(), long_text) << "all of it, and not what an event has room for";
  const RunFold failed = fold(
      {event("run.started", "{}"),
       event("run.failed", R"({"error_type":"RateLimitedError","error":"no","usage":{"input_tokens":1}})"),
       event("run.closed", R"({"status":"terminated"})")});
  EXPECT_EQ(response_status(head(), failed), "failed");
  EXPECT_EQ(failed.reason(), "rate_limited");
  EXPECT_EQ(failed.error(), "no");
  const RunFold cap = fold({event("run.started", "{}"),
                            event("run.completed", R"({"output":"max","max_iterations_reached":true})")});
  EXPECT_EQ(cap.limit(), "max_iterations");
  EXPECT_EQ(cap.output(), "max");
}

TEST(RunFold, WhatIsCompactedIsNotSaid) {
  const RunFold run =
      fold({event("step.started", R"({"step":1,"kind":"compact"})"), reset(1, 1), delta(1, 1, 0, "summary"),
            event("step.completed", R"({"step":1,"kind":"compact"})")});
  EXPECT_TRUE(run.items().empty());
}

TEST(RunFold, TextIsBounded) {
  RunFold run;
  run.apply(event("step.started", R"({"step":1,"kind":"model"})"));
  const std::string piece(1 << 20, 'x');
  for (int i = 0; i < 6; ++i) run.apply(delta(1, 1, i << 20, piece));
  EXPECT_EQ(run.items().at(0).text.size(), RunFold::kMaxText);
}

TEST(ResponseEvents, AreTheWholeSequence) {
  std::vector<std::string> types;
  std::uint64_t number = 0;
  const auto events = data_of(stream(refund()));
  for (const Json& one : events) {
    EXPECT_EQ(one["sequence_number"], number++);
    types.push_back(one["type"].get<std::string>().substr(9));
  }
  EXPECT_THAT(
      types,
      ElementsAre("created", "in_progress", "output_item.added", "content_part.added", "output_text.delta",
                  "output_text.delta", "output_text.done", "content_part.done", "output_item.done",
                  "output_item.added", "output_item.done", "in_progress", "in_progress", "output_item.added",
                  "mcp_call.in_progress", "mcp_call_arguments.done", "mcp_call.completed", "output_item.done",
                  "output_item.added", "content_part.added", "output_text.delta", "output_text.done",
                  "content_part.done", "output_item.done", "completed"));
  EXPECT_EQ(events.back()["response"], response_json(head(), fold(refund())));
}

TEST(ResponseEvents, AResumedStreamIsTheEndOfTheWhole) {
  for (const bool background : {false, true}) {
    const std::string whole = stream(refund(), {}, background);
    const auto events = data_of(whole);
    for (std::uint64_t after = 0; after < events.size(); ++after) {
      const std::string rest = stream(refund(), after, background);
      EXPECT_TRUE(whole.ends_with(rest)) << after;
      EXPECT_EQ(data_of(rest).size(), events.size() - 1 - after);
    }
  }
}

TEST(ChatChunks, AreWhatIsSaidAndTheEnd) {
  const std::string out = chunks(refund(), true);
  EXPECT_EQ(said(out), "I look.\n\nDone.");
  const auto all = data_of(out);
  EXPECT_EQ(all[all.size() - 2]["choices"][0]["finish_reason"], "stop");
  EXPECT_EQ(all.back()["usage"]["total_tokens"], 34);
  EXPECT_TRUE(all.back()["choices"].empty());
  EXPECT_THAT(out, testing::EndsWith("data: [DONE]\n\n"));
  EXPECT_THAT(chunks(refund()), Not(HasSubstr("\"usage\"")));
  EXPECT_EQ(chat_completion(head(), fold(refund()))["choices"][0]["message"]["content"], "Done.");
}

TEST(ChatChunks, AnAnswerThatIsGivenAgainIsSaidOnce) {
  EXPECT_EQ(said(chunks(retried("Alpha beta gamma"))), "Alpha beta gamma");
  EXPECT_EQ(said(chunks(retried("Alpha beta"))), "Alpha beta");
  EXPECT_EQ(said(chunks(retried("Alpha gamma"))), "Alpha beta\n\n[answered anew]\n\nAlpha gamma");
  EXPECT_EQ(said(chunks(retried("Alpha"))), "Alpha beta\n\n[answered anew]\n\nAlpha");
}

TEST(ChatChunks, AFailureIsAnError) {
  const std::string out =
      chunks({event("run.started", "{}"),
              event("run.closed", R"({"status":"failed","reason":"refused","error":{"message":"no"}})")});
  EXPECT_THAT(out, HasSubstr(R"("code":"refused")"));
  EXPECT_THAT(out, HasSubstr("has ended as failed: no"));
}

}  // namespace
}  // namespace holdfast::openai
