#include "mcp/message.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/kept_numbers.h"
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

void keep_structured(Json& message, std::string_view text) {
  if (!message.is_object()) return;
  const auto result = message.find("result");
  if (result == message.end() || !result->is_object()) return;
  result->erase(std::string(kStructuredAsWritten));
  const auto content = result->find("structuredContent");
  if (content == result->end() || content->is_null()) return;
  const auto written = parse_kept(text, kMaxForeignJsonDepth);
  if (!written.is_object() || !written.contains("result") || !written["result"].is_object()) return;
  const auto stood = written["result"].find("structuredContent");
  if (stood == written["result"].end()) return;
  std::string as_written = dump_kept(*stood);
  // Two members of one name are two there.
  if (parse_json(as_written) == *content)
    (*result)[std::string(kStructuredAsWritten)] = std::move(as_written);
}

}  // namespace

Json parse_message(std::string_view text) {
  Json message = parse_json(text, kMaxForeignJsonDepth);
  keep_structured(message, text);
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

std::vector<Json> messages_in(Json sent) {
  std::vector<Json> out;
  if (!sent.is_array()) {
    out.push_back(std::move(sent));
  } else {
    for (Json& one : sent) out.push_back(std::move(one));
  }
  return out;
}

std::optional<std::string> broken_message(std::string_view text) {
  if (text.find("\"jsonrpc\"") == std::string_view::npos) return std::nullopt;
  auto read = read_json(text, kMaxForeignJsonDepth);
  if (read) return std::nullopt;
  return "the server sent a message that cannot be read: " + bounded_text(read.error().message(), 300);
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

bool says_error(const Json& message) {
  const auto error = message.find("error");
  return error != message.end() && !error->is_null();
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

namespace {

std::string error_words(const Json& error) {
  if (error.is_object()) return text_at(error, "message");
  return error.is_string() ? error.get<std::string>() : dump_json(error);
}

}  // namespace

Outcome<Json> result_of(Json answer) {
  if (says_error(answer)) {
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
    out.message =
        fmt::format("the server answered error {}: {}", out.code, bounded_text(error_words(error), 2000));
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
