#pragma once

// AgentMetrics: what calls of models and tools are counted and measured as (docs/guide/metrics.md). A call is
// one attempt; one that an earlier attempt has made already, and is only found, is none.
//
// Thread-safe. Without a registry nothing is counted.

#include <chrono>
#include <optional>
#include <string>

#include "definition/definition.h"
#include "metrics/registry.h"
#include "model/breaker.h"
#include "model/client.h"
#include "model/gate.h"
#include "platform/budget.h"
#include "platform/records.h"
#include "tool/activity_tool.h"

namespace holdfast::agent {

class AgentMetrics {
 public:
  explicit AgentMetrics(metrics::Registry* registry);

  using Took = std::chrono::nanoseconds;
  // `first`: until the first piece of the answer; none came.
  void model_call(const std::string& agent, const ModelSpec& model, int attempt,
                  const model::Outcome& outcome, Took took, std::optional<Took> first);
  // What was booked for a call of a model.
  void used(const platform::Usage& usage);
  void tool_call(const std::string& agent, const ToolSpec& tool, int attempt, Ending ending, Took took);
  // Of a call that rules in shadow would have treated otherwise.
  void shadow(const std::string& agent, Action action);
  // Of a run that another run called.
  void sub_agent_ended(const std::string& agent, std::string_view status);

 private:
  struct Families {
    explicit Families(metrics::Registry& registry);

    metrics::Family& calls;
    metrics::Family& call_time;
    metrics::Family& first_time;
    metrics::Family& retries;
    metrics::Family& rate_limited;
    metrics::Family& tokens;
    metrics::Family& cost;
    metrics::Family& unpriced;
    metrics::Family& tools;
    metrics::Family& tool_time;
    metrics::Family& tool_retries;
    metrics::Family& sub_agents;
    metrics::Family& shadows;
  };
  std::optional<Families> families_;
};

// How keys and circuits stand at this moment.
void read_gate(metrics::Reading& out, const model::Gate& gate);
void read_breakers(metrics::Reading& out, const model::Breakers& breakers);

}  // namespace holdfast::agent
