#include "runs/run_watch.h"

namespace holdfast::runs {

Result<std::unique_ptr<RunWatch>> RunWatch::open(platform::Streams& streams,
                                                 const std::vector<std::string>& logs,
                                                 const std::optional<Place>& from, platform::Deltas deltas,
                                                 const std::function<void()>& on_ready) {
  std::unique_ptr<RunWatch> watch(new RunWatch());
  for (const std::string& log : logs) {
    std::string& cursor = watch->place_[log];
    if (!from) {
      if (log == kRunsFeed) cursor = streams.end(log).value_or("");
    } else if (auto found = from->find(log); found != from->end()) {
      cursor = found->second;
    }
    auto subscription = streams.subscribe(log, cursor, deltas, [on_ready] { on_ready(); });
    if (!subscription) return fail(subscription.error());
    watch->subscriptions_.emplace_back(log, *std::move(subscription));
  }
  return watch;
}

Result<bool> RunWatch::take(const Seen& seen) {
  bool any = false;
  for (auto& [log, subscription] : subscriptions_) {
    auto page = subscription->take();
    if (!page) return fail(page.error());
    if (page->reset) {
      place_[log] = "";
      seen(log, nullptr);
    }
    for (const platform::Event& event : page->events) {
      if (!event.cursor.empty()) place_[log] = event.cursor;
      seen(log, &event);
    }
    any = any || !page->events.empty();
  }
  return any;
}

}  // namespace holdfast::runs
