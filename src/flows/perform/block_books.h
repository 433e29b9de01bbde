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
#include "activities/settings.h"
#include "block/outcome.h"
#include "block/program.h"
#include "holdfast/activity.h"
#include "platform/outbox.h"

namespace holdfast::flows {

// Beyond it a value is kept as a blob, and events show its beginning.
inline constexpr std::size_t kMaxKeptInline = 64 * 1024;
inline constexpr std::size_t kMaxPendingBytes = 4 << 20;

// A round of a body: what it knows is known under its number, and nobody watches it.
struct Round {
  std::string of;  // the block whose body it is
  std::uint64_t index = 0;
  bool is_kept = true;  // else nothing of it need be known again
};

class BlockBooks {
 public:
  // `begun`: runs that began these blocks, and that this one takes up.
  BlockBooks(activity::Context& ctx, const agent::Deps& deps, const Program& program,
             std::vector<protocol::FlowOrigin> begun = {}, std::optional<Round> round = std::nullopt)
      : ctx_(ctx),
        deps_(deps),
        program_(program),
        run_(ctx.info().workflow_id),
        begun_(std::move(begun)),
        round_(std::move(round)) {}
  // Of another run, which is read.
  BlockBooks(activity::Context& ctx, const agent::Deps& deps, const Program& program, std::string run)
      : ctx_(ctx), deps_(deps), program_(program), run_(std::move(run)) {}

  // Of the block's record: stable for this run.
  std::string key(std::size_t block) const { return key_in(run_, block); }
  std::string key_in(std::string_view run, std::size_t block) const;
  // Of its call: that of a run that this one takes up, if that began it and it is not known to have failed.
  std::string call_key(std::size_t block);
  // Runs that began the block, and did not end it.
  std::vector<std::string> begun_by(std::size_t block) const;

  // None: no attempt has recorded it.
  std::optional<BlockOutcome> find(std::size_t block);
  // What that run recorded of it.
  std::optional<std::string> record_in(std::string_view run, std::size_t block);
  // Its value: that of find(), or null of one that never ran.
  std::string value(std::size_t block);
  const std::string& input();
  // Of a call that the workflow makes, what whoever answered it has recorded for it.
  std::string said(std::size_t block);

  // What the run began with, an object; empty: that is not recorded.
  const Json& begun();
  // The record of that, without what it says.
  void begins(platform::StepWrite& write) const;
  // Of the record of its end, of a run that another one has called and that did not succeed.
  std::string end_key() const;
  // As the run was started, by whom and by which label.
  agent::RunSettings settings(const std::optional<protocol::Caller>& caller) const;
  // A call of the block, as others are told it.
  protocol::CallRef call(std::size_t block);

  // A crash may take it: whoever does the work again says it again.
  void started(std::size_t block, const std::string& arguments);
  // Of a step of the workflow, which nobody begins again. `more`: an object.
  void step_started(std::size_t block, const Json& more);
  void retrying(std::size_t block, int attempt, const std::string& error,
                std::optional<std::chrono::milliseconds> retry_after);
  // To be written with the next flush().
  void ended(std::size_t block, const BlockOutcome& outcome);
  void flush();
  // Of a call that may be taken back; with the next flush().
  void keep_arguments(const std::string& call_key, const std::string& arguments);
  // As the settlement of a call has it, and what is told with it.
  std::string record(const BlockOutcome& outcome);
  platform::Told told(std::size_t block, const BlockOutcome& outcome) const;
  // The same, if anybody watches.
  std::vector<platform::Told> tells(std::size_t block, const BlockOutcome& outcome) const;
  void detached(std::size_t block, const std::string& completion, const std::string& answer);
  // How far a map or loop is; with the next flush().
  platform::Told progress(std::size_t block, const std::string& once, const Json& more) const;
  BlockOutcome read(const std::string& record);
  // What is known is told again, for a log that does not have it.
  void tell_again(std::size_t block, const BlockOutcome& outcome);
  void publish(std::string_view type, const Json& data, const std::string& key);
  platform::Told event(std::string_view type, const Json& data, const std::string& key) const;
  // Into the log of the run that called this one, about the call.
  void tell_caller(const protocol::Caller& caller, std::string_view type, const Json& more,
                   std::string_view what);
  // Tool grants let a call not be made.
  void refused(const std::string& run, const protocol::CallRef& call, const std::string& why);

  activity::Context& context() { return ctx_; }
  // Texts of tools, without secrets.
  std::string redacted(std::string text) const;

 private:
  Json head(std::size_t block) const;
  std::string event_key(std::size_t block, std::string_view what) const;
  std::string value_of(const BlockOutcome& outcome, std::size_t block);

  activity::Context& ctx_;
  const agent::Deps& deps_;
  const Program& program_;
  const std::string run_;
  const std::vector<protocol::FlowOrigin> begun_;
  const std::optional<Round> round_;
  std::optional<std::string> input_;
  std::optional<Json> beginning_;
  std::vector<platform::StepWrite> writes_;
  std::vector<platform::Told> tells_;
  std::size_t pending_bytes_ = 0;
};

}  // namespace holdfast::flows
