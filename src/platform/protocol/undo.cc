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
  archive("origin", v.origin)("effects", v.effects)("again", v.again)("decision_key", v.decision_key);
}

void fields(auto& archive, Is<UndoTryInput> auto& v) {
  archive("agent", v.agent)("version", v.version)("call", v.call)("step", v.step)("again", v.again)(
      "ask", v.ask)("item", v.item);
}

void fields(auto& archive, Is<UndoTryResult> auto& v) {
  archive("status", v.status)("note", v.note)("ask_after_ms", v.ask_after_ms)("arguments_sha256",
                                                                              v.arguments_sha256);
}

void fields(auto& archive, Is<UndoItemsInput> auto& v) {
  archive("calls", v.calls)("before", v.before)("told", v.told)("tries_again", v.tries_again);
}

void fields(auto& archive, Is<OpenUndoing> auto& v) {
  archive("call", v.call)("item", v.item)("again", v.again);
}

void fields(auto& archive, Is<UndoItemsResult> auto& v) {
  archive("undone", v.undone)("stand", v.stand)("words", v.words)("open", v.open)("next", v.next);
}

void fields(auto& archive, Is<UndoFinishInput> auto& v) {
  archive("status", v.status)("error_type", v.error_type)("error", v.error)("output", v.output)(
      "undone", v.undone)("not_undone", v.not_undone);
}

}  // namespace

std::string undo_key(std::string_view call_key, std::uint32_t again) {
  std::string out = "undo-" + std::string(call_key);
  if (again > 0) out += "-again-" + std::to_string(again);
  return out;
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
HOLDFAST_PROTOCOL_JSON(UndoTryInput)
HOLDFAST_PROTOCOL_JSON(UndoTryResult)
HOLDFAST_PROTOCOL_JSON(UndoItemsInput)
HOLDFAST_PROTOCOL_JSON(OpenUndoing)
HOLDFAST_PROTOCOL_JSON(UndoItemsResult)
HOLDFAST_PROTOCOL_JSON(UndoFinishInput)

}  // namespace holdfast::protocol
