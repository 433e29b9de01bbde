#include <fmt/format.h>

#include <charconv>

#include "http/openai_runs.h"
#include "http/problems.h"
#include "openai/input.h"

namespace holdfast::http {

std::string input_item_id(const openai::ResponseHead& head, std::size_t at) {
  const std::string id = fmt::format("msg_{}_input", head.run);
  return at == head.history ? id : id + std::to_string(at);
}

std::optional<std::size_t> place_of_input(const openai::ResponseHead& head, std::string_view id) {
  const std::string last = input_item_id(head, head.history);
  if (id == last) return head.history;
  if (!id.starts_with(last)) return std::nullopt;
  id.remove_prefix(last.size());
  std::size_t at = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), at);
  if (error != std::errc() || end != id.data() + id.size() || at >= head.history) return std::nullopt;
  return at;
}

std::expected<std::vector<Json>, Problem> input_of(ApiContext& context, const platform::RunRecord& run,
                                                   const openai::ResponseHead& head, std::size_t first,
                                                   std::size_t count) {
  std::vector<Json> out;
  const std::size_t end = std::min(first + count, head.history);
  while (first < end) {
    auto page = context.runs().conversation({.conversation = head.conversation,
                                             .after = first,
                                             .limit = static_cast<std::uint32_t>(end - first)});
    if (!page) return std::unexpected(problem_of(page.error()));
    if (page->messages.empty()) break;
    for (const platform::Message& message : page->messages)
      out.push_back(openai::history_item(message.json, input_item_id(head, first++)));
  }
  if (out.size() < count)
    out.push_back(openai::input_item("user", run.input, input_item_id(head, head.history)));
  return out;
}

}  // namespace holdfast::http
