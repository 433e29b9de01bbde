#pragma once

// Waiting for another thread while giving signs of life: an activity that waits for a server heartbeats
// meanwhile.

#include <chrono>
#include <functional>
#include <future>

namespace holdfast {

struct Heartbeat {
  Heartbeat() = default;
  Heartbeat(std::chrono::milliseconds every_in, std::function<void()> beat_in)
      : every(every_in), beat(std::move(beat_in)) {}
  std::chrono::milliseconds every{0};
  std::function<void()> beat;  // on the thread that waits; what it throws ends the waiting. Null: none
};

template <class T>
T await_result(std::future<T> result, const Heartbeat& heartbeat) {
  if (heartbeat.beat) {
    while (result.wait_for(heartbeat.every) != std::future_status::ready) heartbeat.beat();
  }
  return result.get();
}

}  // namespace holdfast
