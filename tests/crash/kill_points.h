#pragma once

// Where a server under test is to die: at one sync of one of its stores, counted from the moment at which it
// gets SIGUSR1. HOLDFAST_TEST_KILL_AT says which: STORE:MOMENT:N, with
//
//   STORE   platform (what blocks came to, intents and settlements), streams (the log of events), engine
//   MOMENT  before (what was about to become durable is lost), after (it is durable, and nobody was told)
//   N       from 1 on
//
// It ends itself by SIGKILL, on the lossy disk (lossy_disk.h), so that this is a power cut at a point with a
// name.

namespace holdfast::crash {

inline constexpr const char* kKillAt = "HOLDFAST_TEST_KILL_AT";

// Before any thread exists. Ends the process when the variable cannot be read; without it nothing happens.
void set_kill_point();

}  // namespace holdfast::crash
