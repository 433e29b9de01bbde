#include "model/decoder.h"

namespace holdfast::model {

void Decoder::add_text(std::string_view text, OnDelta& on_delta) {
  if (text.empty()) return;
  auto& content = completion_.message.content;
  if (content.empty()) content.emplace_back();
  content.back().text += text;
  if (!on_delta) return;
  Delta delta;
  delta.kind = Delta::Kind::kText;
  delta.text = text;
  on_delta(delta);
}

std::size_t Decoder::begin_call(std::string id, std::string name, OnDelta& on_delta) {
  auto& calls = completion_.message.tool_calls;
  const std::size_t position = calls.size();
  // Some local servers give no id: the position is unique within the message, which is what the answer refers
  // to.
  if (id.empty()) id = "call_" + std::to_string(position);
  calls.emplace_back(std::move(id), std::move(name), std::string());
  if (on_delta) {
    Delta delta;
    delta.kind = Delta::Kind::kToolCallBegin;
    delta.tool_call = position;
    delta.id = calls.back().id;
    delta.name = calls.back().name;
    on_delta(delta);
  }
  return position;
}

void Decoder::add_arguments(std::size_t call, std::string_view fragment, OnDelta& on_delta) {
  if (fragment.empty()) return;
  completion_.message.tool_calls[call].arguments += fragment;
  if (!on_delta) return;
  Delta delta;
  delta.kind = Delta::Kind::kToolCallArguments;
  delta.tool_call = call;
  delta.text = fragment;
  on_delta(delta);
}

void Decoder::fail_with(ErrorKind kind, std::string message, std::string code) {
  Error error(kind, std::move(message));
  error.code = std::move(code);
  error_ = std::move(error);
}

}  // namespace holdfast::model
