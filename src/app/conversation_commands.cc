// conversation.

#include <fmt/format.h>

#include "app/api_session.h"
#include "app/commands.h"
#include "app/exit_code.h"
#include "app/output.h"
#include "app/printable.h"
#include "base/json.h"
#include "base/text.h"
#include "base/url.h"

namespace holdfast::app {

namespace {

// What a person reads of a part: of one that is no text, what it is.
std::string part_text(const Json& part) {
  const std::string type = part.value("type", "");
  if (type == "text") return part.value("text", "");
  if (type == "opaque" || type == "tool_call") return "";
  return fmt::format("[{} {}]", type, part.value("media_type", ""));
}

std::string text_of(const Json& message) {
  const Json content = message.value("content", Json());
  if (content.is_string()) return content.get<std::string>();
  std::string out;
  if (content.is_array()) {
    for (const Json& part : content) out += part_text(part);
  }
  return out;
}

Colour colour_of(const std::string& role) {
  if (role == "user") return Colour::kGreen;
  return role == "assistant" ? Colour::kBlue : Colour::kDim;
}

void print_message(const Json& message) {
  const std::string role = one_line(message.value("role", ""));
  print_line(fmt::format("{:>4}  {}  {}", message.value("sequence", 0), one_line(message.value("at", "")),
                         coloured(colour_of(role), role)));
  if (const std::string text = printable(text_of(message)); !text.empty()) print_line(text);
  for (const Json& call : message.value("tool_calls", Json::array())) {
    print_line(
        fmt::format("> {} {}", one_line(call.value("name", "")), one_line(call.value("arguments", ""))));
  }
  print_line("");
}

}  // namespace

int print_conversation(const ConversationOptions& options) {
  ApiSession api(options.api);
  const std::string path = fmt::format("/api/v1/conversations/{}/messages?branch={}&limit=200",
                                       percent_encode(options.id), options.branch);
  std::string cursor;
  while (true) {
    auto page = api.get(cursor.empty() ? path : path + "&cursor=" + percent_encode(cursor));
    if (!page) return page.error();
    for (const Json& message : (*page)["messages"]) {
      if (options.api.json) {
        print_line(dump_json(message));
      } else {
        print_message(message);
      }
    }
    if (!(*page)["next_cursor"].is_string()) return kExitOk;
    cursor = (*page)["next_cursor"];
  }
}

}  // namespace holdfast::app
