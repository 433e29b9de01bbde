// OpenAI Responses: POST /responses. A conversation is a list of items: messages, what was thought, calls,
// their outputs. Nothing is stored there; what was thought comes encrypted and goes back in its place. The
// stream names its items and says each piece twice, as it comes and when it is whole, and at its end all of
// it again.

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <unordered_map>

#include "base/json.h"
#include "base/json_member.h"
#include "base/kept_numbers.h"
#include "model/call_assembly.h"
#include "model/opaque.h"
#include "model/openai_server.h"
#include "model/provider.h"
#include "model/request_body.h"
#include "model/response_items.h"

namespace holdfast::model {

namespace {

using Json = nlohmann::ordered_json;

// Of one answer. One asks for a call of each tool a few times at most.
constexpr std::size_t kMaxItems = 1024;

Result<std::string> encode(const Request& request, const Dialect& dialect) {
  Json out = request_body();
  out["model"] = request.model;
  Result<Json> items = response_items(request, resent_origin(kOpenaiResponses.name, dialect));
  if (!items) return fail(items.error());
  out["input"] = std::move(*items);
  if (!request.tools.empty()) {
    Json& tools = out["tools"] = Json::array();
    for (const ToolDefinition& tool : request.tools) {
      Result<Json> schema = schema_of(tool);
      if (!schema) return fail(schema.error());
      // Not said, it would be true, and schemas be refused that are no subset of a kind.
      tools.push_back({{"type", "function"},
                       {"name", tool.name},
                       {"description", tool.description},
                       {"parameters", std::move(*schema)},
                       {"strict", false}});
    }
  }
  if (!request.stop.empty())
    return fail(Code::kInvalidArgument, "the Responses format knows no texts to stop at: use `openai`");
  if (request.max_tokens) out["max_output_tokens"] = *request.max_tokens;
  if (request.temperature) out["temperature"] = *request.temperature;
  if (!request.output_schema.empty()) {
    Result<Json> schema = output_schema_of(request);
    if (!schema) return fail(schema.error());
    const bool strict = is_strict(*schema);
    out["text"] = {
        {"format",
         {{"type", "json_schema"}, {"name", "answer"}, {"schema", std::move(*schema)}, {"strict", strict}}}};
  }
  out["store"] = false;
  if (!dialect.open_reasoning) out["include"] = Json::array({"reasoning.encrypted_content"});
  out["stream"] = true;
  return dump_kept(out);
}

std::string path_of(const Request& request, const Dialect& dialect) {
  return openai_path("/responses", false, request, dialect);
}

// Models that do not think refuse to be asked for it. A cipher that is not taken back, after a change of the
// key or the model, is another thing: the conversation goes on without.
std::optional<Dialect> adapt(const Dialect& dialect, const Error& refused) {
  if (refused.http_status != 400 && refused.http_status != 404 && refused.http_status != 422)
    return std::nullopt;
  const auto says = [&](std::string_view words) { return refused.message.find(words) != std::string::npos; };
  Dialect other = dialect;
  if (refused.code == "invalid_encrypted_content" || says("could not be verified") ||
      says("Items are not persisted") || says("without its required following item")) {
    other.plain_once = true;
  } else if (refused.http_status != 404 &&
             (says("ncrypted content") || says("encrypted_content") || says("include"))) {
    other.open_reasoning = true;
  }
  if (other.plain_once == dialect.plain_once && other.open_reasoning == dialect.open_reasoning)
    return std::nullopt;
  return other;
}

// ---- the answer

const Json& member(const Json& object, const char* name) {
  static const Json kEmpty = Json::object();
  const auto found = object.find(name);
  return found != object.end() && found->is_object() ? *found : kEmpty;
}

Json without_nulls(const Json& object) {
  Json out = Json::object();
  for (const auto& [name, value] : object.items()) {
    if (!value.is_null()) out[name] = value;
  }
  return out;
}

class ResponsesDecoder : public Decoder {
 public:
  void event(const net::SseEvent& event, OnDelta& on_delta) override {
    if (error() || ended_ || says_done(event.data)) return;
    if (const auto json = read(event)) on_event(*json, event.event, on_delta);
  }

  bool complete() const override { return ended_; }

 protected:
  bool on_whole(const Json& document, OnDelta& on_delta) override {
    if (string_member(document, "object") != "response" && !document.contains("output")) return false;
    on_response(document, "", on_delta);
    return true;
  }

 private:
  enum class Kind : std::uint8_t { kMessage, kCall, kOther };
  struct Text {
    std::size_t piece = 0;
    Json extra = Json::object();  // annotations, and what else stands on it
  };
  struct Item {
    Kind kind = Kind::kOther;
    std::string id;
    std::string type;
    std::int64_t index = 0;
    std::size_t at = 0;                  // call, or block
    std::map<std::int64_t, Text> texts;  // kMessage: by their index
    std::set<std::int64_t> kept;         // kMessage: other parts, by their index
    Json members = Json::object();       // what else stands on it
    bool arguments_done = false;
    bool done = false;
    bool in_output = false;  // the end has said it again
  };

  void on_event(const Json& json, const std::string& name, OnDelta& on_delta) {
    std::string type = string_member(json, "type");
    if (type.empty()) type = name;
    if (type == "response.completed" || type == "response.incomplete" || type == "response.failed" ||
        type == "response.cancelled" || type == "response.done") {
      on_response(member(json, "response"), type.substr(type.find('.') + 1), on_delta);
    } else if (type == "response.created" || type == "response.in_progress") {
      if (type == "response.created") begin_answer();
      on_head(member(json, "response"));
    } else if (type == "response.output_item.added") {
      on_item(json, member(json, "item"), false, on_delta);
    } else if (type == "response.output_item.done") {
      on_item(json, member(json, "item"), true, on_delta);
    } else if (is_of_piece(type)) {
      on_piece(type, json, on_delta);
    }
    // Else it tells of work at the provider, whose result comes as an item.
  }

  static bool is_of_piece(std::string_view type) {
    return type.starts_with("response.content_part.") || type.starts_with("response.output_text.") ||
           type.starts_with("response.refusal.") || type.starts_with("response.function_call_arguments.") ||
           type.starts_with("response.reasoning_");
  }

  // ---- which item

  Item* with_id(const std::string& id) {
    const auto found = ids_.find(id);
    return found == ids_.end() ? nullptr : &items_[found->second];
  }
  // The only one that is open, at an index or at any.
  Item* only_open(Kind kind, std::optional<std::int64_t> index = {}) {
    Item* found = nullptr;
    for (Item& item : items_) {
      if (item.kind != kind || item.done || (index && item.index != *index)) continue;
      if (found != nullptr) return nullptr;
      found = &item;
    }
    return found;
  }

  // Servers give new ids with each event or always the same number: by what is certain.
  Item* item_of(const Json& event, const std::string& id, Kind kind) {
    if (Item* item = with_id(id)) return item->kind == kind ? item : nullptr;
    if (const auto index = integer_member(event, "output_index")) {
      if (Item* item = only_open(kind, index)) return item;
    }
    return only_open(kind);
  }

  static Kind kind_of(const std::string& type) {
    if (type == "message") return Kind::kMessage;
    return type == "function_call" ? Kind::kCall : Kind::kOther;
  }

  Item& begin(std::int64_t index, const Json& json, OnDelta& on_delta) {
    Item item;
    item.type = string_member(json, "type");
    item.kind = kind_of(item.type);
    item.id = string_member(json, "id");
    item.index = index;
    if (item.kind == Kind::kCall) {
      CallFragment fragment;
      fragment.id = string_member(json, "call_id");
      if (fragment.id.empty()) fragment.id = item.id;
      fragment.name = string_member(json, "name");
      item.at = begin_call(assembly_.id_of(assembly_.begin(fragment).call), fragment.name, on_delta);
    } else if (item.kind == Kind::kOther) {
      item.at = begin_block(json);
    }
    if (!item.id.empty()) ids_[item.id] = items_.size();  // the latest counts
    items_.push_back(std::move(item));
    if (items_.size() > kMaxItems)
      fail_with(ErrorKind::kBadRequest, "the model's answer holds too many items");
    return items_.back();
  }

  // ---- an item begins, or is there as a whole

  void on_item(const Json& event, const Json& json, bool whole, OnDelta& on_delta) {
    const std::string type = string_member(json, "type");
    if (type.empty()) return no_type();
    const Kind kind = kind_of(type);
    const auto index =
        integer_member(event, "output_index").value_or(static_cast<std::int64_t>(items_.size()));
    Item* item = with_id(string_member(json, "id"));
    if (item == nullptr && whole) item = only_open(kind, index);
    if (item != nullptr && item->type != type)
      return fail_with(ErrorKind::kStreamCut, "the model's stream goes on with an item of another kind");
    if (item == nullptr) item = &begin(index, json, on_delta);
    if (!whole && item->kind == Kind::kMessage) take_parts(*item, json, false, on_delta);
    if (whole) finish(*item, json, on_delta);
  }

  void finish(Item& item, const Json& json, OnDelta& on_delta) {
    const bool again = item.done;
    item.done = true;
    if (item.id.empty()) item.id = string_member(json, "id");
    const std::string status = string_member(json, "status");
    cut_ = cut_ || (item.kind != Kind::kOther && (status == "incomplete" || status == "in_progress"));
    if (item.kind == Kind::kOther) {
      if (!again) block(item.at) = without_nulls(json);
      return;
    }
    if (item.kind == Kind::kCall) {
      finish_call(item, json, on_delta);
    } else {
      take_parts(item, json, true, on_delta);
    }
    if (again) return;
    item.members = without_nulls(json);
    for (const char* name : {"type", "role", "content", "call_id", "name", "arguments"})
      item.members.erase(name);
  }

  void finish_call(const Item& item, const Json& json, OnDelta& on_delta) {
    const std::string name = string_member(json, "name");
    const std::string& known = completion_.message.tool_calls[item.at].name;
    if (known.empty()) add_name(item.at, name, on_delta);
    if (!name.empty() && known != name) return contradiction();
    arguments_are(item.at, json, on_delta);
  }

  void arguments_are(std::size_t call, const Json& json, OnDelta& on_delta) {
    const auto found = json.find("arguments");
    if (found == json.end() || found->is_null()) return;
    std::string whole = found->is_string() ? found->get<std::string>() : dump_kept(*found);
    // None is said when they have come and are not said again.
    if (whole.empty() && has_arguments(call)) return;
    if (!complete_arguments(call, std::move(whole), on_delta)) contradiction();
  }

  void unknown_content() { fail_with(ErrorKind::kStreamCut, "the model sent content of an unknown shape"); }

  void no_type() { fail_with(ErrorKind::kStreamCut, "the model's answer holds an item without a type"); }

  void contradiction() {
    fail_with(ErrorKind::kStreamCut, "the model's stream says a tool call twice, and not the same");
  }

  void take_parts(Item& item, const Json& json, bool whole, OnDelta& on_delta) {
    const auto content = json.find("content");
    if (content == json.end()) return;
    if (content->is_string())
      return take_part(item, 0, {{"type", "output_text"}, {"text", *content}}, whole, on_delta);
    if (!says_something(*content)) return;
    if (content->is_object()) return take_part(item, 0, *content, whole, on_delta);
    if (!content->is_array()) return unknown_content();
    std::int64_t index = 0;
    for (const Json& part : *content) {
      if (!part.is_object() && says_something(part)) return unknown_content();
      if (part.is_object()) take_part(item, index, part, whole, on_delta);
      ++index;
    }
  }

  void take_part(Item& item, std::int64_t index, const Json& part, bool whole, OnDelta& on_delta) {
    const std::string type = string_member(part, "type");
    if (type == "refusal") {
      if (whole && refused_.empty()) refused_ = string_member(part, "refusal");
      if (whole && refused_.empty()) refused_ = "(without a word)";
      return;
    }
    if (type != "output_text" && type != "text") {
      if (!whole || !item.kept.insert(index).second) return;
      begin_block(
          {{"type", "message"}, {"role", "assistant"}, {"id", item.id}, {"content", Json::array({part})}});
      return;
    }
    Text& text = text_at(item, index);
    if (whole) {
      if (part.contains("text")) complete_text(text.piece, string_member(part, "text"), on_delta);
    } else {
      add_text(text.piece, string_member(part, "text"), on_delta);
    }
    for (const auto& [name, value] : part.items()) {
      if (name != "type" && name != "text" && says_something(value)) text.extra[name] = value;
    }
  }

  Text& text_at(Item& item, std::int64_t index) {
    const auto [found, begins] = item.texts.try_emplace(index);
    if (begins) found->second.piece = begin_text();
    return found->second;
  }

  // ---- a piece of an item

  void on_piece(const std::string& type, const Json& json, OnDelta& on_delta) {
    const bool call = type.starts_with("response.function_call_arguments.");
    const Kind kind = call                                      ? Kind::kCall
                      : type.starts_with("response.reasoning_") ? Kind::kOther
                                                                : Kind::kMessage;
    Item* item = item_of(json, string_member(json, "item_id"), kind);
    if (item == nullptr && kind == Kind::kMessage && with_id(string_member(json, "item_id")) == nullptr) {
      // Text says itself where it belongs: to the answer.
      item = &begin(integer_member(json, "output_index").value_or(static_cast<std::int64_t>(items_.size())),
                    {{"type", "message"}, {"id", string_member(json, "item_id")}}, on_delta);
    }
    if (item == nullptr) {
      if (kind == Kind::kOther) return;  // what was thought, said again with its item
      return fail_with(ErrorKind::kStreamCut, "the model's stream goes on with an item that did not begin");
    }
    if (call) return on_arguments(*item, type, json, on_delta);
    if (kind == Kind::kOther) {
      if (item->type == "reasoning") on_thought(*item, type, json);
      return;
    }
    on_text(*item, type, json, on_delta);
  }

  void on_arguments(Item& item, const std::string& type, const Json& json, OnDelta& on_delta) {
    if (type.ends_with(".delta")) {
      if (item.done) return contradiction();
      return add_arguments(item.at, string_member(json, "delta"), on_delta);
    }
    arguments_are(item.at, json, on_delta);
    item.arguments_done = true;
  }

  void on_text(Item& item, const std::string& type, const Json& json, OnDelta& on_delta) {
    const std::int64_t index = integer_member(json, "content_index").value_or(0);
    if (type == "response.output_text.delta") {
      if (item.done)
        return fail_with(ErrorKind::kStreamCut, "the model's stream goes on with a text that has ended");
      add_text(text_at(item, index).piece, string_member(json, "delta"), on_delta);
    } else if (type == "response.output_text.done") {
      if (json.contains("text"))
        complete_text(text_at(item, index).piece, string_member(json, "text"), on_delta);
    } else if (type == "response.output_text.annotation.added") {
      Json& annotations = text_at(item, index).extra["annotations"];
      if (!annotations.is_array()) annotations = Json::array();
      annotations.push_back(json.value("annotation", Json()));
    } else if (type == "response.content_part.done") {
      take_part(item, index, member(json, "part"), true, on_delta);
    } else if (type == "response.refusal.delta") {
      refused_ += string_member(json, "delta");
    }
  }

  // As it comes; whole with its item.
  void on_thought(const Item& item, const std::string& type, const Json& json) {
    if (!type.ends_with("_text.delta")) return;
    const bool summary = type.starts_with("response.reasoning_summary_");
    const auto index = integer_member(json, summary ? "summary_index" : "content_index").value_or(0);
    Json& list = block(item.at)[summary ? "summary" : "content"];
    if (!list.is_array()) list = Json::array();
    if (index < 0 || index > static_cast<std::int64_t>(list.size())) return;
    const auto at = static_cast<std::size_t>(index);
    if (at == list.size())
      list.push_back({{"type", summary ? "summary_text" : "reasoning_text"}, {"text", ""}});
    if (list[at].is_object() && list[at].contains("text") && list[at]["text"].is_string())
      list[at]["text"].get_ref<std::string&>() += string_member(json, "delta");
  }

  // ---- the end

  void on_head(const Json& response) {
    if (const std::string model = string_member(response, "model"); !model.empty()) completion_.model = model;
  }

  void on_response(const Json& response, const std::string& event, OnDelta& on_delta) {
    ended_ = true;
    on_head(response);
    on_usage(member(response, "usage"));
    if (const auto failed = response.find("error"); failed != response.end() && says_something(*failed)) {
      if (auto said = error_in(Json{{"error", *failed}})) return fail_with(std::move(*said));
    }
    on_output(response, on_delta);
    add_refusal(refused_);
    if (error()) return;
    const std::string status = string_member(response, "status");
    on_status(status.empty() ? event : status, event, response);
    if (!error()) settle();
  }

  // All of it again, if the server says it: by id, else by place and kind.
  void on_output(const Json& response, OnDelta& on_delta) {
    const auto output = response.find("output");
    if (output == response.end() || !output->is_array() || output->empty()) return;
    const std::size_t streamed = items_.size();
    std::int64_t index = 0;
    for (const Json& json : *output) {
      if (error()) return;
      if (!json.is_object() || string_member(json, "type").empty()) return no_type();
      Item* item = streamed_as(json, index, streamed);
      if (item == nullptr) item = &begin(index, json, on_delta);
      item->in_output = true;
      finish(*item, json, on_delta);
      ++index;
    }
    for (const Item& item : items_) {
      if (!item.in_output && item.kind == Kind::kCall) return contradiction();
    }
  }

  Item* streamed_as(const Json& json, std::int64_t index, std::size_t streamed) {
    const std::string type = string_member(json, "type");
    if (Item* item = with_id(string_member(json, "id"));
        item != nullptr && item->type == type && !item->in_output)
      return item;
    Item* first = nullptr;
    for (std::size_t i = 0; i < streamed; ++i) {
      Item& item = items_[i];
      if (item.type != type || item.in_output) continue;
      if (item.index == index) return &item;
      if (first == nullptr) first = &item;
    }
    return first;
  }

  void on_status(const std::string& status, const std::string& event, const Json& response) {
    const std::string reason = string_member(member(response, "incomplete_details"), "reason");
    const bool said_completed = event.empty() || event == "completed" || event == "done";
    if (status == "completed" && said_completed && reason.empty()) {
      if (cut_ || !calls_are_whole())
        return fail_with(ErrorKind::kStreamCut, "the model's answer holds an item that is not whole");
      stop(completion_.message.tool_calls.empty() ? StopReason::kEnd : StopReason::kToolCalls);
    } else if (reason == "max_output_tokens" || reason == "max_tokens") {
      stop(StopReason::kMaxTokens);
    } else if (reason == "content_filter") {
      fail_with(ErrorKind::kContentFilter, "the model's content filter stopped the answer: change the prompt",
                reason);
    } else if (status == "failed" || event == "failed") {
      fail_with(ErrorKind::kStreamCut, "the model's server reported that the answer failed, and not why");
    } else {
      stop_unknown(reason.empty() ? status : reason);
    }
  }

  // Those that the stream never said to be, by what they are.
  bool calls_are_whole() const {
    return std::all_of(items_.begin(), items_.end(), [&](const Item& item) {
      return item.kind != Kind::kCall || item.done || item.arguments_done ||
             parse_kept(completion_.message.tool_calls[item.at].arguments, kMaxForeignJsonDepth).is_object();
    });
  }

  void on_usage(const Json& usage) {
    Usage& out = completion_.usage;
    count(usage, "input_tokens", out.input_tokens);
    count(usage, "output_tokens", out.output_tokens);
    count(member(usage, "input_tokens_details"), "cached_tokens", out.cached_input_tokens);
    count(member(usage, "input_tokens_details"), "cache_write_tokens", out.cache_write_tokens);
    count(member(usage, "output_tokens_details"), "reasoning_tokens", out.reasoning_tokens);
  }

  // Writes what stands beside texts, and looks for calls that wait for somebody who is not there.
  void settle() {
    for (const Item& item : items_) {
      for (const auto& [at, text] : item.texts) {
        for (const auto& [name, value] : text.extra.items()) add_text_extra(text.piece, name, value);
        add_text_extra(text.piece, kMessageOfText, item.members);
      }
      if (item.kind == Kind::kCall) {
        for (const auto& [name, value] : item.members.items()) add_call_extra(item.at, name, value);
      }
      if (item.kind != Kind::kOther) continue;
      // Before its item is done a cipher may be the half of it.
      if (!item.done) block(item.at).erase("encrypted_content");
      if (item.type == "mcp_approval_request" || waits_for_output(item)) {
        fail_with(ErrorKind::kUnknownStop,
                  "the model waits for an answer of a kind that was not offered: `" + item.type + "`",
                  item.type);
      }
    }
  }

  bool waits_for_output(const Item& call) {
    if (!call.type.ends_with("_call")) return false;
    const std::string id = string_member(block(call.at), "call_id");
    if (id.empty()) return false;
    return std::none_of(items_.begin(), items_.end(), [&](const Item& item) {
      return item.kind == Kind::kOther && item.type == call.type + "_output" &&
             string_member(block(item.at), "call_id") == id;
    });
  }

  std::vector<Item> items_;
  std::unordered_map<std::string, std::size_t> ids_;  // positions in it
  CallAssembly assembly_;
  std::string refused_;
  bool cut_ = false;  // an item says itself that it is not whole
  bool ended_ = false;
};

std::unique_ptr<Decoder> decoder() {
  return std::make_unique<ResponsesDecoder>();
}

}  // namespace

constinit const Provider kOpenaiResponses = whole({.name = "openai_responses",
                                                   .default_url = "https://api.openai.com/v1",
                                                   .path = "/responses",
                                                   .path_of = path_of,
                                                   .headers = openai_headers,
                                                   .encode = encode,
                                                   .decoder = decoder,
                                                   .limit_may_be_unsaid = true,
                                                   .adapt = adapt});

}  // namespace holdfast::model
