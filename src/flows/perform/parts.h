#pragma once

// Parts of a map or loop in the platform store: one record for what each activity did of it, and what its
// items came to as pieces of a list, inline or as blobs. So a result of any size is written and read a piece
// at a time. Of one activity, on its thread. A failure is thrown as ApplicationFailure, TooLarge as itself.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "activities/register.h"
#include "block/block.h"
#include "holdfast/activity.h"
#include "platform/outbox.h"

namespace holdfast::flows {

inline constexpr std::size_t kPieceBytes = 4 << 20;  // of results, unless it is one alone

// TooLarge: the run has no room for it. `run`: whose it is; empty: the activity's.
platform::Blob keep_blob(activity::Context& ctx, const agent::Deps& deps, std::string_view bytes,
                         std::string_view run = {});

// The elements of a list, of valid JSON, as they are written. Empty: it is none, or has none.
bool is_list(std::string_view json);
std::vector<std::string_view> elements_of(std::string_view list);

// A JSON list: items one behind the other.
struct Piece {
  Piece() = default;
  std::string text;    // inline; else
  std::string sha256;  // a blob
  std::size_t bytes = 0;
  std::size_t items = 0;
};

// A value, with one piece that is no list but itself.
Piece kept_value(activity::Context& ctx, const agent::Deps& deps, const std::string& value,
                 std::string_view run = {});
Json piece_json(const Piece& piece);
Piece piece_of(const Json& in);

struct PartFailure {
  PartFailure() = default;
  std::uint64_t index = 0;
  std::string type;
  std::string message;
};

struct Part {
  Part() = default;
  std::size_t items = 0;              // that ended; of a loop: rounds up to here
  std::size_t errors = 0;             // of those, that failed and were collected
  std::vector<std::uint64_t> failed;  // these, of a body with calls that can be taken back
  std::vector<Piece> pieces;
  std::optional<PartFailure> failure;  // it ends the block
  bool over = false;                   // of a loop: it has come to its end
  std::string log;                     // what the code of its rounds wrote; of a loop: up to here
};

// The item, or round, `index` ends the block with that.
void fail_part(Part& part, std::uint64_t index, BlockFailure failure);

// What all parts of an ended map have together: the `text` of its record.
struct PartsSummary {
  PartsSummary() = default;
  std::size_t parts = 0, items = 0, errors = 0, bytes = 0;
  Json json() const;
  static PartsSummary of(std::string_view text);
};

class PartBooks {
 public:
  // Both outlive it.
  PartBooks(activity::Context& ctx, const agent::Deps& deps) : ctx_(ctx), deps_(deps) {}

  // `key`: BlockBooks::key() of the map or loop.
  std::optional<Json> begun(const std::string& key);
  // Throws if it was not begun.
  Json begun_already(const std::string& key);
  Json begin(const std::string& key, const Json& record);
  std::optional<Part> find(const std::string& key, std::uint32_t part);
  void write(const std::string& key, std::uint32_t part, const Part& what,
             const std::vector<platform::Told>& tells);
  // Another run's, with its blobs.
  Part adopted(Part from);
  std::string text_of(const Piece& piece);
  // All results as one list. Throws TooLarge beyond what a value may have; `id`: the block's.
  std::string list(const std::string& key, const PartsSummary& summary, std::string_view id);

 private:
  activity::Context& ctx_;
  const agent::Deps& deps_;
};

// Puts results into pieces.
class PieceWriter {
 public:
  // `run`: as of keep_blob().
  PieceWriter(activity::Context& ctx, const agent::Deps& deps, std::string run = {})
      : ctx_(ctx), deps_(deps), run_(std::move(run)) {}
  void add(std::string_view value);
  std::vector<Piece> finish();

 private:
  void flush();

  activity::Context& ctx_;
  const agent::Deps& deps_;
  const std::string run_;
  std::vector<Piece> pieces_;
  std::string text_;
  std::size_t items_ = 0;
};

// The results of an ended map from one on, a piece in memory.
class ResultReader {
 public:
  // `each`: how many items a part has; all but the last have as many.
  ResultReader(PartBooks& books, std::string key, std::uint64_t first, std::uint64_t each)
      : books_(books),
        key_(std::move(key)),
        skip_(first % each),
        part_(static_cast<std::uint32_t>(first / each)) {}
  std::string next();

 private:
  void more();

  PartBooks& books_;
  const std::string key_;
  std::uint64_t skip_;        // items that come before
  std::uint32_t part_;        // the next one
  std::deque<Piece> pieces_;  // that were not read
  std::string text_;
  std::deque<std::string_view> items_;  // of `text_`
};

}  // namespace holdfast::flows
