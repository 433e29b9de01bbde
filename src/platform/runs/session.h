#pragma once

// A session: one conversation, with all the runs that have gone on in it, for everybody who takes part. Whoever looks at
// it sees one run behind the other; what is said goes to the run that works, or begins the next one.
//
// Thread-safe; blocks as the stores do.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runs/runs.h"

namespace holdfast::runs {

// Runs of a session that are gone through; of a longer one the newest.
inline constexpr std::size_t kMaxSessionRuns = 10'000;

struct SessionRuns {
  std::vector<std::string> runs;  // in the order of their turns
  bool found = false;             // the run that was asked for is the first of them
};

// From a run on; empty, or not one of the session's: all. NOT_FOUND: nobody has said anything in it, and nobody waits.
Result<SessionRuns> runs_of_session(Runs& runs, const std::string& conversation, const std::string& from = {});

// The run whose turn it is, or that comes next; none: all are over.
Result<std::optional<platform::RunRecord>> working_run(Runs& runs, const std::string& conversation);
// All that are open, who comes last first: so that nobody begins because another one is stopped. NOT_FOUND as above.
Result<std::vector<std::string>> open_runs(Runs& runs, const std::string& conversation);
// The newest one. NOT_FOUND as above.
Result<platform::RunRecord> newest_run(Runs& runs, const std::string& conversation);

// The run that a message begins: the same message again is the same run.
std::string run_of_message(const std::string& conversation, const std::string& message);

}  // namespace holdfast::runs
