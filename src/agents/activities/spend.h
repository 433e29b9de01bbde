#pragma once

// Spend: what a call may use is held before it is made, and what it used is booked with its step. The input
// is counted as bytes of text, since no tokenizer makes more tokens than bytes, the output as the cap that is
// always sent; a provider's own count replaces both, unless it is more than the call can have been.
//
// Thread-safe; one object serves all activity threads. A budget that is used up is an ApplicationFailure of
// the type BudgetExceeded, a model without a known price under a budget of money one of the type
// UnpricedModelError; neither is repeated.

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "definition/definition.h"
#include "holdfast/activity.h"
#include "holdfast/seams.h"
#include "model/client.h"
#include "platform/store.h"
#include "price/price_table.h"
#include "protocol/activities.h"
#include "protocol/run.h"

namespace holdfast::agent {

// One attempt at a model call. Kept by who makes it.
struct Allowance {
  Allowance() = default;
  std::string key;  // of its reservation; empty: nothing is limited, nothing is held
  std::string attempt;
  std::int64_t most_input = 0;
  std::int64_t most_output = 0;
  std::optional<price::Price> price;
};

class Spend {
 public:
  // `prices` null: those that are compiled in. All of it outlives this.
  Spend(platform::Store* store, const price::PriceTable* prices, const Clock* clock)
      : store_(store), prices_(prices), clock_(clock) {}

  // ---- a run begins

  // The run's account goes into the step that begins it, and the call of who called it is counted.
  void begin(activity::Context& ctx, const protocol::RunInput& run, const AgentDefinition& agent,
             const std::string& version, platform::StepWrite& write);
  // Since the epoch; 0: none. The first end of a wall time, here or above, at which a run ends by itself.
  std::int64_t wall_deadline_ms(const std::string& run);

  // ---- a model call

  // `step`: the key of the step that it becomes.
  Allowance allow(activity::Context& ctx, const ModelSpec& model, const model::Request& request,
                  const std::string& step);
  // The attempt came to nothing. What it used is not known, and stays held, unless it was refused as a whole.
  void failed(const Allowance& allowance, const model::Error& error);
  // What is wrong with the usage that the provider told is mended in place; it is given as it was told.
  static std::optional<Json> admit(const Allowance& allowance, model::Completion& completion);
  // The attempt was answered, though not with what its step could keep.
  void spoiled(const Allowance& allowance, platform::Usage used);
  static platform::Usage usage(activity::Context& ctx, const std::string& agent, const std::string& version,
                               const ModelSpec& model, const Allowance& allowance,
                               const model::Completion& completion);

  // ---- a tool call

  // Counts it before it is made.
  void tool(activity::Context& ctx, const protocol::ToolInput& in);
  static platform::Usage tool_usage(const std::string& run, const std::string& agent,
                                    const std::string& version, const protocol::CallRef& call);

 private:
  bool is_budgeted(const std::string& run);
  std::optional<price::Price> price_of(const ModelSpec& model) const;
  void count_tool(const platform::Usage& usage);

  platform::Store* store_;
  const price::PriceTable* prices_;
  const Clock* clock_;
  std::mutex mutex_;
  std::map<std::string, bool> budgeted_;  // by run, which never changes; guarded by mutex_
};

// An upper bound of the tokens of a request.
std::int64_t most_input_tokens(const model::Request& request);
// {"usd": "0.0012", "price_as_of": "2026-11-28"}; null: unpriced.
Json cost_json(const std::optional<std::int64_t>& cost, const std::string& as_of);
// A refusal as the failure of an activity; returns when the status is none.
void throw_refusal(const Status& status);

}  // namespace holdfast::agent
