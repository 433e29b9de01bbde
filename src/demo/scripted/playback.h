#pragma once

// Playback: one scripted reply on its way out, as the source of a stream: chunk after chunk with the script's
// delays, in pieces of the size that it wants, up to where it says to misbehave. Pure but for the pause it is
// given. Private to this module.

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "scripted/script.h"

namespace holdfast::model {

class Playback {
 public:
  // Comes back to next() after a while.
  using Pause = std::function<void(std::chrono::milliseconds)>;

  // `error_frame`: what a fault inside the stream sends.
  Playback(std::vector<std::string> frames, const ScriptedReply& reply, std::optional<ScriptedFault> fault,
           std::string error_frame)
      : frames_(std::move(frames)),
        delay_(reply.delay),
        write_bytes_(reply.write_bytes),
        fault_(std::move(fault)),
        error_frame_(std::move(error_frame)) {}

  // As Stream::Source. Throws net::StreamCut where the script cuts.
  std::optional<std::string> next(const Pause& pause);

 private:
  std::optional<std::string> misbehave();
  std::string piece();

  const std::vector<std::string> frames_;
  const std::chrono::milliseconds delay_;
  const std::size_t write_bytes_;
  const std::optional<ScriptedFault> fault_;
  const std::string error_frame_;
  std::size_t at_ = 0;
  std::string rest_;  // of the chunk that is being sent
  bool paused_ = false;
  bool ended_ = false;
};

}  // namespace holdfast::model
