#include "model/anthropic_turns.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "base/json_member.h"
#include "base/kept_numbers.h"
#include "model/media.h"
#include "model/resend.h"

namespace holdfast::model {

namespace {

using Json = nlohmann::ordered_json;

Json text_block(std::string_view text) {
  return {{"type", "text"}, {"text", text}};
}

Json tool_result(const std::string& id, const std::string& text, bool is_error) {
  Json out = {{"type", "tool_result"}, {"tool_use_id", id}, {"content", text}};
  if (is_error) out["is_error"] = true;
  return out;
}

Status takes(const Media& media) {
  if (media.image || !media.url.empty() || media.media_type == "application/pdf") return {};
  return Status(Code::kInvalidArgument,
                "content: Anthropic Messages takes the data of application/pdf, not of " + media.media_type);
}

Json media_block(const Media& media) {
  Json source = media.url.empty()
                    ? Json{{"type", "base64"}, {"media_type", media.media_type}, {"data", media.data}}
                    : Json{{"type", "url"}, {"url", media.url}};
  Json out = {{"type", media.image ? "image" : "document"}, {"source", std::move(source)}};
  if (!media.image && !media.name.empty()) out["title"] = media.name;
  return out;
}

bool is_thought(const Json& block) {
  const std::string type = string_member(block, "type");
  return type == "thinking" || type == "redacted_thinking";
}

bool is_call_of_ours(const Json& block) {
  return string_member(block, "type") == "tool_use";
}

// Calls of the provider's own tools that stand there without their results. One that waits for a call of ours
// is answered behind it, in the model's next turn.
void drop_unanswered(Json& content) {
  if (std::any_of(content.begin(), content.end(), is_call_of_ours)) return;
  std::set<std::string> answered;
  for (const Json& block : content) answered.insert(string_member(block, "tool_use_id"));
  std::erase_if(content.get_ref<Json::array_t&>(), [&](const Json& block) {
    const std::string type = string_member(block, "type");
    return type.ends_with("_tool_use") && !answered.contains(string_member(block, "id"));
  });
}

class Turns {
 public:
  Turns(const std::string& origin, bool wants_thoughts) : origin_(origin), wants_thoughts_(wants_thoughts) {}

  void add(const Message& message) {
    if (message.role == Role::kSystem) {
      if (is_blank(message.text())) return;
      if (!out_.system.empty()) out_.system += "\n\n";
      out_.system += message.text();
    } else if (message.role == Role::kTool) {
      add_answer(message);
    } else {
      close();
      const bool assistant = message.role == Role::kAssistant;
      add_turn(assistant ? "assistant" : "user", assistant ? said(message) : blocks_of(message, false));
    }
  }

  AnthropicTurns take() {
    close();
    end_said();
    trim_last();
    return std::move(out_);
  }

 private:
  bool is_last(std::string_view role) const {
    return !out_.turns.empty() && out_.turns.back()["role"] == role;
  }

  // Turns: what follows each other from the same side is one turn.
  void add_turn(const char* role, Json blocks) {
    if (blocks.empty()) return;
    if (!is_last(role) && is_last("assistant")) {
      drop_unanswered(out_.turns.back()["content"]);
      end_said();
    }
    if (is_last(role)) {
      Json& content = out_.turns.back()["content"];
      content.insert(content.end(), blocks.begin(), blocks.end());
    } else {
      out_.turns.push_back({{"role", role}, {"content", std::move(blocks)}});
    }
  }

  // A model's turn that ends with a thought, which nothing came of, is refused.
  void end_said() {
    if (!is_last("assistant")) return;
    Json& content = out_.turns.back()["content"];
    while (!content.empty() && is_thought(content.back())) content.erase(content.size() - 1);
    if (content.empty()) out_.turns.erase(out_.turns.size() - 1);
  }

  // One that is to go on must not end with blanks.
  void trim_last() {
    if (!is_last("assistant")) return;
    Json& block = out_.turns.back()["content"].back();
    if (string_member(block, "type") != "text") return;
    auto& text = block["text"].get_ref<std::string&>();
    text.erase(text.find_last_not_of(" \t\r\n\f\v") + 1);
  }

  Json said(const Message& message) {
    Json blocks = blocks_of(message, message.origin == origin_);
    if (wants_thoughts_ && !blocks.empty() && !is_thought(blocks.front()))
      blocks.insert(blocks.begin(),
                    Json({{"type", "thinking"}, {"thinking", kNoThought}, {"signature", ""}}));
    return blocks;
  }

  // Opaque blocks only where they came from; texts that are blank are refused there.
  Json blocks_of(const Message& message, bool from_here) {
    Json blocks = Json::array();
    std::vector<bool> placed(message.tool_calls.size());
    const auto place = [&](std::size_t call) {
      if (placed[call]) return;
      placed[call] = true;
      blocks.push_back(tool_use(message.tool_calls[call], from_here));
    };
    for (const Part& part : message.content) {
      if (part.type == "text") {
        if (is_blank(part.text)) continue;
        blocks.push_back(text_block(part.text));
        if (from_here && !part.extra.empty()) blocks.back().update(parse_kept(part.extra));
      } else if (part.type == "tool_call") {
        if (from_here) place(part.call);
      } else if (part.type != "opaque" || from_here) {
        const auto media = media_of(part);
        blocks.push_back(media && *media ? media_block(**media) : parse_kept(part.json));
      }
    }
    for (std::size_t call = 0; call < placed.size(); ++call) place(call);
    return blocks;
  }

  Json tool_use(const ToolCall& call, bool from_here) {
    Json out = {{"type", "tool_use"},
                {"id", calls_.open(call, from_here)},
                {"name", resent_name(call.name)},
                {"input", parse_kept(resent_arguments(call.arguments))}};
    if (from_here && !call.extra.empty()) out.update(parse_kept(call.extra));
    return out;
  }

  void add_answer(const Message& message) {
    if (const auto id = calls_.answer(message.tool_call_id)) {
      add_turn("user", Json::array({tool_result(*id, message.text(), message.is_error)}));
    } else {
      close();
      add_turn("user", Json::array({text_block(resent_orphan(message))}));
    }
  }

  void close() {
    for (const std::string& id : calls_.take_unanswered())
      add_turn("user", Json::array({tool_result(id, std::string(kNoAnswer), true)}));
  }

  const std::string origin_;
  const bool wants_thoughts_;
  ResentCalls calls_;
  AnthropicTurns out_ = [] {
    AnthropicTurns none;
    none.turns = Json::array();
    return none;
  }();
};

}  // namespace

Result<AnthropicTurns> anthropic_turns(const Request& request, const Dialect& dialect) {
  if (Status status = check_media(request.messages, takes); !status.ok()) return fail(status);
  Turns out(resent_origin(kAnthropic.name, dialect), dialect.wants_thoughts);
  for (const Message& message : request.messages) out.add(message);
  return out.take();
}

}  // namespace holdfast::model
