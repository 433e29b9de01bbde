#include "activities/large_output.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace holdfast::agent {

namespace {

// The last `limit` bytes, not beginning inside a character.
std::string_view end_of(std::string_view text, std::size_t limit) {
  std::size_t begin = text.size() - std::min(limit, text.size());
  while (begin < text.size() && (static_cast<unsigned char>(text[begin]) & 0xc0) == 0x80) ++begin;
  return text.substr(begin);
}

std::string preview(std::string_view text, const platform::Blob& blob, const LargeOutput& how) {
  const auto lines = std::count(text.begin(), text.end(), '\n') + 1;
  const std::string_view id = std::string_view(blob.sha256).substr(0, kOutputIdCharacters);
  const std::string head = fmt::format(
      "[This output has {} bytes in {} lines ({}), more than fits here. All of it is kept as output {}{}. "
      "Its "
      "beginning:]\n",
      text.size(), lines, blob.media_type, id, how.readable ? ": read or search it with read_output" : "");
  constexpr std::string_view kBetween = "\n[... left out here; its end:]\n";
  const std::size_t words = head.size() + kBetween.size();
  const std::size_t room = how.limit > words ? how.limit - words : 0;
  const std::string_view first = cut_text(text, room - room / 4);
  const std::string_view last = end_of(text.substr(first.size()), room / 4);
  if (room == 0) return head;
  return fmt::format("{}{}{}{}", head, first, kBetween, last);
}

}  // namespace

std::string_view type_of_text(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  const bool json = first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
  return json ? "application/json" : "text/plain";
}

std::string fit_output(platform::Store& store, const LargeOutput& how, std::string text,
                       nlohmann::json& record) {
  if (text.size() <= how.limit) return bounded_text(std::move(text), how.limit);
  text = to_utf8(text);
  platform::BlobWrite write;
  write.run = how.run;
  write.conversation = how.conversation;
  write.media_type = type_of_text(text);
  write.bytes = text;
  if (how.beat) how.beat();
  const Result<platform::Blob> kept = store.put_blob(write);
  if (!kept) {
    const std::string why = fmt::format("\n[not kept: {}]", kept.error().message());
    return bounded_text(std::move(text), how.limit - std::min(how.limit / 2, why.size())) + why;
  }
  record["output"] = {{"sha256", kept->sha256}, {"bytes", kept->bytes}, {"type", kept->media_type}};
  return preview(text, *kept, how);
}

}  // namespace holdfast::agent
