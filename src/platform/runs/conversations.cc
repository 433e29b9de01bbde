// Conversations, looked at: what was said, a page at a time, and by whom.

#include <fmt/format.h>

#include <algorithm>

#include "runs/runs_impl.h"

namespace holdfast::runs {

namespace {

// Read at once; a page is as large as its bytes allow.
constexpr std::uint64_t kChunk = 50;

}  // namespace

Result<ConversationPage> Runs::conversation(const ConversationQuery& query) {
  ConversationPage out;
  auto head = impl_->store().head(query.conversation, query.branch);
  if (!head && head.error().code() == Code::kNotFound) {
    return fail(with_fault(
        Code::kNotFound, RunFault::kConversationNotFound,
        fmt::format("there is no conversation '{}' with a branch {}", query.conversation, query.branch)));
  }
  if (!head) return fail(head.error());
  out.head = *head;
  std::uint64_t first = query.after + 1;
  const std::uint64_t end = std::min<std::uint64_t>(head->sequence, query.after + query.limit);
  std::size_t bytes = 0;
  while (first <= end) {
    auto chunk = impl_->store().read(*head, first, std::min(end, first + kChunk - 1));
    // A few very large messages: one at a time.
    if (!chunk && chunk.error().code() == Code::kResourceExhausted)
      chunk = impl_->store().read(*head, first, first);
    if (!chunk) return fail(chunk.error());
    if (chunk->empty()) break;
    for (platform::Message& message : *chunk) {
      bytes += message.json.size();
      if (!out.messages.empty() && bytes > kMaxConversationPage) {
        out.next = first - 1;
        return out;
      }
      first = message.sequence + 1;
      out.messages.push_back(std::move(message));
    }
  }
  if (first <= head->sequence && !out.messages.empty()) out.next = first - 1;
  return out;
}

Result<std::vector<platform::Turn>> Runs::turns(const std::string& conversation, const std::string& after,
                                                std::uint32_t limit) {
  auto page = impl_->store().turns(conversation, after, limit);
  if (page || page.error().code() != Code::kInvalidArgument) return page;
  return fail(with_fault(Code::kInvalidArgument, RunFault::kRunsCursorNotFound, page.error().message()));
}

}  // namespace holdfast::runs
