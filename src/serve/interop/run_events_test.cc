// A run's log becomes text, calls, questions and an end, each told once: also to a reader who comes back with
// the mark of any event, in another process.

#include "interop/run_events.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace holdfast::interop {
namespace {

using testing::ElementsAre;
using What = RunEvent::What;

platform::Event event(std::string type, std::string data) {
  static std::uint64_t seq = 0;
  platform::Event out;
  out.type = std::move(type);
  out.data = std::move(data);
  out.seq = ++seq;
  out.cursor = fmt::format("5f3c-{}", seq);
  return out;
}

platform::Event delta(int step, int attempt, std::string_view text, bool reset = false) {
  return event("delta", fmt::format(R"({{"step":"{}","attempt":{},"offset":0,"text":"{}"{}}})", step, attempt,
                                    text, reset ? R"(,"reset":true)" : ""));
}

std::string line(const RunEvent& event) {
  static constexpr const char* kNames[] = {"started", "text+", "text",    "text-", "dropped", "call",
                                           "result",  "asked", "decided", "stage", "closed"};
  std::string out = kNames[static_cast<std::size_t>(event.what)];
  for (const std::string& part : {event.id, event.call, event.name, event.text})
    out += part.empty() ? "" : " " + part;
  return out + (event.is_error ? " !" : "");
}

std::vector<std::string> told(RunEvents& events, const std::vector<platform::Event>& log) {
  std::vector<std::string> out;
  for (const platform::Event& one : log)
    events.apply(one, [&](RunEvent&& seen) { out.push_back(line(seen)); });
  return out;
}

const std::vector<platform::Event> kLog = {
    event("run.started", "{}"),
    event("step.started", R"({"kind":"model","step":1,"attempt":1})"),
    delta(1, 1, "", true),
    delta(1, 1, "Half"),
    event("step.retrying", R"({"step":1,"attempt":1,"error":"cut"})"),
    event("step.started", R"({"kind":"model","step":1,"attempt":2})"),
    delta(1, 2, "", true),
    delta(1, 2, "I "),
    delta(1, 2, "pay."),
    event("step.completed", R"({"kind":"model","step":1,"text":"I pay."})"),
    event("approval.requested", R"({"approval":"ap-1","arguments":"{}","step":2,"tool":"pay"})"),
    event("approval.decided", R"({"approval":"ap-1","outcome":"approved","step":2,"tool":"pay"})"),
    event("step.started", R"({"kind":"sql","name":"pay","step":2,"attempt":1,"arguments":"{\"a\":1}"})"),
    event("step.started", R"({"kind":"sql","name":"pay","step":2,"attempt":2,"arguments":"{\"a\":1}"})"),
    event("step.completed", R"({"kind":"sql","name":"pay","step":2,"result":"paid","is_error":false})"),
    event("step.completed", R"({"kind":"model","step":3,"text":"Settled."})"),
    event("run.completed", "{}"),
    event("run.closed", R"({"status":"completed","result":{"output":"Settled.","iterations":2}})"),
};

const std::vector<std::string> kTold = {
    "started",
    "stage 1 step.started {\"kind\":\"model\",\"step\":1,\"attempt\":1}",
    "text+ 1.1",
    "text 1.1 Half",
    "dropped 1.1",
    "stage 1 step.started {\"kind\":\"model\",\"step\":1,\"attempt\":2}",
    "text+ 1.2",
    "text 1.2 I ",
    "text 1.2 pay.",
    "text- 1.2",
    "call 2 pay {}",
    "asked ap-1 2 pay {}",
    "decided ap-1 2 pay approved",
    "result 2 pay paid",
    "text+ 3.0",
    "text 3.0 Settled.",
    "text- 3.0",
    "closed completed Settled.",
};

TEST(RunEvents, EachIsToldOnce) {
  RunEvents events;
  EXPECT_EQ(told(events, kLog), kTold);
}

TEST(RunEvents, AMarkLeadsBackBehindAnyEvent) {
  for (std::size_t cut = 0; cut <= kLog.size(); ++cut) {
    RunEvents before;
    std::vector<std::string> all =
        told(before, {kLog.begin(), kLog.begin() + static_cast<std::ptrdiff_t>(cut)});
    const std::string mark = before.mark();
    RunEvents after(mark);
    if (cut > 0) EXPECT_EQ(after.cursor(), kLog[cut - 1].cursor);
    for (std::string& one : told(after, {kLog.begin() + static_cast<std::ptrdiff_t>(cut), kLog.end()}))
      all.push_back(std::move(one));
    EXPECT_EQ(all, kTold) << "behind event " << cut << ", mark " << mark;
  }
}

TEST(RunEvents, AFailureSaysWhatItIs) {
  RunEvents events;
  EXPECT_THAT(
      told(events, {delta(1, 1, "Ha"),
                    event("run.closed", R"({"status":"failed","error":{"type":"E","message":"no"}})")}),
      ElementsAre("text+ 1.1", "text 1.1 Ha", "dropped 1.1", "closed E failed no !"));
}

TEST(RunEvents, ALogThatBeginsAnewDropsWhatIsOpen) {
  RunEvents events;
  told(events, {delta(1, 1, "Ha")});
  std::vector<std::string> out;
  events.reset([&](RunEvent&& seen) { out.push_back(line(seen)); });
  EXPECT_THAT(out, ElementsAre("dropped 1.1"));
  EXPECT_EQ(events.mark(), "");
}

TEST(RunEvents, WhatIsNoMarkBeginsAnew) {
  EXPECT_EQ(RunEvents(std::string(RunEvents::kMaxMarkBytes + 1, 'a')).mark(), "");
  EXPECT_EQ(RunEvents("5f3c-1~t1~x~~c").cursor(), "5f3c-1");
}

}  // namespace
}  // namespace holdfast::interop
