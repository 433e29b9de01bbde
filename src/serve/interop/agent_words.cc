#include "interop/agent_words.h"

#include <fmt/format.h>

#include "base/text.h"
#include "interop/json_rpc.h"

namespace holdfast::interop {

std::string description_of(const platform::Definition& definition) {
  const Json parsed = parse_json<Json>(definition.text);
  std::string text = text_member(object_member(parsed, "metadata"), "description");
  if (text.empty()) text = text_member(parsed, "description");
  if (text.empty()) text = fmt::format("Runs the agent {}.", definition.name);
  return bounded_text(std::move(text), kMaxDescription);
}

}  // namespace holdfast::interop
