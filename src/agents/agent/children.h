#pragma once

// Sub-agents of one call: they begin together, and are waited for as the call wants it. What nobody waits for
// any more is cancelled, and waited for until it has ended, so that nothing of a call runs behind its answer.
// Deterministic workflow code.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "agent/workflow_tool.h"
#include "holdfast/workflow.h"
#include "protocol/activities.h"
#include "protocol/flow_run.h"
#include "protocol/run.h"

namespace holdfast::agent {

// So long a sub-agent that was cancelled may take to end, undoing what it did; then its caller goes on.
inline constexpr std::chrono::minutes kLongestChildEnding{10};

struct Child {
  Child() = default;
  std::string workflow_id;
  protocol::RunInput input;
  std::optional<protocol::FlowInput> flow;  // it is a run of that flow, and `input` means nothing
};

// The run that answers a call: the same, whoever asks again. Of several, their number goes behind it.
std::string child_id(const WorkflowCall& call);

struct ChildrenWanted {
  ChildrenWanted() = default;
  std::vector<Child> children;
  bool first = false;  // the first that completes is enough
  std::chrono::milliseconds timeout{0};
};

struct ChildEnd {
  ChildEnd() = default;
  protocol::MemberEnd end = protocol::MemberEnd::kFailed;
  std::string error;
};

struct ChildrenEnd {
  ChildrenEnd() = default;
  std::vector<ChildEnd> ends;  // in the order of the children
  std::size_t winner = 0;      // one that completed, if one did
};

// `undoable`: of the calling run, which answers for what they did; it and `ctx` outlive the call. Throws when
// the call itself is cancelled, behind the end of the children.
Task<ChildrenEnd> run_children(workflow::Context* ctx, ChildrenWanted wanted,
                               std::vector<protocol::Undoable>* undoable);

// A call that one child answers, within the call's time.
Task<protocol::ToolAnswer> run_child(WorkflowCall call, Child child);

}  // namespace holdfast::agent
