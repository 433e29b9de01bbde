#include "worker/marker_machine.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "client/convert.h"

namespace holdfast::worker {
namespace {

constexpr const char* kPatchDetails = "patch-data";
constexpr const char* kIdDetails = "id";
constexpr const char* kValueDetails = "value";

const pb::common::v1::Payload* detail(const MarkerAttributes& attributes, const char* name) {
  const auto found = attributes.details().find(name);
  if (found == attributes.details().end() || found->second.payloads().empty()) return nullptr;
  return &found->second.payloads(0);
}

}  // namespace

std::optional<PatchFact> patch_of(const MarkerAttributes& attributes) {
  if (attributes.marker_name() != kPatchMarker) return std::nullopt;
  const auto* payload = detail(attributes, kPatchDetails);
  if (payload == nullptr) return std::nullopt;
  const auto json = parse_json(payload->data());
  if (!json.is_object() || !json.contains("id") || !json["id"].is_string()) return std::nullopt;
  PatchFact fact;
  fact.id = json["id"].get<std::string>();
  fact.deprecated =
      json.contains("deprecated") && json["deprecated"].is_boolean() && json["deprecated"].get<bool>();
  return fact;
}

std::optional<SideEffectFact> side_effect_of(const MarkerAttributes& attributes) {
  if (attributes.marker_name() != kSideEffectMarker) return std::nullopt;
  const auto* id = detail(attributes, kIdDetails);
  const auto* value = detail(attributes, kValueDetails);
  if (id == nullptr || value == nullptr) return std::nullopt;
  SideEffectFact fact;
  try {
    fact.id = from_payload<std::string>(client::from_proto(*id));
  } catch (const PayloadError&) {
    return std::nullopt;
  }
  fact.value = client::from_proto(*value);
  return fact;
}

std::string marker_id(const MarkerAttributes& attributes) {
  if (const auto patch = patch_of(attributes)) return patch->id;
  if (const auto effect = side_effect_of(attributes)) return effect->id;
  return {};
}

std::shared_ptr<MarkerMachine> MarkerMachine::patch(const std::string& id, bool deprecated) {
  auto machine = std::make_shared<MarkerMachine>(kPatchMarker, id);
  machine->details_[kPatchDetails] = to_payload(nlohmann::json{{"id", id}, {"deprecated", deprecated}});
  return machine;
}

std::shared_ptr<MarkerMachine> MarkerMachine::side_effect(const std::string& id, const Payload& value) {
  auto machine = std::make_shared<MarkerMachine>(kSideEffectMarker, id);
  machine->details_[kIdDetails] = to_payload(id);
  machine->details_[kValueDetails] = value;
  return machine;
}

void MarkerMachine::write(enums::EventType, Command* command) const {
  command->set_command_type(enums::COMMAND_TYPE_RECORD_MARKER);
  auto* out = command->mutable_record_marker_command_attributes();
  out->set_marker_name(marker_);
  for (const auto& [name, payload] : details_) {
    *(*out->mutable_details())[name].add_payloads() = client::to_proto(payload);
  }
}

}  // namespace holdfast::worker
