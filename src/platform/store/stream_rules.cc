#include "platform/stream_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/ids.h"
#include "base/json.h"

namespace holdfast::platform::rules {

namespace {

// 24 bits: what is mixed up by mistake is told apart, nobody is kept from making one up.
std::uint64_t hash_of(std::string_view run) {
  const std::uint64_t hash = stable_hash(run);
  return (hash ^ hash >> 24 ^ hash >> 48) & 0xffffff;
}

}  // namespace

Status check_stream(std::string_view run, std::string_view step) {
  if (!run.empty() && !step.empty()) return {};
  return {Code::kInvalidArgument, "a token stream needs a run and a step"};
}

Status check_delta(std::string_view text) {
  if (text.size() <= kMaxEventBytes) return {};
  return {Code::kInvalidArgument,
          fmt::format("{} bytes in one delta; at most {}", text.size(), kMaxEventBytes)};
}

Status check_event(std::string_view run, std::string_view type, std::string_view json) {
  if (run.empty() || type.empty()) return {Code::kInvalidArgument, "an event needs a run and a type"};
  if (type == kDeltaEvent) return {Code::kInvalidArgument, "deltas are written through open()"};
  if (json.size() <= kMaxEventBytes) return {};
  return {Code::kInvalidArgument,
          fmt::format("an event has {} bytes; at most {}", json.size(), kMaxEventBytes)};
}

Status closed_log(std::string_view run) {
  return {Code::kFailedPrecondition, fmt::format("the run {} has ended", run)};
}

std::optional<std::uint64_t> next_seq(const LogEnd& end) {
  if (end.key == kClosingKey) return std::nullopt;
  return end.seq + 1;
}

std::uint32_t attempt_number(std::uint32_t asked, std::uint32_t used) {
  return std::max(asked, used + 1);
}

std::string delta_json(std::string_view step, std::uint32_t attempt, std::uint64_t offset,
                       std::string_view text, bool opens) {
  nlohmann::ordered_json out = {{"step", step}, {"attempt", attempt}, {"offset", offset}, {"text", text}};
  if (opens) out["reset"] = true;
  return dump_json(out);
}

std::string cursor_of(std::string_view epoch, std::string_view run, std::uint64_t seq) {
  return fmt::format("{}.{:06x}-{}", epoch, hash_of(run), seq);
}

std::optional<std::uint64_t> seq_of(std::string_view cursor, std::string_view epoch, std::string_view run,
                                    std::uint64_t last) {
  const std::size_t dash = cursor.rfind('-');
  if (dash == std::string_view::npos) return std::nullopt;
  std::uint64_t seq = 0;
  std::from_chars(cursor.data() + dash + 1, cursor.data() + cursor.size(), seq);
  if (seq > last) return std::nullopt;
  if (cursor_of(epoch, run, seq) != cursor && fmt::format("{}-{}", epoch, seq) != cursor) return std::nullopt;
  return seq;
}

ChunkPage chunk_page(std::uint32_t attempt, std::uint64_t offset, std::uint32_t newest, std::uint64_t end) {
  ChunkPage page;
  page.attempt = newest;
  // A step without text has an end of nothing, which a reader of nothing is at.
  page.reset = (attempt != 0 && attempt != newest) || offset > end;
  page.offset = page.reset || attempt == 0 ? 0 : offset;
  return page;
}

void add_chunk(ChunkPage& page, std::uint64_t start, std::string text) {
  if (start + text.size() <= page.offset) return;
  Chunk chunk;
  chunk.attempt = page.attempt;
  chunk.offset = start;
  chunk.text = std::move(text);
  if (start < page.offset) {
    chunk.text.erase(0, page.offset - start);
    chunk.offset = page.offset;
  }
  page.offset = chunk.offset + chunk.text.size();
  page.chunks.push_back(std::move(chunk));
}

}  // namespace holdfast::platform::rules
