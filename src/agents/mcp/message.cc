#include "mcp/message.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "spec/written_order.h"

namespace holdfast::mcp {

namespace {

// The list of tools in an answer; null: it is none.
template <class AnyJson>
AnyJson* tools_in(AnyJson& message) {
  if (!message.is_object()) return nullptr;
  const auto result = message.find("result");
  if (result == message.end() || !result->is_object()) return nullptr;
  const auto tools = result->find("tools");
  return tools != result->end() && tools->is_array() ? &*tools : nullptr;
}

}  // namespace

Json parse_message(std::string_view text) {
  Json message = parse_json(text, kMaxForeignJsonDepth);
  Json* tools = tools_in(message);
  if (tools == nullptr) return message;
  // Two members of one name are two there, and the first one is found: what is not as it is here has no
  // order.
  const auto written = parse_json<nlohmann::ordered_json>(text, kMaxForeignJsonDepth);
  const auto* listed = tools_in(written);
  for (std::size_t i = 0; i < tools->size(); ++i) {
    Json& tool = (*tools)[i];
    if (!tool.is_object()) continue;
    tool.erase(std::string(kSchemaInOrder));  // ours alone
    const auto schema = tool.find("inputSchema");
    if (schema == tool.end() || listed == nullptr || i >= listed->size() || !(*listed)[i].is_object())
      continue;
    const auto stood = (*listed)[i].find("inputSchema");
    if (stood == (*listed)[i].end()) continue;
    Json in_order = *schema;
    spec::keep_order(in_order, *stood);
    if (in_order != *schema) tool[std::string(kSchemaInOrder)] = std::move(in_order);
  }
  return message;
}

Json request(std::int64_t id, std::string_view method, Json params) {
  return {{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", std::move(params)}};
}

Json notification(std::string_view method, Json params) {
  Json out = {{"jsonrpc", "2.0"}, {"method", method}};
  if (!params.empty()) out["params"] = std::move(params);
  return out;
}

Kind kind_of(const Json& message) {
  if (!message.is_object()) return Kind::kNone;
  const bool has_id = message.contains("id") && !message["id"].is_null();
  if (message.contains("method")) {
    if (!message["method"].is_string()) return Kind::kNone;
    return has_id ? Kind::kRequest : Kind::kNotification;
  }
  return message.contains("result") || message.contains("error") ? Kind::kAnswer : Kind::kNone;
}

bool answers(const Json& message, std::int64_t id) {
  return kind_of(message) == Kind::kAnswer && message.contains("id") && message["id"] == id;
}

Json reply_to(const Json& asked) {
  Json out = {{"jsonrpc", "2.0"}, {"id", asked["id"]}};
  if (asked["method"] == "ping") {
    out["result"] = Json::object();
  } else {
    out["error"] = {{"code", -32601}, {"message", "this client offers no such thing"}};
  }
  return out;
}

Outcome<Json> result_of(Json answer) {
  if (answer.contains("error")) {
    const Json& error = answer["error"];
    Failure out(Failure::Kind::kError, "");
    if (error.is_object() && error.contains("code") && error["code"].is_number_integer())
      out.code = error["code"].get<int>();
    const Json data = error.is_object() && error.contains("data") ? error["data"] : Json();
    if (data.is_object() && data.contains("supported") && data["supported"].is_array()) {
      for (const Json& version : data["supported"]) {
        if (version.is_string() && out.supported.size() < 16)
          out.supported.push_back(version.get<std::string>());
      }
    }
    out.message = fmt::format("the server answered error {}: {}", out.code,
                              bounded_text(error.is_object() ? text_at(error, "message") : "", 2000));
    return std::unexpected(std::move(out));
  }
  const auto result = answer.find("result");
  if (result == answer.end() || !result->is_object())
    return failed(Failure::Kind::kBroken, "the server's answer has no result");
  return std::move(*result);
}

std::string text_at(const Json& object, std::string_view name) {
  if (!object.is_object()) return "";
  const auto member = object.find(name);
  return member != object.end() && member->is_string() ? member->get<std::string>() : "";
}

}  // namespace holdfast::mcp
