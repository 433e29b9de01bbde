#pragma once

// Markers: facts that code writes into history. Patches use the marker of Temporal's Rust core (core_patch),
// so that its tools read them; side effects have one of our own.

#include <optional>
#include <string>

#include "holdfast/payload.h"
#include "worker/one_shot_machine.h"

namespace holdfast::worker {

inline constexpr const char* kPatchMarker = "core_patch";
inline constexpr const char* kSideEffectMarker = "holdfast_side_effect";
inline constexpr const char* kVersionAttribute = "TemporalChangeVersion";

using MarkerAttributes = pb::history::v1::MarkerRecordedEventAttributes;

class PatchFact {
 public:
  PatchFact() = default;
  std::string id;
  bool deprecated = false;
};
class SideEffectFact {
 public:
  SideEffectFact() = default;
  std::string id;
  Payload value;
};

std::optional<PatchFact> patch_of(const MarkerAttributes& attributes);
std::optional<SideEffectFact> side_effect_of(const MarkerAttributes& attributes);
// The id inside either; empty for foreign markers.
std::string marker_id(const MarkerAttributes& attributes);

// created -> recorded; no later event refers to a marker.
class MarkerMachine : public OneShotMachine {
 public:
  static std::shared_ptr<MarkerMachine> patch(const std::string& id, bool deprecated);
  static std::shared_ptr<MarkerMachine> side_effect(const std::string& id, const Payload& value);

  MarkerMachine(std::string marker, std::string id) : marker_(std::move(marker)), id_(std::move(id)) {}
  std::string describe(enums::EventType kind) const override {
    return event_text(kind, {{"marker", marker_}, {"id", id_}});
  }
  void write(enums::EventType kind, Command* command) const override;

 protected:
  std::string noun() const override { return "marker " + marker_ + " \"" + id_ + "\""; }

 private:
  const std::string marker_;
  const std::string id_;
  std::map<std::string, Payload> details_;
};

}  // namespace holdfast::worker
