#include "scripted/playback.h"

#include "net/message.h"

namespace holdfast::model {

std::optional<std::string> Playback::next(const Pause& pause) {
  if (!rest_.empty()) return piece();
  if (ended_) return std::nullopt;
  if (fault_ && (at_ == fault_->after || at_ == frames_.size())) return misbehave();
  if (at_ == frames_.size()) return std::nullopt;
  if (delay_.count() > 0 && !paused_) {
    paused_ = true;
    pause(delay_);
    return "";
  }
  paused_ = false;
  rest_ = frames_[at_++];
  return piece();
}

std::optional<std::string> Playback::misbehave() {
  switch (fault_->kind) {
    case ScriptedFault::Kind::kHang: return "";  // until the client has enough
    case ScriptedFault::Kind::kStreamError:
      ended_ = true;
      rest_ = error_frame_;
      return piece();
    case ScriptedFault::Kind::kCut:
    case ScriptedFault::Kind::kStatus: break;
  }
  throw net::StreamCut();
}

std::string Playback::piece() {
  const std::size_t size = write_bytes_ == 0 ? rest_.size() : write_bytes_;
  std::string out = rest_.substr(0, size);
  rest_.erase(0, out.size());
  return out;
}

}  // namespace holdfast::model
