#include "runs/session.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/sha256.h"

namespace holdfast::runs {

namespace {

constexpr std::uint32_t kPage = 200;

// The run that the conversation is named after stands in no line.
Result<std::optional<platform::RunRecord>> owner_of(Runs& runs, const std::string& conversation) {
  auto owner = runs.find(conversation);
  if (!owner && run_fault(owner.error()) == RunFault::kRunNotFound) return std::nullopt;
  if (!owner) return fail(owner.error());
  const bool own = owner->conversation.empty() || owner->conversation == conversation;
  return own ? std::optional(*std::move(owner)) : std::nullopt;
}

Status nobody(const std::string& conversation) {
  return with_fault(Code::kNotFound, RunFault::kConversationNotFound,
                    fmt::format("there is no conversation '{}'", conversation));
}

}  // namespace

Result<SessionRuns> runs_of_session(Runs& runs, const std::string& conversation, const std::string& from) {
  SessionRuns out;
  std::string after;
  while (!out.found && out.runs.size() < kMaxSessionRuns) {
    auto page = runs.turns(conversation, after, kPage);
    if (!page) return fail(page.error());
    for (const platform::Turn& turn : *page) {
      out.runs.push_back(turn.run);
      out.found = turn.run == from;
      if (out.found) break;
    }
    if (page->size() < kPage) break;
    after = page->back().run;
  }
  if (!out.found && out.runs.size() < kMaxSessionRuns) {
    auto owner = owner_of(runs, conversation);
    if (!owner) return fail(owner.error());
    if (*owner && std::ranges::find(out.runs, conversation) == out.runs.end()) {
      out.runs.push_back(conversation);
      out.found = conversation == from;
    }
  }
  if (out.runs.empty()) return fail(nobody(conversation));
  std::ranges::reverse(out.runs);
  return out;
}

Result<std::optional<platform::RunRecord>> working_run(Runs& runs, const std::string& conversation) {
  auto owner = owner_of(runs, conversation);
  if (!owner) return fail(owner.error());
  if (*owner) {
    auto open = runs.is_open(conversation);
    if (!open) return fail(open.error());
    if (*open) return *std::move(owner);
  }
  auto newest = runs.turns(conversation, "", 1);
  if (!newest) return fail(newest.error());
  if (newest->empty() || newest->front().over) return std::nullopt;
  const platform::Turn& turn = newest->front();
  auto run = runs.find(turn.first.empty() ? turn.run : turn.first);
  if (!run) return fail(run.error());
  return *std::move(run);
}

Result<std::vector<std::string>> open_runs(Runs& runs, const std::string& conversation) {
  std::vector<std::string> out;
  std::string after;
  bool any = false;
  while (true) {
    auto page = runs.turns(conversation, after, kPage);
    if (!page) return fail(page.error());
    for (const platform::Turn& turn : *page) {
      if (!turn.over) out.push_back(turn.run);
    }
    any = any || !page->empty();
    if (page->size() < kPage) break;
    after = page->back().run;
  }
  auto owner = owner_of(runs, conversation);
  if (!owner) return fail(owner.error());
  if (!*owner && !any) return fail(nobody(conversation));
  if (*owner) {
    auto open = runs.is_open(conversation);
    if (!open) return fail(open.error());
    if (*open && std::ranges::find(out, conversation) == out.end()) out.push_back(conversation);
  }
  return out;
}

Result<platform::RunRecord> newest_run(Runs& runs, const std::string& conversation) {
  auto newest = runs.turns(conversation, "", 1);
  if (!newest) return fail(newest.error());
  if (!newest->empty()) return runs.find(newest->front().run);
  auto owner = owner_of(runs, conversation);
  if (!owner) return fail(owner.error());
  return *owner ? Result<platform::RunRecord>(**std::move(owner)) : fail(nobody(conversation));
}

std::string run_of_message(const std::string& conversation, const std::string& message) {
  return "said-" + sha256_hex(conversation + "\n" + message).substr(0, 32);
}

}  // namespace holdfast::runs
