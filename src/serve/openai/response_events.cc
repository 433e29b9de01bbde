#include "openai/response_events.h"

#include "base/json.h"
#include "net/sse_writer.h"

namespace holdfast::openai {

namespace {

Json text_part(const std::string& text) {
  return {
      {"type", "output_text"}, {"text", text}, {"annotations", Json::array()}, {"logprobs", Json::array()}};
}

std::string_view last_event(std::string_view status) {
  if (status == "completed") return "response.completed";
  // There is no event for a response that was cancelled; its status says so.
  return status == "failed" ? "response.failed" : "response.incomplete";
}

}  // namespace

void ResponseEvents::event(std::string& out, std::string_view type, Json fields) {
  const std::uint64_t number = next_++;
  if (after_ && number <= *after_) return;
  Json data = {{"type", type}, {"sequence_number", number}};
  for (auto& [name, value] : fields.items()) data[name] = std::move(value);
  net::append_sse_event(out, "", type, dump_json(data));
}

void ResponseEvents::lifecycle(std::string& out, std::string_view type, const RunFold& run) {
  if (after_ && next_ <= *after_) {  // not worth writing down
    ++next_;
    return;
  }
  event(out, type, {{"response", response_json(head_, run)}});
}

void ResponseEvents::begin(std::string& out, const RunFold& run) {
  lifecycle(out, "response.created", run);
  lifecycle(out, head_.background ? "response.queued" : "response.in_progress", run);
}

Json ResponseEvents::place(const Item& item, std::size_t at) const {
  return {{"item_id", item_id(head_, item, at)}, {"output_index", at}};
}

void ResponseEvents::item_began(std::string& out, const RunFold& run, std::size_t at) {
  const Item& item = run.items()[at];
  Json json = item_json(head_, item, at);
  if (item.kind == Item::Kind::kMessage) json["content"] = Json::array();
  event(out, "response.output_item.added", {{"output_index", at}, {"item", std::move(json)}});
  if (item.kind == Item::Kind::kMessage) {
    Json part = place(item, at);
    part.update({{"content_index", 0}, {"part", text_part("")}});
    event(out, "response.content_part.added", std::move(part));
  } else if (item.kind == Item::Kind::kCall) {
    event(out, "response.mcp_call.in_progress", place(item, at));
    Json arguments = place(item, at);
    arguments["arguments"] = item.arguments;
    event(out, "response.mcp_call_arguments.done", std::move(arguments));
  }
}

void ResponseEvents::item_ended(std::string& out, const RunFold& run, std::size_t at) {
  const Item& item = run.items()[at];
  if (item.kind == Item::Kind::kMessage && item.state != Item::State::kDropped) {
    Json text = place(item, at);
    text.update({{"content_index", 0}, {"text", item.text}, {"logprobs", Json::array()}});
    event(out, "response.output_text.done", std::move(text));
    Json part = place(item, at);
    part.update({{"content_index", 0}, {"part", text_part(item.text)}});
    event(out, "response.content_part.done", std::move(part));
  } else if (item.kind == Item::Kind::kCall) {
    const bool done = item.state == Item::State::kDone;
    event(out, done ? "response.mcp_call.completed" : "response.mcp_call.failed", place(item, at));
  }
  event(out, "response.output_item.done", {{"output_index", at}, {"item", item_json(head_, item, at)}});
}

void ResponseEvents::write(std::string& out, const RunFold& run, const Happening& happening) {
  switch (happening.what) {
    case Happening::What::kStarted:
      if (head_.background) lifecycle(out, "response.in_progress", run);
      return;
    case Happening::What::kItemBegan: return item_began(out, run, happening.item);
    case Happening::What::kText: {
      Json delta = place(run.items()[happening.item], happening.item);
      delta.update({{"content_index", 0}, {"delta", happening.text}, {"logprobs", Json::array()}});
      return event(out, "response.output_text.delta", std::move(delta));
    }
    case Happening::What::kItemEnded: return item_ended(out, run, happening.item);
    case Happening::What::kWaiting:
      // What a client shows as the state of the response, with what it waits for.
      if (run.has_started()) lifecycle(out, "response.in_progress", run);
      return;
    case Happening::What::kDecided: return;
    case Happening::What::kEnded:
      lifecycle(out, last_event(response_status(head_, run)), run);
      out += "data: [DONE]\n\n";
      return;
  }
}

}  // namespace holdfast::openai
