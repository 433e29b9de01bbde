#include "mcp/message.h"

#include <fmt/format.h>

#include "base/text.h"

namespace holdfast::mcp {

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
