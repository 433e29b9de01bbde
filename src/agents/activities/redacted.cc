#include "activities/redacted.h"

#include <algorithm>
#include <string>

namespace holdfast::agent {

namespace {

std::size_t leave_out(const Redaction& redaction, std::string& opaque) {
  if (!redaction.touches(opaque)) return 0;
  opaque.clear();
  return 1;
}

}  // namespace

std::size_t redact(const Redaction& redaction, model::Message& message) {
  std::size_t left_out = leave_out(redaction, message.extra);
  const auto holds = [&](const model::Part& part) {
    return part.type != "text" && redaction.touches(part.json);
  };
  left_out += static_cast<std::size_t>(std::count_if(message.content.begin(), message.content.end(), holds));
  std::erase_if(message.content, holds);
  for (model::Part& part : message.content) {
    part.text = redaction.apply(std::move(part.text));
    left_out += leave_out(redaction, part.extra);
  }
  for (model::ToolCall& call : message.tool_calls) {
    for (std::string* text : {&call.id, &call.name, &call.arguments})
      *text = redaction.apply(std::move(*text));
    left_out += leave_out(redaction, call.extra);
  }
  return left_out;
}

}  // namespace holdfast::agent
