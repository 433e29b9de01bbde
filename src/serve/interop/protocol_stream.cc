#include "interop/protocol_stream.h"

#include "net/sse_writer.h"

namespace holdfast::interop {

namespace {

constexpr std::size_t kMaxBatchBytes = 512 * 1024;

}  // namespace

void ProtocolStream::write(const Messages& messages, const std::string& behind, std::string& out) const {
  for (std::size_t i = 0; i < messages.size(); ++i)
    net::append_sse_event(out, i + 1 == messages.size() ? behind : std::string(), {}, messages[i]);
}

Status ProtocolStream::open(std::string_view mark, bool greets) {
  greets_ = greets;
  return events_.open(*host_.runs, run_, mark);
}

std::optional<std::string> ProtocolStream::next() {
  if (done_) return std::nullopt;
  std::string out;
  if (std::exchange(greets_, false)) {
    Messages messages;
    greet(messages);
    write(messages, {}, out);
  }
  while (out.size() < kMaxBatchBytes && !done_) {
    auto any = events_.take([&](RunEvent&& event, const std::string& behind) {
      if (done_) return;
      Messages messages;
      show(event, behind, messages);
      write(messages, behind, out);
    });
    if (!any) {
      Messages messages;
      fail(any.error(), messages);
      write(messages, {}, out);
      done_ = true;
    } else if (!*any) {
      break;
    }
  }
  if (done_) out += last_words();
  return out;
}

std::optional<platform::Approval> ProtocolStream::pending(const std::string& approval) const {
  auto found = host_.runs->approval(approval);
  if (!found || found->status != platform::ApprovalStatus::kPending) return std::nullopt;
  return *std::move(found);
}

std::string question_at(const std::string& approval, const std::string& behind) {
  return approval + ":" + behind;
}

std::optional<QuestionPlace> read_question_at(std::string_view id) {
  const std::size_t colon = id.find(':');
  if (colon == 0 || colon == std::string_view::npos || colon + 1 == id.size()) return std::nullopt;
  return QuestionPlace{std::string(id.substr(0, colon)), std::string(id.substr(colon + 1))};
}

}  // namespace holdfast::interop
