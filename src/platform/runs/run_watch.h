#pragma once

// RunWatch: the logs of a few runs, and the news of all, as one stream with one place to go on from. A place
// is durable: a watch that begins there misses nothing and repeats nothing, also when the process died in
// between.
//
// Not thread-safe; `on_ready` runs on the threads that write the logs and must only hand over (post, wake).

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "holdfast/status.h"
#include "platform/streams.h"
#include "protocol/events.h"

namespace holdfast::runs {

inline constexpr std::string_view kRunsFeed = protocol::event::kRunsFeed;

class RunWatch {
 public:
  // Cursors by log.
  using Place = std::map<std::string, std::string>;
  // One event of a log. Null: what was seen of that log does not count any more, it begins anew.
  using Seen = std::function<void(const std::string& log, const platform::Event* event)>;

  // None for `from`: logs of runs from their beginning, the feed from now, since it is news and not history.
  // A log that the place does not name begins at its beginning; one that its cursor does not fit begins anew.
  static Result<std::unique_ptr<RunWatch>> open(platform::Streams& streams,
                                                const std::vector<std::string>& logs,
                                                const std::optional<Place>& from, platform::Deltas deltas,
                                                const std::function<void()>& on_ready);

  // Shows one batch of each log. False: there was nothing, and on_ready will be called when there is.
  Result<bool> take(const Seen& seen);
  // Behind what was shown and is durable; while `seen` runs, behind what it is shown.
  const Place& place() const { return place_; }

 private:
  RunWatch() = default;

  Place place_;
  std::vector<std::pair<std::string, std::unique_ptr<platform::Subscription>>> subscriptions_;
};

}  // namespace holdfast::runs
