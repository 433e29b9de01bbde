#include "model/message.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/kept_numbers.h"
#include "model/resend.h"

namespace holdfast::model {

namespace {

using Json = nlohmann::ordered_json;

Message make(Role role, std::string text) {
  Message out;
  out.role = role;
  if (!text.empty()) out.content.emplace_back(std::move(text));
  return out;
}

Status wrong(const std::string& where, const char* what) {
  return Status(Code::kInvalidArgument, "message: " + where + " must be " + what);
}

// A member that must be a string if it is there.
Status read_string(const Json& object, const char* name, const std::string& where, std::string& out) {
  auto found = object.find(name);
  if (found == object.end()) return {};
  if (!found->is_string()) return wrong(where + name, "a string");
  out = found->get<std::string>();
  return {};
}

// A member that must be an object if it is there, as text.
Status read_object(const Json& object, const char* name, const std::string& where, std::string& out) {
  auto found = object.find(name);
  if (found == object.end()) return {};
  if (!found->is_object()) return wrong(where + name, "an object");
  out = dump_kept(*found);
  return {};
}

Status read_part(const Json& item, Part& part) {
  const std::string where = "content[].";
  if (Status status = read_string(item, "type", where, part.type); !status.ok()) return status;
  if (part.type == "text") {
    if (Status status = read_string(item, "text", where, part.text); !status.ok()) return status;
    return read_object(item, "extra", where, part.extra);
  }
  if (part.type == "opaque") return read_object(item, "block", where, part.json);
  if (part.type == "tool_call") {
    const auto call = item.find("call");
    if (call == item.end() || !call->is_number_unsigned()) return wrong(where + "call", "a position");
    part.call = call->get<std::size_t>();
    return {};
  }
  part.json = dump_kept(item);
  return {};
}

Status read_content(const Json& json, Message& message) {
  auto content = json.find("content");
  if (content == json.end() || content->is_null()) return {};
  if (content->is_string()) {
    message.content.emplace_back(content->get<std::string>());
    return {};
  }
  if (!content->is_array()) return wrong("content", "a list of parts or a string");
  for (const Json& item : *content) {
    if (!item.is_object()) return wrong("content[]", "an object");
    Part part;
    if (Status status = read_part(item, part); !status.ok()) return status;
    message.content.push_back(std::move(part));
  }
  return {};
}

Status read_tool_calls(const Json& json, Message& message) {
  auto calls = json.find("tool_calls");
  if (calls == json.end() || calls->is_null()) return {};
  if (!calls->is_array()) return wrong("tool_calls", "a list");
  for (const Json& item : *calls) {
    if (!item.is_object()) return wrong("tool_calls[]", "an object");
    ToolCall call;
    for (const auto& [name, target] :
         {std::pair{"id", &call.id}, {"name", &call.name}, {"arguments", &call.arguments}}) {
      if (Status status = read_string(item, name, "tool_calls[].", *target); !status.ok()) return status;
    }
    if (Status status = read_object(item, "extra", "tool_calls[].", call.extra); !status.ok()) return status;
    message.tool_calls.push_back(std::move(call));
  }
  for (const Part& part : message.content) {
    if (part.type == "tool_call" && part.call >= message.tool_calls.size())
      return wrong("content[].call", "the position of a call");
  }
  return {};
}

Json part_json(const Part& part) {
  if (part.type == "text") {
    Json out = {{"type", "text"}, {"text", part.text}};
    if (!part.extra.empty()) out["extra"] = parse_kept(part.extra);
    return out;
  }
  if (part.type == "opaque") return {{"type", "opaque"}, {"block", parse_kept(part.json)}};
  if (part.type == "tool_call") return {{"type", "tool_call"}, {"call", part.call}};
  Json other = parse_kept(part.json);
  return other.is_discarded() ? Json{{"type", part.type}} : other;
}

}  // namespace

std::string_view role_name(Role role) {
  switch (role) {
    case Role::kSystem: return "system";
    case Role::kUser: return "user";
    case Role::kAssistant: return "assistant";
    case Role::kTool: return "tool";
  }
  return "user";
}

Message Message::system(std::string text) {
  return make(Role::kSystem, std::move(text));
}
Message Message::user(std::string text) {
  return make(Role::kUser, std::move(text));
}

Message Message::assistant(std::string text, std::vector<ToolCall> calls) {
  Message out = make(Role::kAssistant, std::move(text));
  out.tool_calls = std::move(calls);
  return out;
}

Message Message::tool(std::string id, std::string text, bool error) {
  Message out = make(Role::kTool, std::move(text));
  out.tool_call_id = std::move(id);
  out.is_error = error;
  return out;
}

Part Part::opaque(std::string block) {
  Part out;
  out.type = "opaque";
  out.json = std::move(block);
  return out;
}

Part Part::tool_call(std::size_t call) {
  Part out;
  out.type = "tool_call";
  out.call = call;
  return out;
}

bool Message::holds_opaque() const {
  if (!extra.empty()) return true;
  for (const Part& part : content) {
    if (part.type == "opaque" || part.type == "tool_call" || !part.extra.empty()) return true;
  }
  return std::any_of(tool_calls.begin(), tool_calls.end(),
                     [](const ToolCall& call) { return !call.extra.empty() || !is_plain_id(call.id); });
}

std::string Message::text() const {
  std::string out;
  for (const Part& part : content) {
    if (part.type == "text") out += part.text;
  }
  return out;
}

std::string to_json(const Message& message) {
  Json out;
  out["role"] = role_name(message.role);
  Json& content = out["content"] = Json::array();
  for (const Part& part : message.content) content.push_back(part_json(part));
  if (!message.tool_calls.empty()) {
    Json& calls = out["tool_calls"] = Json::array();
    for (const ToolCall& call : message.tool_calls) {
      calls.push_back({{"id", call.id}, {"name", call.name}, {"arguments", call.arguments}});
      if (!call.extra.empty()) calls.back()["extra"] = parse_kept(call.extra);
    }
  }
  if (message.role == Role::kTool) out["tool_call_id"] = message.tool_call_id;
  if (message.is_error) out["is_error"] = true;
  if (!message.extra.empty()) out["extra"] = parse_kept(message.extra);
  if (!message.origin.empty()) out["origin"] = message.origin;
  return dump_kept(out);
}

Result<Message> message_from_json(std::string_view text) {
  const Json json = parse_kept(text);
  if (!json.is_object()) return fail(Code::kInvalidArgument, "message: not a JSON object");
  Message out;
  std::string role;
  if (Status status = read_string(json, "role", "", role); !status.ok()) return fail(status);
  bool known = false;
  for (Role candidate : {Role::kSystem, Role::kUser, Role::kAssistant, Role::kTool}) {
    if (role_name(candidate) != role) continue;
    out.role = candidate;
    known = true;
  }
  if (!known) return fail(wrong("role", "system, user, assistant or tool"));
  if (Status status = read_content(json, out); !status.ok()) return fail(status);
  if (Status status = read_tool_calls(json, out); !status.ok()) return fail(status);
  if (Status status = read_string(json, "tool_call_id", "", out.tool_call_id); !status.ok())
    return fail(status);
  if (Status status = read_object(json, "extra", "", out.extra); !status.ok()) return fail(status);
  if (Status status = read_string(json, "origin", "", out.origin); !status.ok()) return fail(status);
  auto is_error = json.find("is_error");
  if (is_error != json.end()) {
    if (!is_error->is_boolean()) return fail(wrong("is_error", "true or false"));
    out.is_error = is_error->get<bool>();
  }
  return out;
}

}  // namespace holdfast::model
