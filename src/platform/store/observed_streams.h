#pragma once

// ObservedStreams: streams whose published events are told to those who count and export them. An event is
// told when it is durable, on the thread that published it; one that was there before, because its key was,
// is told to nobody. Deltas, and what may be lost by a crash (publish_soon), are in the log only.
//
// Thread-safe, as what it passes on to; observers are, too, and are set before anything is published.

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "platform/streams.h"

namespace holdfast::platform {

class ObservedStreams final : public Streams {
 public:
  // It must only hand over.
  using Observer = std::function<void(const Event& event)>;

  // `clock` is the one that gives the events their times.
  ObservedStreams(std::unique_ptr<Streams> streams, const Clock& clock);

  void observe(Observer observer) { observers_.push_back(std::move(observer)); }

  Result<std::unique_ptr<StreamWriter>> open(std::string_view run, std::string_view step,
                                             std::uint32_t attempt) override;
  Result<Event> publish(std::string_view run, std::string_view type, std::string_view json,
                        std::string_view key) override;
  Status publish_soon(std::string_view run, std::string_view type, std::string_view json,
                      std::string_view key) override;
  Result<EventPage> read(std::string_view run, std::string_view cursor, std::size_t limit) override;
  Result<std::string> end(std::string_view run) override;
  Result<ChunkPage> read_chunks(std::string_view run, std::string_view step, std::uint32_t attempt,
                                std::uint64_t offset, std::size_t limit) override;
  Result<std::unique_ptr<Subscription>> subscribe(std::string_view run, std::string_view cursor,
                                                  Deltas deltas,
                                                  std::move_only_function<void()> on_ready) override;
  Result<std::optional<Event>> find(std::string_view run, std::string_view key) override;
  Result<std::vector<std::string>> logs(std::string_view after, std::uint32_t limit) override;
  Status erase(const std::vector<std::string>& runs) override;

 private:
  const std::unique_ptr<Streams> streams_;
  const Clock& clock_;
  std::vector<Observer> observers_;
};

}  // namespace holdfast::platform
