#include "protocol/undo.h"

#include "base/json.h"
#include "protocol/fields.h"

namespace holdfast::protocol {

namespace {

constexpr std::string_view kUndoStateBegins = R"({"undo":)";

void fields(auto& archive, Is<UndoInput> auto& v) {
  archive("agent", v.agent)("version", v.version);
}

void fields(auto& archive, Is<UndoBegun> auto& v) {
  archive("origin", v.origin)("effects", v.effects);
}

void fields(auto& archive, Is<UndoFinishInput> auto& v) {
  archive("status", v.status)("error_type", v.error_type)("error", v.error)("output", v.output)(
      "undone", v.undone)("not_undone", v.not_undone);
}

}  // namespace

std::string undo_key(std::string_view call_key) {
  return "undo-" + std::string(call_key);
}

std::string undo_state(const std::vector<Undoable>& effects) {
  return dump_json(Json{{"undo", effects}});
}

bool is_undo_state(std::string_view state) {
  return state.starts_with(kUndoStateBegins);
}

std::vector<Undoable> undo_effects_of(std::string_view state) {
  return parse_json<Json>(state).at("undo").get<std::vector<Undoable>>();
}

HOLDFAST_PROTOCOL_JSON(UndoInput)
HOLDFAST_PROTOCOL_JSON(UndoBegun)
HOLDFAST_PROTOCOL_JSON(UndoFinishInput)

}  // namespace holdfast::protocol
