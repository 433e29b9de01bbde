#include "platform/observed_streams.h"

namespace holdfast::platform {

ObservedStreams::ObservedStreams(std::unique_ptr<Streams> streams, const Clock& clock)
    : streams_(std::move(streams)), clock_(clock) {}

Result<Event> ObservedStreams::publish(std::string_view run, std::string_view type, std::string_view json,
                                       std::string_view key) {
  const WallTime before = clock_.now();
  auto event = streams_->publish(run, type, json, key);
  // The first event of its key has the time of its own publishing.
  if (!event || event->at < before) return event;
  for (const Observer& observer : observers_) observer(*event);
  return event;
}

Result<std::unique_ptr<StreamWriter>> ObservedStreams::open(std::string_view run, std::string_view step,
                                                            std::uint32_t attempt) {
  return streams_->open(run, step, attempt);
}

Status ObservedStreams::publish_soon(std::string_view run, std::string_view type, std::string_view json,
                                     std::string_view key) {
  return streams_->publish_soon(run, type, json, key);
}

Result<EventPage> ObservedStreams::read(std::string_view run, std::string_view cursor, std::size_t limit) {
  return streams_->read(run, cursor, limit);
}

Result<std::string> ObservedStreams::end(std::string_view run) {
  return streams_->end(run);
}

Result<ChunkPage> ObservedStreams::read_chunks(std::string_view run, std::string_view step,
                                               std::uint32_t attempt, std::uint64_t offset,
                                               std::size_t limit) {
  return streams_->read_chunks(run, step, attempt, offset, limit);
}

Result<std::unique_ptr<Subscription>> ObservedStreams::subscribe(std::string_view run,
                                                                 std::string_view cursor, Deltas deltas,
                                                                 std::move_only_function<void()> on_ready) {
  return streams_->subscribe(run, cursor, deltas, std::move(on_ready));
}

Result<std::optional<Event>> ObservedStreams::find(std::string_view run, std::string_view key) {
  return streams_->find(run, key);
}

Result<std::vector<std::string>> ObservedStreams::logs(std::string_view after, std::uint32_t limit) {
  return streams_->logs(after, limit);
}

Status ObservedStreams::erase(const std::vector<std::string>& runs) {
  return streams_->erase(runs);
}

}  // namespace holdfast::platform
