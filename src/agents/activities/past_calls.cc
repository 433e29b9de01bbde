#include "activities/past_calls.h"

#include <algorithm>
#include <chrono>

#include "activities/policy_replay.h"
#include "base/json.h"
#include "protocol/fork.h"

namespace holdfast::agent {

namespace {

using protocol::PastCall;

// A run may be the fork of a fork; what is farther back is not looked for.
constexpr int kMaxRunsBack = 32;
constexpr std::size_t kEventsAtOnce = 500;
constexpr int kMaxPages = 100;

struct Before {
  std::vector<PlayedCall> calls;
  bool all = true;
};

// The run that it takes up itself, and up to where.
Result<std::optional<PastOf>> one_before(platform::Store& store, const std::string& run) {
  auto origin = store.origin(run);
  if (!origin) return fail(origin.error());
  if (!*origin || (*origin)->state.empty()) return std::nullopt;
  PastOf out;
  out.run = (*origin)->origin;
  if ((*origin)->state == protocol::kForkOrigin) {
    auto settings = store.run_settings(run);
    if (!settings) return fail(settings.error());
    try {
      const auto fork = protocol::fork_in(*settings);
      if (!fork) return std::nullopt;
      out.message = fork->at.sequence;
    } catch (const std::exception& broken) {
      return fail(Code::kDataLoss, std::string("what the run forks: ") + broken.what());
    }
    return out;
  }
  const auto state = parse_json<nlohmann::json>((*origin)->state);
  const auto conversation = state.find("conversation");
  if (conversation == state.end()) return std::nullopt;
  try {
    out.message = conversation->get<protocol::ConversationRef>().sequence;
  } catch (const std::exception& broken) {
    return fail(Code::kDataLoss, std::string("what the run takes up: ") + broken.what());
  }
  return out;
}

Status read_log(platform::Streams& streams, const PastOf& of, Before& out) {
  CallsOfEvents calls(of.run);
  std::string cursor;
  bool more = true;
  bool any = false;
  for (int page = 0; more && page < kMaxPages; ++page) {
    auto read = streams.read(of.run, cursor, kEventsAtOnce);
    if (!read) return read.error();
    for (const platform::Event& event : read->events) {
      any = true;
      const auto at = std::chrono::duration_cast<std::chrono::milliseconds>(event.at.time_since_epoch()).count();
      const Json data = parse_json(event.data);
      if (data.is_object()) calls.apply(event.type, at, data);
    }
    more = read->more;
    cursor = read->cursor;
  }
  if (more || !any) out.all = false;  // longer than is read, or deleted
  for (PlayedCall& call : calls.take()) {
    if (call.message == 0) out.all = false;  // by a build that did not say where
    if (call.message > 0 && call.message <= of.message && was_made(call)) {
      call.arguments = Json();
      out.calls.push_back(std::move(call));
    }
  }
  return {};
}

Status read_back(platform::Store& store, platform::Streams& streams, PastOf of, Before& out) {
  std::vector<PastOf> runs;  // the newest first
  while (true) {
    runs.push_back(of);
    auto before = one_before(store, of.run);
    if (!before) return before.error();
    if (!*before) break;
    if (runs.size() >= kMaxRunsBack) {
      out.all = false;
      break;
    }
    of = {.run = (*before)->run, .message = std::min(of.message, (*before)->message)};
  }
  for (auto run = runs.rbegin(); run != runs.rend(); ++run) {
    if (Status read = read_log(streams, *run, out); !read.ok()) return read;
  }
  return {};
}

}  // namespace

Result<PastCalls> past_calls(platform::Store& store, platform::Streams& streams, const PastOf& of,
                             const std::vector<std::string>& watched,
                             const std::function<protocol::Json(const std::string& tool)>& bound) {
  PastCalls out;
  if (watched.empty()) return out;
  Before before;
  if (Status read = read_back(store, streams, of, before); !read.ok()) return fail(std::move(read));
  if (!before.all) {
    out.lost = watched;
    return out;
  }
  std::size_t bytes = 0;
  for (auto one = before.calls.rbegin(); one != before.calls.rend(); ++one) {
    const bool all = std::ranges::find(watched, "*") != watched.end();
    if (!all && std::ranges::find(watched, one->tool) == watched.end()) continue;
    PastCall call;
    call.tool = one->tool;
    call.sequence = one->message;
    call.ordinal = one->ordinal;
    call.approval = one->approval;
    call.bound = bound(one->tool);
    call.at_ms = one->at_ms;
    call.ended_ms = one->ended_ms;
    call.ok = one->ok;
    bytes += protocol::bytes_of(call);
    if (bytes <= protocol::kMaxPastBytes) {
      out.calls.push_back(std::move(call));
    } else if (std::ranges::find(out.lost, one->tool) == out.lost.end()) {
      out.lost.push_back(one->tool);
    }
  }
  std::ranges::reverse(out.calls);
  return out;
}

}  // namespace holdfast::agent
