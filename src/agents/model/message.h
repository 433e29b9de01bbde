#pragma once

// Messages in the neutral form that conversations are stored in and every provider's format is made from.
//
//   {"role":"user","content":[{"type":"text","text":"..."}]}
//   {"role":"assistant","content":[...],"tool_calls":[{"id":"c1","name":"lookup","arguments":"{\"order\":7}"}]}
//   {"role":"tool","content":[...],"tool_call_id":"c1","is_error":true}
//
// `arguments` is the text that the model sent, which need not be JSON. Keys are written in this order and
// without spaces, so that equal messages have equal bytes. Unknown content parts are kept as they are.
//
// What only its provider understands is kept, too, and goes back to where it came from, and nowhere else:
// what a model thought, with its signature; citations; marks on a call.
//
//   {"role":"assistant","content":[{"type":"opaque","block":{"type":"thinking","signature":"..."}},
//    {"type":"text","text":"...","extra":{"citations":[...]}},{"type":"tool_call","call":0},...],
//    "tool_calls":[{...,"extra":{...}}],"extra":{"reasoning_content":"..."},"origin":"openai
//    api.deepseek.com"}
//
// A part `tool_call` says where a call stands that is not behind all other content; there are none otherwise.

#include <cstddef>
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
  static Part opaque(std::string block);
  static Part tool_call(std::size_t call);

  std::string type = "text";
  std::string text;
  std::string extra;     // text: a JSON object of what else the provider put there; empty: nothing
  std::string json;      // opaque: the provider's block; other types: the whole part as it was stored
  std::size_t call = 0;  // tool_call: its position among the message's
};

struct ToolCall {
  ToolCall() = default;
  ToolCall(std::string id_, std::string name_, std::string arguments_)
      : id(std::move(id_)), name(std::move(name_)), arguments(std::move(arguments_)) {}
  std::string id;
  std::string name;
  std::string arguments;
  std::string extra;  // a JSON object of what else the provider put there; empty: nothing
};

struct Message {
  Message() = default;
  static Message system(std::string text);
  static Message user(std::string text);
  static Message assistant(std::string text, std::vector<ToolCall> tool_calls = {});
  static Message tool(std::string tool_call_id, std::string text, bool is_error = false);

  // The text parts, joined.
  std::string text() const;
  // Whether there is anything that only its provider understands, an id that others would not take included.
  bool holds_opaque() const;

  Role role = Role::kUser;
  std::vector<Part> content;
  std::vector<ToolCall> tool_calls;  // assistant
  std::string tool_call_id;          // tool
  bool is_error = false;             // tool
  std::string extra;                 // a JSON object of what else the provider put there; empty: nothing
  std::string origin;                // who understands what is opaque (origin_of()); empty: nothing is
};

std::string to_json(const Message& message);
// INVALID_ARGUMENT says what is wrong and where.
Result<Message> message_from_json(std::string_view json);

}  // namespace holdfast::model
