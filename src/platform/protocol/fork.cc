#include "protocol/fork.h"

#include "base/json.h"
#include "protocol/fields.h"

namespace holdfast::protocol {

namespace {

void fields(auto& archive, Is<EditedAnswer> auto& v) {
  archive("call", v.call)("text", v.text)("is_error", v.is_error);
}

void fields(auto& archive, Is<Fork> auto& v) {
  archive("run", v.run)("at", v.at)("message", v.message)("answers", v.answers)("edited", v.edited)(
      "undone", v.undone)("known", v.known)("depth", v.depth)("edit", v.edit)("reason", v.reason)("by", v.by)(
      "inherited", v.inherited)("request", v.request);
}

}  // namespace

HOLDFAST_PROTOCOL_JSON(EditedAnswer)
HOLDFAST_PROTOCOL_JSON(Fork)

std::optional<Fork> fork_in(std::string_view settings) {
  if (settings.find(kForkSetting) == std::string_view::npos) return std::nullopt;
  const Json json = parse_json<Json>(settings);
  if (!json.is_object()) return std::nullopt;
  const auto found = json.find(kForkSetting);
  if (found == json.end() || !found->is_object()) return std::nullopt;
  return found->get<Fork>();
}

}  // namespace holdfast::protocol
