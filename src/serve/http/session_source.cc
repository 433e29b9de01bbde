#include "http/session_source.h"

#include <fmt/format.h>

#include "base/base64.h"
#include "base/json_member.h"
#include "http/json_reply.h"
#include "net/sse_writer.h"

namespace holdfast::http {

namespace {

// What a slow reader has waiting.
constexpr std::size_t kMaxBatchBytes = 512 * 1024;

struct Place {
  std::string run;
  std::string cursor;
  bool over = false;  // behind the last event of the run
};

std::optional<Place> place_of(std::string_view id) {
  const auto bytes = from_base64url(id);
  const Json json = bytes ? parse_json<Json>(*bytes) : Json();
  if (!json.is_array() || json.size() < 2 || json.size() > 3 || !json[0].is_string() || !json[1].is_string())
    return std::nullopt;
  return Place{json[0].get<std::string>(), json[1].get<std::string>(), json.size() == 3};
}

}  // namespace

Status SessionSource::open(std::string_view id) {
  // First of all: a run that comes while the others are looked up is heard of.
  auto feed = runs_.watch({std::string(runs::kRunsFeed)}, std::nullopt, platform::Deltas::kCommitted,
                          [wake = wake_] { wake->call(); });
  if (!feed) return feed.error();
  feed_ = *std::move(feed);
  const auto place = id.empty() ? std::nullopt : place_of(id);
  auto found = runs::runs_of_session(runs_, conversation_, place ? place->run : std::string());
  if (!found) return found.error();
  reset_ = !id.empty() && !found->found;
  known_.insert(found->runs.begin(), found->runs.end());
  waiting_.assign(found->runs.begin(), found->runs.end());
  if (!place || !found->found) return {};
  if (place->over) {
    waiting_.pop_front();
  } else {
    cursor_ = place->cursor;
  }
  return {};
}

std::string SessionSource::id_of(const std::string& cursor, bool over) const {
  Json place = Json::array({run_, cursor});
  if (over) place.push_back(true);
  return base64url(dump_json(place));
}

void SessionSource::hear(const platform::Event& news) {
  if (news.type != protocol::event::kRunCreated) return;
  const Json data = parse_json<Json>(news.data);
  if (!data.is_object() || holdfast::string_member(data, "conversation") != conversation_) return;
  std::string run = holdfast::string_member(data, "run");
  if (known_.insert(run).second) waiting_.push_back(std::move(run));
}

bool SessionSource::begin_next(std::string& out) {
  while (!waiting_.empty()) {
    run_ = std::move(waiting_.front());
    waiting_.pop_front();
    const std::string cursor = std::exchange(cursor_, {});
    if (!runs_.has_log(run_)) continue;  // its history was deleted
    std::optional<runs::RunWatch::Place> from;
    if (!cursor.empty()) from = runs::RunWatch::Place{{run_, cursor}};
    auto watch = runs_.watch({run_}, from, platform::Deltas::kAtOnce, [wake = wake_] { wake->call(); });
    if (!watch) return false;
    shown_ = *std::move(watch);
    if (reset_)
      net::append_sse_event(out, "", "reset",
                            fmt::format(R"({{"conversation":{}}})", dump_json(Json(conversation_))));
    reset_ = false;
    return true;
  }
  return false;
}

Result<bool> SessionSource::show(std::string& out) {
  bool over = false;
  auto any = shown_->take([&](const std::string& log, const platform::Event* event) {
    over = over || (event != nullptr && event->type == protocol::event::kRunClosed);
    const std::string id = id_of(shown_->place().at(log), over);
    if (event == nullptr) {
      net::append_sse_event(out, id, "reset", fmt::format(R"({{"run":{}}})", dump_json(Json(log))));
      return;
    }
    net::append_sse_event(out, id, event->type, event_json(*event));
  });
  if (over) shown_.reset();
  return any;
}

std::optional<std::string> SessionSource::next() {
  std::string out;
  if (!std::exchange(greeted_, true)) out = "retry: 1000\n\n";
  while (out.size() < kMaxBatchBytes) {
    auto news = feed_->take([this](const std::string&, const platform::Event* event) {
      if (event != nullptr) hear(*event);
    });
    if (!news) return std::nullopt;  // the client comes back and is told
    if (!shown_ && !begin_next(out)) {
      if (!*news) break;
      continue;
    }
    auto any = show(out);
    if (!any) return std::nullopt;
    if (!*any && !*news) break;
  }
  return out;
}

}  // namespace holdfast::http
