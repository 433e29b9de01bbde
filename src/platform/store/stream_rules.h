#pragma once

// Rules of streams (platform/rules.h): the sequence of a log, what closes it, whose attempt a text belongs
// to, and what a cursor means.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "holdfast/status.h"
#include "platform/streams.h"

namespace holdfast::platform::rules {

inline constexpr std::size_t kMaxPageBytes = 16 << 20;  // data of one page of events

Status check_stream(std::string_view run, std::string_view step);
Status check_delta(std::string_view text);
Status check_event(std::string_view run, std::string_view type, std::string_view json);
// What a writer is told whose log is closed.
Status closed_log(std::string_view run);

struct LogEnd {
  std::uint64_t seq = 0;  // 0: nothing was written
  std::string key;
};
// None: the log is closed.
std::optional<std::uint64_t> next_seq(const LogEnd& end);

// An attempt whose number has been used gets the next one: texts of two attempts never mix. `used`: the
// highest number that the step's text has, 0 for none.
std::uint32_t attempt_number(std::uint32_t asked, std::uint32_t used);

// The data of a delta event. `opens`: watchers drop the text of the attempt before.
std::string delta_json(std::string_view step, std::uint32_t attempt, std::uint64_t offset,
                       std::string_view text, bool opens);

// A cursor names a log by the epoch of its file and a hash of whose it is, and an event by its sequence.
std::string cursor_of(std::string_view epoch, std::string_view run, std::uint64_t seq);
// None when the cursor is not of this log, whose last event is `last`: read from the beginning. One of an
// earlier version has no hash, and is taken for any log's.
std::optional<std::uint64_t> seq_of(std::string_view cursor, std::string_view epoch, std::string_view run,
                                    std::uint64_t last);

// Where a reader that knows `offset` of `attempt` (0: nothing) goes on in the newest attempt, which has `end`
// bytes: a page without chunks.
ChunkPage chunk_page(std::uint32_t attempt, std::uint64_t offset, std::uint32_t newest, std::uint64_t end);
// Adds what of a stored chunk the reader has not seen.
void add_chunk(ChunkPage& page, std::uint64_t start, std::string text);

}  // namespace holdfast::platform::rules
