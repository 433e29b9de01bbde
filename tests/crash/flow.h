#pragma once

// The workflow under load, as a pure function of its history: kSteps times an activity and a short timer,
// kSignals signals and kUpdates updates in any order, then the end. Its worker keeps nothing between workflow
// tasks.

#include "api/messages.h"

namespace holdfast::crash {

inline constexpr int kSteps = 3;
inline constexpr int kSignals = 3;
inline constexpr int kUpdates = 1;
inline constexpr const char* kTaskQueue = "crash";
inline constexpr const char* kNamespace = "default";

// The completion of a workflow task: answers the updates it brings and goes one step on.
ws::RespondWorkflowTaskCompletedRequest decide(const ws::PollWorkflowTaskQueueResponse& task);

// One payload with this text.
void set_text(pb::common::v1::Payloads& payloads, const std::string& text);
std::string get_text(const pb::common::v1::Payloads& payloads);

// One signal of each flow has a payload that stands outside the history (ADR 0043), which follows from its
// name.
void add_ballast(pb::common::v1::Payloads& payloads, const std::string& name);
bool has_its_ballast(const pb::common::v1::Payloads& payloads);

}  // namespace holdfast::crash
