#pragma once

// Messages in the neutral form that conversations are stored in and every provider's format is made from.
//
//   {"role":"user","content":[{"type":"text","text":"..."}]}
//   {"role":"assistant","content":[...],"tool_calls":[{"id":"c1","name":"lookup","arguments":"{\"order\":7}"}]}
//   {"role":"tool","content":[...],"tool_call_id":"c1","is_error":true}
//
// `arguments` is the text that the model sent, which need not be JSON. Keys are written in this order and
// without spaces, so that equal messages have equal bytes. Unknown content parts are kept as they are.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/status.h"

namespace holdfast::model {

enum class Role : std::uint8_t { kSystem, kUser, kAssistant, kTool };
std::string_view role_name(Role role);

struct Part {
  Part() = default;
  explicit Part(std::string text_) : text(std::move(text_)) {}
  std::string type = "text";
  std::string text;
  std::string json;  // other types: the whole part as it was stored
};

struct ToolCall {
  ToolCall() = default;
  ToolCall(std::string id_, std::string name_, std::string arguments_)
      : id(std::move(id_)), name(std::move(name_)), arguments(std::move(arguments_)) {}
  std::string id;
  std::string name;
  std::string arguments;
};

struct Message {
  Message() = default;
  static Message system(std::string text);
  static Message user(std::string text);
  static Message assistant(std::string text, std::vector<ToolCall> tool_calls = {});
  static Message tool(std::string tool_call_id, std::string text, bool is_error = false);

  // The text parts, joined.
  std::string text() const;

  Role role = Role::kUser;
  std::vector<Part> content;
  std::vector<ToolCall> tool_calls;  // assistant
  std::string tool_call_id;          // tool
  bool is_error = false;             // tool
};

std::string to_json(const Message& message);
// INVALID_ARGUMENT says what is wrong and where.
Result<Message> message_from_json(std::string_view json);

}  // namespace holdfast::model
