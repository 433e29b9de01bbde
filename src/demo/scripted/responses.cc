// OpenAI Responses, from the server's side.

#include <nlohmann/json.hpp>
#include <set>

#include "base/ids.h"
#include "base/json.h"
#include "base/json_member.h"
#include "net/sse_writer.h"
#include "scripted/wire.h"

namespace holdfast::model {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kCreated = 1'700'000'000;  // a reply does not depend on when it is asked for

Status refused(const std::string& why) {
  return Status(Code::kInvalidArgument, why);
}

std::string text_of(const Json& content) {
  if (content.is_string()) return content.get<std::string>();
  std::string out;
  if (!content.is_array()) return out;
  for (const Json& part : content) {
    if (part.is_object()) out += string_member(part, "text");
  }
  return out;
}

// The items of a conversation, as strictly as the provider reads them: a call is answered, an answer has a
// call, a thought leads to something and is known again by its cipher.
class Items {
 public:
  explicit Items(ScriptedRequest& out) : out_(out) {}

  Status read(const Json& input) {
    if (input.is_string()) return message({{"role", "user"}, {"content", input}});
    if (!input.is_array() || input.empty())
      return refused("input must be a text or a list that is not empty");
    for (std::size_t i = 0; i < input.size(); ++i) {
      if (!input[i].is_object()) return refused("an item of the input must be an object");
      if (Status status = item(input[i], i + 1 == input.size()); !status.ok()) return status;
    }
    if (!open_.empty()) return refused("no tool output found for function call " + *open_.begin());
    return {};
  }

 private:
  Status item(const Json& json, bool last) {
    const std::string type = string_member(json, "type");
    if (type.empty() || type == "message") return message(json);
    if (type == "function_call_output") return output(json);
    assistant();
    if (type == "reasoning") {
      const std::string cipher = string_member(json, "encrypted_content");
      if (!json.contains("summary") || !json["summary"].is_array())
        return refused("missing required parameter: summary");
      if (!cipher.starts_with(kCipherBegin))
        return refused("the encrypted content for item " + string_member(json, "id") +
                       " could not be verified");
      if (last) return refused("item of type 'reasoning' was provided without its required following item");
      return {};
    }
    if (type != "function_call") return refused("invalid value: '" + type + "' of an item's type");
    const std::string id = string_member(json, "call_id");
    if (id.empty() || string_member(json, "name").empty() || !json.contains("arguments") ||
        !json["arguments"].is_string())
      return refused("a function_call needs call_id, name and arguments as a string");
    open_.insert(id);
    return {};
  }

  Status message(const Json& json) {
    const std::string role = string_member(json, "role");
    const auto content = json.find("content");
    if (content == json.end() || (!content->is_string() && !content->is_array()))
      return refused("a message needs content");
    const std::string text = text_of(*content);
    out_.characters += text.size();
    if (role == "system" || role == "developer") {
      if (!out_.system.empty()) out_.system += "\n\n";
      out_.system += text;
      return {};
    }
    if (role == "assistant") {
      assistant();
    } else if (role == "user") {
      in_turn_ = false;
      out_.news += text + '\n';
    } else {
      return refused("'" + role + "' is not one of system, developer, user and assistant");
    }
    out_.last = text;
    return {};
  }

  Status output(const Json& json) {
    const std::string id = string_member(json, "call_id");
    if (open_.erase(id) == 0)
      return refused("no tool call found for function call output with call_id " + id);
    if (!json.contains("output")) return refused("missing required parameter: output");
    out_.last = text_of(json["output"]);
    out_.characters += out_.last.size();
    out_.news += out_.last + '\n';
    in_turn_ = false;
    return {};
  }

  // Items that follow each other are one turn of the model.
  void assistant() {
    out_.news.clear();
    if (!in_turn_) ++out_.turn;
    in_turn_ = true;
  }

  ScriptedRequest& out_;
  std::set<std::string> open_;
  bool in_turn_ = false;
};

Status read_tools(const Json& body, ScriptedRequest& out) {
  const auto tools = body.find("tools");
  if (tools == body.end()) return {};
  if (!tools->is_array()) return refused("tools must be a list");
  for (const Json& tool : *tools) {
    if (!tool.is_object() || string_member(tool, "type") != "function" ||
        string_member(tool, "name").empty() || !tool.contains("parameters"))
      return refused("a tool needs type function, a name and parameters");
    out.tools.push_back(string_member(tool, "name"));
  }
  return {};
}

Json usage_of(const ScriptedRequest& request, const ScriptedReply& reply) {
  const std::int64_t input = input_tokens_of(request, reply);
  const std::int64_t output = output_tokens_of(reply);
  return {{"input_tokens", input},
          {"input_tokens_details", {{"cached_tokens", reply.cached_tokens}, {"cache_write_tokens", 0}}},
          {"output_tokens", output},
          {"output_tokens_details", {{"reasoning_tokens", reply.reasoning_tokens}}},
          {"total_tokens", input + output}};
}

// The items of a reply, whole.
std::vector<Json> items_of(const ScriptedRequest& request, const ScriptedReply& reply) {
  std::vector<Json> out;
  const std::string id = stable_id(request);
  if (!reply.reasoning.empty()) {
    out.push_back({{"id", "rs_" + id},
                   {"type", "reasoning"},
                   {"summary", Json::array({{{"type", "summary_text"}, {"text", reply.reasoning}}})},
                   {"encrypted_content", cipher_of(request)}});
  }
  const bool cut = reply.stop == ScriptedStop::kMaxTokens || reply.stop == ScriptedStop::kContentFilter;
  const char* status = cut ? "incomplete" : "completed";
  if (!reply.text.empty() || reply.tool_calls.empty()) {
    out.push_back({{"id", "msg_" + id},
                   {"type", "message"},
                   {"status", status},
                   {"role", "assistant"},
                   {"content", Json::array({{{"type", "output_text"},
                                             {"annotations", Json::array()},
                                             {"logprobs", Json::array()},
                                             {"text", reply.text}}})}});
  }
  for (std::size_t i = 0; i < reply.tool_calls.size(); ++i) {
    const ScriptedToolCall& call = reply.tool_calls[i];
    out.push_back({{"id", "fc_" + id + std::to_string(i)},
                   {"type", "function_call"},
                   {"status", status},
                   {"arguments", call.arguments},
                   {"call_id", call_id(request, call, i, "call_")},
                   {"name", call.name}});
  }
  return out;
}

Json response_of(const ScriptedRequest& request, const char* status) {
  return {{"id", "resp_" + stable_id(request)},
          {"object", "response"},
          {"created_at", kCreated},
          {"status", status},
          {"error", nullptr},
          {"incomplete_details", nullptr},
          {"instructions", nullptr},
          {"model", request.model},
          {"output", Json::array()},
          {"parallel_tool_calls", true},
          {"tool_choice", "auto"},
          {"tools", Json::array()},
          {"store", false},
          {"usage", nullptr}};
}

Json ended(const ScriptedRequest& request, const ScriptedReply& reply) {
  const bool cut = reply.stop == ScriptedStop::kMaxTokens || reply.stop == ScriptedStop::kContentFilter;
  Json out = response_of(request, cut ? "incomplete" : "completed");
  if (cut) {
    out["incomplete_details"] = {
        {"reason", reply.stop == ScriptedStop::kMaxTokens ? "max_output_tokens" : "content_filter"}};
  }
  out["output"] = items_of(request, reply);
  out["usage"] = usage_of(request, reply);
  return out;
}

// The events of a stream, numbered.
class Events {
 public:
  void add(const std::string& type, Json members) {
    Json event = {{"type", type}, {"sequence_number", frames_.size()}};
    event.update(members);
    frames_.push_back(net::sse_event(type, dump_json(event)));
  }

  void item(std::size_t index, const Json& item, std::size_t chunk) {
    const std::string type = string_member(item, "type");
    Json begun = item;
    if (begun.contains("status")) begun["status"] = "in_progress";
    if (type == "message") begun["content"] = Json::array();
    if (type == "function_call") begun["arguments"] = "";
    if (type == "reasoning") {
      begun["summary"] = Json::array();
      begun["encrypted_content"] = std::string(kCipherBegin);  // the half of it
    }
    add("response.output_item.added", {{"output_index", index}, {"item", begun}});
    Json at = {{"item_id", item["id"]}, {"output_index", index}};
    if (type == "message") {
      text(at, item, chunk);
    } else if (type == "function_call") {
      const auto whole = item["arguments"].get<std::string>();
      for (const std::string& piece : pieces_of(whole, chunk > 0 ? chunk : 8))
        add("response.function_call_arguments.delta", with(at, {{"delta", piece}}));
      add("response.function_call_arguments.done", with(at, {{"name", item["name"]}, {"arguments", whole}}));
    } else {
      summary(at, item, chunk);
    }
    add("response.output_item.done", {{"output_index", index}, {"item", item}});
  }

  std::vector<std::string> take() { return std::move(frames_); }

 private:
  static Json with(Json at, const Json& members) {
    at.update(members);
    return at;
  }

  void text(Json at, const Json& item, std::size_t chunk) {
    at["content_index"] = 0;
    const Json& part = item["content"][0];
    const auto whole = part["text"].get<std::string>();
    Json begun = part;
    begun["text"] = "";
    add("response.content_part.added", with(at, {{"part", begun}}));
    for (const std::string& piece : pieces_of(whole, chunk))
      add("response.output_text.delta", with(at, {{"delta", piece}, {"logprobs", Json::array()}}));
    add("response.output_text.done", with(at, {{"text", whole}, {"logprobs", Json::array()}}));
    add("response.content_part.done", with(at, {{"part", part}}));
  }

  void summary(Json at, const Json& item, std::size_t chunk) {
    at["summary_index"] = 0;
    const Json& part = item["summary"][0];
    const auto whole = part["text"].get<std::string>();
    Json begun = part;
    begun["text"] = "";
    add("response.reasoning_summary_part.added", with(at, {{"part", begun}}));
    for (const std::string& piece : pieces_of(whole, chunk))
      add("response.reasoning_summary_text.delta", with(at, {{"delta", piece}}));
    add("response.reasoning_summary_text.done", with(at, {{"text", whole}}));
    add("response.reasoning_summary_part.done", with(at, {{"part", part}}));
  }

  std::vector<std::string> frames_;
};

class Responses : public ScriptedWire {
 public:
  bool takes(std::string_view path) const override { return path == "/v1/responses"; }

  Result<ScriptedRequest> read(std::string_view, std::string_view text) const override {
    const Json body = parse_json<Json>(text);
    if (!body.is_object())
      return fail(Code::kInvalidArgument, "we could not parse the JSON body of your request");
    ScriptedRequest out;
    out.api = "openai_responses";
    out.model = string_member(body, "model");
    if (out.model.empty()) return fail(Code::kInvalidArgument, "missing required parameter: model");
    if (!body.contains("input")) return fail(Code::kInvalidArgument, "missing required parameter: input");
    out.system = string_member(body, "instructions");
    for (const char* unknown : {"messages", "max_tokens", "stop", "response_format"}) {
      if (body.contains(unknown))
        return fail(Code::kInvalidArgument, std::string("unknown parameter: ") + unknown);
    }
    if (Status status = Items(out).read(body["input"]); !status.ok()) return fail(status);
    if (Status status = read_tools(body, out); !status.ok()) return fail(status);
    out.stream = body.contains("stream") && body["stream"] == true;
    out.hash = stable_hash(dump_json(body["input"]), stable_hash(out.system, stable_hash(out.model)));
    return out;
  }

  std::string whole(const ScriptedRequest& request, const ScriptedReply& reply) const override {
    return dump_json(ended(request, reply));
  }

  std::vector<std::string> frames(const ScriptedRequest& request, const ScriptedReply& reply) const override {
    Events events;
    events.add("response.created", {{"response", response_of(request, "in_progress")}});
    events.add("response.in_progress", {{"response", response_of(request, "in_progress")}});
    std::size_t index = 0;
    for (const Json& item : items_of(request, reply)) events.item(index++, item, reply.chunk);
    const Json response = ended(request, reply);
    events.add("response." + response["status"].get<std::string>(), {{"response", response}});
    return events.take();
  }

  std::string error_body(int status, const ScriptedFault& fault) const override {
    return openai_error_body(status, fault);
  }
  std::string error_frame(const ScriptedFault& fault) const override {
    const std::string& code = fault.code.empty() ? fault.type : fault.code;
    return net::sse_event(
        "error", dump_json(Json{{"type", "error"},
                                {"code", code.empty() ? "server_error" : code},
                                {"message", fault.message.empty() ? "scripted failure" : fault.message},
                                {"param", nullptr},
                                {"sequence_number", fault.after}}));
  }
  std::string_view request_id_header() const override { return "x-request-id"; }
};

}  // namespace

std::unique_ptr<ScriptedWire> scripted_responses() {
  return std::make_unique<Responses>();
}

}  // namespace holdfast::model
