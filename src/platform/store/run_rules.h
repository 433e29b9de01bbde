#pragma once

// Rules of runs and definitions (platform/rules.h): the intent to start comes first, and the same request
// makes the same run.

#include <optional>
#include <string>
#include <string_view>

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "platform/records.h"
#include "platform/rules.h"

namespace holdfast::platform::rules {

struct StoredRun {
  RunRecord run;
  std::string fingerprint;          // of the request that made it
  std::string settings{};           // only when it is new: StartIntent::settings
  std::optional<FlowPlace> flow{};  // the same
  std::vector<std::string> history{};
  bool keep = true;
};

Status check_start(const StartIntent& intent);
// `of_key` and `of_run`: what is stored under the intent's idempotency key and run id, where it has them.
// ALREADY_EXISTS when another request has one of them.
Result<Change<StoredRun>> start_run(const StartIntent& intent, const std::optional<StoredRun>& of_key,
                                    const std::optional<StoredRun>& of_run, Random& random, WallTime now);
// The engine has answered. The time of the first answer stays.
Change<RunRecord> mark_started(const RunRecord& stored, std::string_view engine_run_id, WallTime now);

// That in which it stands: its own, if it was started for none.
const std::string& conversation_of(const RunRecord& run);

// The beginning of a text of UTF-8, for a list.
std::string first_characters(std::string text, std::size_t count);

Status check_definition(std::string_view name, std::string_view text);
// As it is written when this version of the text is not there.
Definition new_definition(std::string_view name, std::string_view text, WallTime now);

}  // namespace holdfast::platform::rules
