#include "model/gemini_contents.h"

#include <optional>
#include <unordered_map>
#include <vector>

#include "base/json.h"
#include "base/json_member.h"
#include "base/kept_numbers.h"
#include "model/media.h"
#include "model/resend.h"

namespace holdfast::model {

namespace {

using Json = nlohmann::ordered_json;

// The provider's own word for a call that it did not make itself.
constexpr const char* kUnsigned = "skip_thought_signature_validator";

class Contents {
 public:
  Contents(const std::string& origin, bool unsigned_calls)
      : origin_(origin), unsigned_calls_(unsigned_calls) {}

  Status add(const Message& message) {
    if (message.role == Role::kSystem) {
      if (is_blank(message.text())) return {};
      if (!out_.system.empty()) out_.system += "\n\n";
      out_.system += message.text();
      return {};
    }
    if (message.role == Role::kTool) return add_answer(message);
    close();
    return message.role == Role::kAssistant ? add_said(message) : add_asked(message);
  }

  GeminiContents take() {
    close();
    return std::move(out_);
  }

 private:
  // Turns: what follows each other from the same side is one turn.
  void add_turn(const char* role, Json parts) {
    if (parts.empty()) return;
    Json& turns = out_.turns;
    if (turns.empty() || turns.back()["role"] != role) {
      turns.push_back({{"role", role}, {"parts", std::move(parts)}});
    } else {
      Json& list = turns.back()["parts"];
      list.insert(list.end(), parts.begin(), parts.end());
    }
  }

  static Json text(std::string_view said) { return {{"text", said}}; }

  Status add_part(const Part& part, Json& parts) {
    if (part.type == "text") {
      if (!is_blank(part.text)) parts.push_back(text(part.text));
      return {};
    }
    if (part.type == "opaque" || part.type == "tool_call") return {};
    Result<std::optional<Media>> media = media_of(part);
    if (!media) return media.error();
    if (!*media) {
      parts.push_back(parse_kept(part.json));
    } else if ((*media)->url.empty()) {
      parts.push_back({{"inlineData", {{"mimeType", (*media)->media_type}, {"data", (*media)->data}}}});
    } else {
      Json file = Json::object();
      if (!(*media)->media_type.empty()) file["mimeType"] = (*media)->media_type;
      file["fileUri"] = (*media)->url;
      parts.push_back({{"fileData", std::move(file)}});
    }
    return {};
  }

  Status add_asked(const Message& message) {
    Json parts = Json::array();
    for (const Part& part : message.content) {
      if (Status status = add_part(part, parts); !status.ok()) return status;
    }
    add_turn("user", std::move(parts));
    return {};
  }

  Status add_said(const Message& message) {
    const bool from_here = message.origin == origin_;
    Json parts = Json::array();
    std::vector<bool> placed(message.tool_calls.size());
    bool first = true;
    const auto place = [&](std::size_t at) {
      if (placed[at]) return;
      placed[at] = true;
      parts.push_back(call_of(message.tool_calls[at], from_here, first));
      first = false;
    };
    for (const Part& part : message.content) {
      if (part.type == "tool_call") {
        if (from_here) place(part.call);
      } else if (part.type == "opaque") {
        if (from_here) parts.push_back(parse_kept(part.json));
      } else if (part.type == "text" && from_here && !part.extra.empty()) {
        parts.push_back(text(part.text));
        parts.back().update(parse_kept(part.extra));
      } else if (Status status = add_part(part, parts); !status.ok()) {
        return status;
      }
    }
    for (std::size_t at = 0; at < placed.size(); ++at) place(at);
    add_turn("model", std::move(parts));
    return {};
  }

  Json call_of(const ToolCall& call, bool from_here, bool first) {
    const std::string id = calls_.open(call, false);
    Open& open = open_[id];
    open.name = resent_name(call.name);
    Json function = {{"name", open.name}, {"args", parse_kept(resent_arguments(call.arguments))}};
    Json out;
    if (from_here && !call.extra.empty()) {
      const Json extra = parse_kept(call.extra);
      if (const auto more = extra.find(kGeminiCall); more != extra.end() && more->is_object()) {
        function.update(*more);
        open.id = string_member(*more, "id");
      }
      out["functionCall"] = std::move(function);
      if (const auto more = extra.find(kGeminiPart); more != extra.end() && more->is_object())
        out.update(*more);
    } else {
      out["functionCall"] = std::move(function);
    }
    if (unsigned_calls_ && first && !out.contains("thoughtSignature")) out["thoughtSignature"] = kUnsigned;
    return out;
  }

  Json response_of(const std::string& id, const char* member, std::string_view said) {
    const Open& open = open_[id];
    Json function = Json::object();
    if (!open.id.empty()) function["id"] = open.id;
    function["name"] = open.name;
    function["response"] = {{member, said}};
    return {{"functionResponse", std::move(function)}};
  }

  Status add_answer(const Message& message) {
    const auto id = calls_.answer(message.tool_call_id);
    if (!id) {
      close();
      add_turn("user", Json::array({text(resent_orphan(message))}));
      return {};
    }
    Json parts = Json::array({response_of(*id, message.is_error ? "error" : "output", message.text())});
    for (const Part& part : message.content) {
      if (part.type == "text") continue;
      if (Status status = add_part(part, behind_); !status.ok()) return status;
    }
    add_turn("user", std::move(parts));
    return {};
  }

  // All calls of a turn are answered together; what else the answers hold stands behind them.
  void close() {
    for (const std::string& id : calls_.take_unanswered())
      add_turn("user", Json::array({response_of(id, "error", kNoAnswer)}));
    add_turn("user", std::exchange(behind_, Json::array()));
  }

  struct Open {
    std::string name;
    std::string id;  // as the provider gave it; empty: it gave none
  };

  const std::string& origin_;
  const bool unsigned_calls_;
  ResentCalls calls_;
  std::unordered_map<std::string, Open> open_;  // by the id that our side uses
  Json behind_ = Json::array();
  GeminiContents out_ = [] {
    GeminiContents none;
    none.turns = Json::array();
    return none;
  }();
};

}  // namespace

Result<GeminiContents> gemini_contents(const Request& request, const std::string& origin,
                                       bool unsigned_calls) {
  Contents out(origin, unsigned_calls);
  for (const Message& message : request.messages) {
    if (Status status = out.add(message); !status.ok()) return fail(status);
  }
  return out.take();
}

}  // namespace holdfast::model
