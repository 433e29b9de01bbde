// Gemini's generateContent and streamGenerateContent, from the server's side.

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/ids.h"
#include "base/json.h"
#include "base/json_member.h"
#include "base/url.h"
#include "net/sse_writer.h"
#include "scripted/wire.h"

namespace holdfast::model {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kStream = ":streamGenerateContent";
constexpr std::string_view kWhole = ":generateContent";
// What others may say of a call that this model did not make.
constexpr std::string_view kUnsigned = "skip_thought_signature_validator";

Status refused(const std::string& why) {
  return Status(Code::kInvalidArgument, why);
}

// The model that a path names, behind the version; none: it is no path of this format.
std::optional<std::string> model_of(std::string_view path, std::string_view method) {
  for (const std::string_view base : {"/v1beta/models/", "/v1/models/"}) {
    if (!path.starts_with(base) || !path.ends_with(method)) continue;
    const std::string_view name = path.substr(base.size(), path.size() - base.size() - method.size());
    return percent_decode(name, false);
  }
  return std::nullopt;
}

// The turns of a conversation, as strictly as the provider reads them: the calls of one turn are answered in
// the next, by name, and signatures are the provider's own.
class Contents {
 public:
  Contents(ScriptedRequest& out, bool demands_signatures) : out_(out), demands_(demands_signatures) {}

  Status read(const Json& contents) {
    if (!contents.is_array() || contents.empty()) return refused("contents is not specified");
    for (const Json& turn : contents) {
      if (!turn.is_object() || !turn.contains("parts") || !turn["parts"].is_array() || turn["parts"].empty())
        return refused("contents: parts must not be empty");
      const std::string role = string_member(turn, "role");
      if (role != "user" && role != "model") return refused("please use a valid role: user, model");
      if (Status status = role == "model" ? said(turn["parts"]) : asked(turn["parts"]); !status.ok())
        return status;
    }
    if (!open_.empty()) return unanswered();
    return {};
  }

 private:
  static Status unanswered() {
    return refused(
        "please ensure that the number of function response parts is equal to the number of function call "
        "parts "
        "of the function call turn");
  }

  Status said(const Json& parts) {
    if (!open_.empty()) return unanswered();
    ++out_.turn;
    out_.news.clear();
    bool first = true;
    out_.last.clear();
    for (const Json& part : parts) {
      if (!part.is_object()) return refused("contents: a part must be an object");
      const std::string signature = string_member(part, "thoughtSignature");
      if (!signature.empty() && signature != kUnsigned && !signature.starts_with(kCipherBegin))
        return refused("corrupted thought signature");
      out_.last += string_member(part, "text");
      const auto call = part.find("functionCall");
      if (call == part.end()) continue;
      if (!call->is_object() || string_member(*call, "name").empty() ||
          (call->contains("args") && !(*call)["args"].is_object()))
        return refused("a functionCall needs a name and args as an object");
      if (first && demands_ && signature.empty())
        return refused("Function call is missing a thought_signature in functionCall parts");
      first = false;
      open_.emplace_back(string_member(*call, "id"), string_member(*call, "name"));
    }
    out_.characters += out_.last.size();
    return {};
  }

  Status asked(const Json& parts) {
    out_.last.clear();
    for (const Json& part : parts) {
      if (!part.is_object()) return refused("contents: a part must be an object");
      out_.last += string_member(part, "text");
      const auto answer = part.find("functionResponse");
      if (answer == part.end()) continue;
      if (!answer->is_object() || !answer->contains("response") || !(*answer)["response"].is_object())
        return refused("a functionResponse needs a response as an object");
      const auto found = std::find(open_.begin(), open_.end(),
                                   std::pair(string_member(*answer, "id"), string_member(*answer, "name")));
      if (found == open_.end())
        return refused("a functionResponse answers no functionCall of the turn before it");
      open_.erase(found);
      const Json& response = (*answer)["response"];
      out_.last += string_member(response, response.contains("output") ? "output" : "error");
    }
    out_.characters += out_.last.size();
    out_.news += out_.last + '\n';
    return open_.empty() ? Status() : unanswered();
  }

  ScriptedRequest& out_;
  const bool demands_;
  std::vector<std::pair<std::string, std::string>> open_;  // id and name of the calls of the last turn
};

Status read_tools(const Json& body, ScriptedRequest& out) {
  const auto tools = body.find("tools");
  if (tools == body.end()) return {};
  if (!tools->is_array()) return refused("tools must be a list");
  for (const Json& tool : *tools) {
    if (!tool.is_object() || !tool.contains("functionDeclarations") ||
        !tool["functionDeclarations"].is_array())
      return refused("a tool needs functionDeclarations");
    for (const Json& function : tool["functionDeclarations"]) {
      const std::string name = function.is_object() ? string_member(function, "name") : std::string();
      if (name.empty()) return refused("a function declaration needs a name");
      out.tools.push_back(name);
    }
  }
  return {};
}

bool is_object(const std::string& arguments) {
  return parse_json<Json>(arguments).is_object();
}

// What the model wrote as a call and is none is told, and not shown.
bool is_malformed(const ScriptedReply& reply) {
  return std::any_of(reply.tool_calls.begin(), reply.tool_calls.end(),
                     [](const ScriptedToolCall& call) { return !is_object(call.arguments); });
}

const char* finish_reason(const ScriptedReply& reply) {
  if (is_malformed(reply)) return "MALFORMED_FUNCTION_CALL";
  switch (reply.stop) {
    case ScriptedStop::kMaxTokens: return "MAX_TOKENS";
    case ScriptedStop::kContentFilter: return "SAFETY";
    case ScriptedStop::kEnd:
    case ScriptedStop::kToolCalls: return "STOP";
  }
  return "STOP";
}

Json usage_of(const ScriptedRequest& request, const ScriptedReply& reply) {
  const std::int64_t input = input_tokens_of(request, reply);
  const std::int64_t output = output_tokens_of(reply);
  const std::int64_t thoughts = std::min(reply.reasoning_tokens, output);
  Json out = {{"promptTokenCount", input},
              {"candidatesTokenCount", output - thoughts},
              {"totalTokenCount", input + output}};
  if (reply.cached_tokens > 0) out["cachedContentTokenCount"] = reply.cached_tokens;
  if (thoughts > 0) out["thoughtsTokenCount"] = thoughts;
  return out;
}

std::vector<Json> calls_of(const ScriptedRequest& request, const ScriptedReply& reply) {
  std::vector<Json> out;
  if (is_malformed(reply)) return out;
  for (std::size_t i = 0; i < reply.tool_calls.size(); ++i) {
    const ScriptedToolCall& call = reply.tool_calls[i];
    out.push_back({{"functionCall",
                    {{"id", call_id(request, call, i, "fc")},
                     {"name", call.name},
                     {"args", parse_json<Json>(call.arguments)}}}});
    // The first one of a turn is signed, for all of them.
    if (i == 0 && !reply.reasoning.empty()) out.back()["thoughtSignature"] = cipher_of(request);
  }
  return out;
}

Json document(const ScriptedRequest& request, Json parts) {
  return {{"candidates",
           Json::array({{{"content", {{"parts", std::move(parts)}, {"role", "model"}}}, {"index", 0}}})},
          {"modelVersion", request.model},
          {"responseId", "req_" + stable_id(request)}};
}

class Gemini : public ScriptedWire {
 public:
  bool takes(std::string_view path) const override {
    return model_of(path, kStream) || model_of(path, kWhole);
  }

  Result<ScriptedRequest> read(std::string_view path, std::string_view text) const override {
    const Json body = parse_json<Json>(text);
    if (!body.is_object()) return fail(Code::kInvalidArgument, "invalid JSON payload received");
    ScriptedRequest out;
    out.api = "gemini";
    out.stream = path.ends_with(kStream);
    out.model = model_of(path, out.stream ? kStream : kWhole).value_or("");
    if (out.model.empty()) return fail(Code::kInvalidArgument, "model is not specified");
    for (const auto& [name, value] : body.items()) {
      constexpr std::array<std::string_view, 7> kKnown = {
          "contents",   "systemInstruction", "tools",        "generationConfig",
          "toolConfig", "safetySettings",    "cachedContent"};
      if (std::find(kKnown.begin(), kKnown.end(), name) == kKnown.end())
        return fail(Code::kInvalidArgument, "unknown name \"" + name + "\": cannot find field");
    }
    if (const auto system = body.find("systemInstruction"); system != body.end() && system->is_object() &&
                                                            system->contains("parts") &&
                                                            (*system)["parts"].is_array()) {
      for (const Json& part : (*system)["parts"]) out.system += string_member(part, "text");
    }
    const auto contents = body.find("contents");
    if (contents == body.end()) return fail(Code::kInvalidArgument, "contents is not specified");
    if (Status status = Contents(out, out.model.starts_with("gemini-3")).read(*contents); !status.ok())
      return fail(status);
    if (Status status = read_tools(body, out); !status.ok()) return fail(status);
    out.characters += out.system.size();
    out.hash = stable_hash(dump_json(*contents), stable_hash(out.system, stable_hash(out.model)));
    return out;
  }

  std::string whole(const ScriptedRequest& request, const ScriptedReply& reply) const override {
    Json parts = Json::array();
    if (!reply.reasoning.empty()) parts.push_back({{"text", reply.reasoning}, {"thought", true}});
    if (!reply.text.empty()) parts.push_back({{"text", reply.text}});
    for (Json& call : calls_of(request, reply)) parts.push_back(std::move(call));
    Json out = document(request, std::move(parts));
    out["candidates"][0]["finishReason"] = finish_reason(reply);
    out["usageMetadata"] = usage_of(request, reply);
    return dump_json(out);
  }

  std::vector<std::string> frames(const ScriptedRequest& request, const ScriptedReply& reply) const override {
    std::vector<std::string> out;
    const auto add = [&](Json part) {
      out.push_back(net::sse_event({}, dump_json(document(request, Json::array({std::move(part)})))));
    };
    for (const std::string& piece : pieces_of(reply.reasoning, reply.chunk))
      add({{"text", piece}, {"thought", true}});
    for (const std::string& piece : pieces_of(reply.text, reply.chunk)) add({{"text", piece}});
    for (Json& call : calls_of(request, reply)) add(std::move(call));
    Json last = document(request, Json::array({{{"text", ""}}}));
    if (!reply.reasoning.empty() && reply.tool_calls.empty())
      last["candidates"][0]["content"]["parts"][0]["thoughtSignature"] = cipher_of(request);
    last["candidates"][0]["finishReason"] = finish_reason(reply);
    last["usageMetadata"] = usage_of(request, reply);
    out.push_back(net::sse_event({}, dump_json(last)));
    return out;
  }

  std::string error_body(int status, const ScriptedFault& fault) const override {
    return dump_json(error_of(status, fault));
  }
  std::string error_frame(const ScriptedFault& fault) const override {
    return net::sse_event({}, dump_json(error_of(fault.type.empty() && fault.code.empty() ? 503 : 0, fault)));
  }
  std::string_view request_id_header() const override { return {}; }

 private:
  static Json error_of(int status, const ScriptedFault& fault) {
    std::string name = fault.type.empty() ? fault.code : fault.type;  // this format has one word
    if (name.empty()) {
      switch (status) {
        case 400: name = "INVALID_ARGUMENT"; break;
        case 401: name = "UNAUTHENTICATED"; break;
        case 403: name = "PERMISSION_DENIED"; break;
        case 404: name = "NOT_FOUND"; break;
        case 429: name = "RESOURCE_EXHAUSTED"; break;
        case 503: name = "UNAVAILABLE"; break;
        case 504: name = "DEADLINE_EXCEEDED"; break;
        default: name = status >= 500 ? "INTERNAL" : "FAILED_PRECONDITION";
      }
    }
    return {{"error",
             {{"code", status},
              {"message", fault.message.empty() ? "scripted failure" : fault.message},
              {"status", name}}}};
  }
};

}  // namespace

std::unique_ptr<ScriptedWire> scripted_gemini() {
  return std::make_unique<Gemini>();
}

}  // namespace holdfast::model
