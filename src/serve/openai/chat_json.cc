#include "openai/chat_json.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "openai/errors.h"
#include "openai/ids.h"

namespace holdfast::openai {

namespace {

constexpr std::string_view kAnew = "\n\n[answered anew]\n\n";

std::string_view finish_of(const RunFold& run) {
  return run.limit().empty() ? "stop" : "length";
}

// An answer whose form is said by the definition is JSON; it goes as the text that it is.
std::string output_of(const RunFold& run) {
  return run.output().value_or("");
}

Json frame(const ResponseHead& head, std::string_view object) {
  return {{"id", completion_id(head.run)},
          {"object", object},
          {"created", unix_seconds(head.created_at)},
          {"model", head.model}};
}

}  // namespace

Json chat_usage(const Json& tokens) {
  const Json usage = response_usage(tokens);
  if (usage.is_null()) return nullptr;
  return {{"prompt_tokens", usage["input_tokens"]},
          {"completion_tokens", usage["output_tokens"]},
          {"total_tokens", usage["total_tokens"]},
          {"prompt_tokens_details", usage["input_tokens_details"]},
          {"completion_tokens_details", usage["output_tokens_details"]}};
}

Json chat_completion(const ResponseHead& head, const RunFold& run) {
  Json out = frame(head, "chat.completion");
  out["choices"] = Json::array({{{"index", 0},
                                 {"message",
                                  {{"role", "assistant"},
                                   {"content", output_of(run)},
                                   {"refusal", nullptr},
                                   {"annotations", Json::array()}}},
                                 {"logprobs", nullptr},
                                 {"finish_reason", finish_of(run)}}});
  out["usage"] = chat_usage(run.usage());
  out["service_tier"] = "default";
  out["holdfast"] = holdfast_json(head, run);
  return out;
}

int chat_error_status(const RunFold& run) {
  return run.status() == runs::RunStatus::kCanceled ? 499 : 500;
}

std::string chat_error_message(const ResponseHead& head, const RunFold& run) {
  return fmt::format("run {} has ended as {}{}{}", head.run, to_string(run.status()),
                     run.error().empty() ? "" : ": ", run.error());
}

// ---- chunks

void ChatChunks::send(std::string& out, const Json& data) const {
  out += "data: ";
  out += dump_json(data);
  out += "\n\n";
}

void ChatChunks::chunk(std::string& out, Json delta, const Json& finish) {
  Json data = frame(head_, "chat.completion.chunk");
  data["choices"] = Json::array(
      {{{"index", 0}, {"delta", std::move(delta)}, {"logprobs", nullptr}, {"finish_reason", finish}}});
  if (include_usage_) data["usage"] = nullptr;
  send(out, data);
}

void ChatChunks::content(std::string& out, std::string_view text) {
  if (text.empty()) return;
  anything_ = true;
  chunk(out, {{"content", text}});
}

void ChatChunks::begin(std::string& out) {
  chunk(out, {{"role", "assistant"}, {"content", ""}});
}

void ChatChunks::text(std::string& out, const RunFold& run, const Happening& happening) {
  if (dropped_.empty()) {
    if (sent_.empty() && anything_) content(out, "\n\n");
    content(out, happening.text);
    sent_ += happening.text;
    return;
  }
  const std::string& said = run.items()[happening.item].text;
  // As long as it says what was sent already there is nothing to send.
  if (said.size() <= dropped_.size() && dropped_.starts_with(said)) return;
  const bool same = said.starts_with(dropped_);
  if (!same) content(out, kAnew);
  content(out, same ? std::string_view(said).substr(dropped_.size()) : said);
  dropped_.clear();
  sent_ = said;
}

void ChatChunks::message_ended(std::string& out, const Item& item) {
  if (item.state == Item::State::kDropped) {
    if (!sent_.empty()) dropped_ = std::move(sent_);
  } else if (!dropped_.empty()) {
    // It is the beginning of what was sent before, or the same.
    if (item.text != dropped_) {
      content(out, kAnew);
      content(out, item.text);
    }
    dropped_.clear();
  }
  sent_.clear();
}

void ChatChunks::waiting(std::string& out, const RunFold& run) {
  std::string note;
  if (run.waiting_on() == "approval") {
    for (const Item& item : run.items()) {
      if (item.kind != Item::Kind::kApproval || !item.decided.empty()) continue;
      note += fmt::format("Waiting for a person to approve {} {}\n", item.name, item.arguments);
    }
    note += head_.page + "\n";
  } else if (!run.waiting_on().empty()) {
    note = fmt::format("Waiting ({})\n{}\n", run.waiting_on(), head_.page);
  }
  if (!note.empty()) chunk(out, {{"reasoning_content", note}});
}

void ChatChunks::ended(std::string& out, const RunFold& run) {
  if (run.status() == runs::RunStatus::kCompleted) {
    if (!anything_) content(out, output_of(run));
    chunk(out, Json::object(), finish_of(run));
    if (include_usage_) {
      Json data = frame(head_, "chat.completion.chunk");
      data["choices"] = Json::array();
      data["usage"] = chat_usage(run.usage());
      send(out, data);
    }
  } else {
    send(out, error_json(chat_error_status(run), run.reason(), chat_error_message(head_, run)));
  }
  out += "data: [DONE]\n\n";
}

void ChatChunks::write(std::string& out, const RunFold& run, const Happening& happening) {
  switch (happening.what) {
    case Happening::What::kText: return text(out, run, happening);
    case Happening::What::kItemEnded: {
      const Item& item = run.items()[happening.item];
      if (item.kind == Item::Kind::kMessage) message_ended(out, item);
      return;
    }
    case Happening::What::kWaiting: return waiting(out, run);
    case Happening::What::kEnded: return ended(out, run);
    default: return;
  }
}

}  // namespace holdfast::openai
