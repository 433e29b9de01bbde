#include "protocol/code.h"

#include "base/json.h"
#include "base/sha256.h"
#include "protocol/fields.h"

namespace holdfast::protocol {

namespace {

void fields(auto& archive, Is<CodeInput> auto& v) {
  archive("agent", v.agent)("version", v.version)("call", v.call)("previous", v.previous)(
      "answers", v.answers)("runs", v.runs)("role", v.role)("loaded", v.loaded)("settings", v.settings)(
      "requester", v.requester);
}

void fields(auto& archive, Is<CodeRound> auto& v) {
  archive("key", v.key)("calls", v.calls);
}

}  // namespace

// What is carried counts as the text that it is: it is not under its key yet.
std::string code_round_key(const CodeInput& in) {
  Json parts = {"holdfast.code.round.v1", in.call.key, in.previous};
  for (const ToolAnswer& answer : in.answers)
    parts.push_back(Json{to_string(answer.source), answer.key, answer.text, answer.carried});
  return "code:" + sha256_hex(dump_json(parts));
}

std::string code_call_key(const CallRef& call, std::string_view canonical_arguments) {
  const Json parts = {"holdfast.code.call.v1", call.round, call.place, call.tool,
                      std::string(canonical_arguments)};
  return sha256_hex(dump_json(parts));
}

HOLDFAST_PROTOCOL_JSON(CodeInput)
HOLDFAST_PROTOCOL_JSON(CodeRound)

}  // namespace holdfast::protocol
