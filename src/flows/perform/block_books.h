#pragma once

// BlockBooks: what the blocks of one run came to, in the platform store, and what watchers are told of them.
// A result is recorded under a key that is the same in every attempt; those of blocks that change nothing
// outside are written together, those of calls with the settlement of the call. A large one is a blob.
//
// Of one activity, on its thread. A failure is thrown as ApplicationFailure.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "activities/register.h"
#include "block/outcome.h"
#include "block/program.h"
#include "holdfast/activity.h"
#include "platform/outbox.h"

namespace holdfast::flows {

// Beyond it a value is kept as a blob, and events show its beginning.
inline constexpr std::size_t kMaxKeptInline = 64 * 1024;
inline constexpr std::size_t kMaxPendingBytes = 4 << 20;

class BlockBooks {
 public:
  BlockBooks(activity::Context& ctx, const agent::Deps& deps, const Program& program)
      : ctx_(ctx), deps_(deps), program_(program) {}

  // Of the block's call, and of its record: stable for this run.
  std::string key(std::size_t block) const;

  // None: no attempt has recorded it.
  std::optional<BlockOutcome> find(std::size_t block);
  // Its value: that of find(), or null of one that never ran.
  std::string value(std::size_t block);
  const std::string& input();

  // A crash may take it: whoever does the work again says it again.
  void started(std::size_t block, const std::string& arguments);
  // Of a wait, which nobody begins again.
  void wait_started(std::size_t block);
  void retrying(std::size_t block, int attempt, const std::string& error,
                std::optional<std::chrono::milliseconds> retry_after);
  // To be written with the next flush().
  void ended(std::size_t block, const BlockOutcome& outcome);
  void flush();
  // As the settlement of a call has it, and what is told with it.
  std::string record(const BlockOutcome& outcome);
  platform::Told told(std::size_t block, const BlockOutcome& outcome) const;
  BlockOutcome read(const std::string& record);
  // What is known is told again, for a log that does not have it.
  void tell_again(std::size_t block, const BlockOutcome& outcome);
  void publish(std::string_view type, const Json& data, const std::string& key);

  // Texts of tools, without secrets.
  std::string redacted(std::string text) const;

 private:
  Json head(std::size_t block) const;
  std::string event_key(std::size_t block, std::string_view what) const;
  std::string read_blob(const std::string& sha256, std::int64_t bytes);

  activity::Context& ctx_;
  const agent::Deps& deps_;
  const Program& program_;
  std::optional<std::string> input_;
  std::vector<platform::StepWrite> writes_;
  std::vector<platform::Told> tells_;
  std::size_t pending_bytes_ = 0;
};

}  // namespace holdfast::flows
