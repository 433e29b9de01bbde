#pragma once

// The updates of one execution while they are under way. An update is admitted (in memory only), sent to the
// worker, accepted (an event; from here on durable), completed (an event). The registry holds requests before
// acceptance, and the outcome of those that ended while somebody may still ask; older outcomes are read from
// the history.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "history/stored.h"

namespace holdfast::history {

enum class UpdateStage : std::uint8_t { kAdmitted, kSent, kAccepted, kCompleted, kRejected };

struct Update {
  UpdateStage stage = UpdateStage::kAdmitted;
  pb::update::v1::Request request;  // before acceptance
  std::int64_t accepted_event_id = 0;
  std::optional<pb::update::v1::Outcome> outcome;
  std::uint64_t order = 0;  // of admission
};

class UpdateRegistry {
 public:
  using Snapshot = std::map<std::string, Update>;

  Update* find(const std::string& update_id);
  Update& admit(const pb::update::v1::Request& request);
  Update& put(const std::string& update_id) { return updates_[update_id]; }
  void erase(const std::string& update_id) { updates_.erase(update_id); }
  // Admitted or sent, not yet accepted, in order of admission; `resend` includes those already sent.
  std::vector<std::pair<std::string, Update*>> waiting(bool include_sent);
  bool has_unsent() const;
  bool has_waiting() const;
  std::size_t in_flight() const;
  bool empty() const { return updates_.empty(); }
  void forget_ended();

  Snapshot snapshot() const { return updates_; }
  void restore(Snapshot snapshot) { updates_ = std::move(snapshot); }
  std::map<std::string, Update>& all() { return updates_; }

 private:
  std::map<std::string, Update> updates_;
  std::uint64_t next_order_ = 1;
};

}  // namespace holdfast::history
