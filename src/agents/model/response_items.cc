#include "model/response_items.h"

#include <optional>
#include <unordered_set>
#include <vector>

#include "base/json.h"
#include "base/json_member.h"
#include "base/kept_numbers.h"
#include "model/media.h"
#include "model/opaque.h"
#include "model/resend.h"

namespace holdfast::model {

namespace {

using Json = nlohmann::ordered_json;

// One text is a text; a list otherwise.
Result<Json> input_of(const Message& message) {
  Json parts = Json::array();
  bool only_text = true;
  for (const Part& part : message.content) {
    if (part.type == "tool_call" || part.type == "opaque") continue;
    if (part.type == "text") {
      parts.push_back({{"type", "input_text"}, {"text", part.text}});
      continue;
    }
    only_text = false;
    Result<std::optional<Media>> media = media_of(part);
    if (!media) return fail(media.error());
    if (!*media) {
      parts.push_back(parse_kept(part.json));
    } else if ((*media)->image) {
      parts.push_back({{"type", "input_image"}, {"image_url", (*media)->as_url()}});
    } else if (!(*media)->url.empty()) {
      parts.push_back({{"type", "input_file"}, {"file_url", (*media)->url}});
    } else {
      const std::string& name = (*media)->name;
      parts.push_back({{"type", "input_file"},
                       {"filename", name.empty() ? "file" : name},
                       {"file_data", (*media)->as_url()}});
    }
  }
  if (only_text && parts.size() <= 1) return Json(message.text());
  return parts;
}

// What was thought is of use as a cipher or in plain words; a mere name of it would be looked for in a store.
bool is_empty_thought(const Json& item) {
  if (string_member(item, "type") != "reasoning") return false;
  const auto content = item.find("content");
  return string_member(item, "encrypted_content").empty() &&
         (content == item.end() || !says_something(*content));
}

// A model's message as the items that it was, in their order.
class ResentItems {
 public:
  ResentItems(const Message& message, bool from_here, ResentCalls& calls)
      : message_(message), from_here_(from_here), calls_(calls), placed_(message.tool_calls.size()) {}

  Json take() {
    for (const Part& part : message_.content) {
      if (part.type == "text") {
        add_text(part);
      } else if (part.type == "tool_call") {
        if (from_here_) place(part.call);
      } else if (part.type == "opaque") {
        if (from_here_) add_block(parse_kept(part.json));
      }
    }
    for (std::size_t call = 0; call < placed_.size(); ++call) place(call);
    // A thought that nothing came of is refused.
    while (!items_.empty() && string_member(items_.back(), "type") == "reasoning")
      items_.erase(items_.size() - 1);
    return std::move(items_);
  }

 private:
  void add_text(const Part& part) {
    Json extra = from_here_ && !part.extra.empty() ? parse_kept(part.extra) : Json::object();
    Json item = extra.value(kMessageOfText, Json::object());
    extra.erase(kMessageOfText);
    if (!item.is_object()) item = Json::object();
    if (item.empty() && extra.empty()) {
      if (is_blank(part.text)) return;
      items_.push_back({{"type", "message"}, {"role", "assistant"}, {"content", part.text}});
      return;
    }
    Json text = {{"type", "output_text"}, {"text", part.text}, {"annotations", Json::array()}};
    text.update(extra);
    Json out = {{"type", "message"}, {"role", "assistant"}, {"content", Json::array({std::move(text)})}};
    out.update(item);
    add_block(std::move(out));
  }

  void add_block(Json block) {
    if (is_empty_thought(block)) return;
    if (!items_.empty() && is_part_of(items_.back(), block)) {
      Json& content = items_.back()["content"];
      content.insert(content.end(), block["content"].begin(), block["content"].end());
    } else {
      items_.push_back(std::move(block));
    }
  }

  // Parts of one message stand apart in the store.
  static bool is_part_of(const Json& message, const Json& part) {
    const auto has_parts = [](const Json& item) {
      return string_member(item, "type") == "message" && item.contains("content") &&
             item["content"].is_array();
    };
    return has_parts(message) && has_parts(part) && !string_member(part, "id").empty() &&
           string_member(message, "id") == string_member(part, "id");
  }

  void place(std::size_t at) {
    if (placed_[at]) return;
    placed_[at] = true;
    const ToolCall& call = message_.tool_calls[at];
    Json item = {{"type", "function_call"},
                 {"call_id", calls_.open(call, from_here_)},
                 {"name", resent_name(call.name)},
                 {"arguments", resent_arguments(call.arguments)}};
    if (from_here_ && !call.extra.empty()) item.update(parse_kept(call.extra));
    items_.push_back(std::move(item));
  }

  const Message& message_;
  const bool from_here_;
  ResentCalls& calls_;
  std::vector<bool> placed_;
  Json items_ = Json::array();
};

// Servers begin to count again with each answer, and refuse two items of one name: the first has it.
void drop_repeated_ids(Json& items) {
  std::unordered_set<std::string> ids;
  for (Json& item : items) {
    const std::string id = string_member(item, "id");
    if (!id.empty() && !ids.insert(id).second) item.erase("id");
  }
}

Json call_output(const std::string& id, Json output) {
  return {{"type", "function_call_output"}, {"call_id", id}, {"output", std::move(output)}};
}

}  // namespace

Result<Json> response_items(const Request& request, const std::string& origin) {
  Json out = Json::array();
  ResentCalls calls;
  const auto close = [&] {
    for (const std::string& id : calls.take_unanswered()) out.push_back(call_output(id, kNoAnswer));
  };
  for (const Message& message : request.messages) {
    if (message.role == Role::kAssistant) {
      close();
      Json items = ResentItems(message, message.origin == origin, calls).take();
      out.insert(out.end(), items.begin(), items.end());
      continue;
    }
    Result<Json> input = input_of(message);
    if (!input) return fail(input.error());
    if (message.role != Role::kTool) {
      close();
      out.push_back({{"type", "message"}, {"role", role_name(message.role)}, {"content", std::move(*input)}});
    } else if (const auto id = calls.answer(message.tool_call_id)) {
      out.push_back(call_output(*id, std::move(*input)));
    } else {
      close();
      out.push_back({{"type", "message"}, {"role", "user"}, {"content", resent_orphan(message)}});
    }
  }
  close();
  drop_repeated_ids(out);
  return out;
}

}  // namespace holdfast::model
