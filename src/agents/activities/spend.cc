#include "activities/spend.h"

#include <fmt/format.h>

#include <algorithm>

#include "activities/activities.h"
#include "activities/count_call.h"
#include "activities/deploy.h"
#include "base/money.h"
#include "holdfast/failure.h"
#include "holdfast/payload.h"
#include "platform/budget_rules.h"
#include "platform/step_rules.h"
#include "protocol/names.h"

namespace holdfast::agent {

namespace {

constexpr std::size_t kMaxKnownRuns = 10'000;
// What providers put around a message, a tool, and the whole, in words of their own.
constexpr std::size_t kAroundMessage = 64;
constexpr std::size_t kAroundTool = 256;
constexpr std::size_t kAroundAll = 1024;
// An image or a file is not counted by its bytes: a small one may show much.
constexpr std::size_t kMedium = 32'768;
constexpr std::int64_t kMostTokens = platform::rules::kMaxTokensOfCall;

std::string host_of(const std::string& url) {
  const std::size_t scheme = url.find("://");
  std::string host = scheme == std::string::npos ? url : url.substr(scheme + 3);
  host.resize(std::min(host.size(), host.find_first_of("/?#")));
  if (const std::size_t user = host.rfind('@'); user != std::string::npos) host.erase(0, user + 1);
  std::transform(host.begin(), host.end(), host.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return host;
}

std::string named(const ModelSpec& model) {
  return fmt::format("`{}` at {}", model.name, host_of(model_url(model)));
}

[[noreturn]] void throw_refused(const platform::Refusal& refusal) {
  const char* type = refusal.unpriced ? kUnpricedModelError : kBudgetExceeded;
  const Json details = {{"budget", to_string(refusal.budget)}, {"run", refusal.run}, {"park", refusal.park}};
  throw ApplicationFailure(refusal.message, type, true, {to_payload(details)});
}

std::size_t bytes_of(const model::Message& message) {
  std::size_t bytes = kAroundMessage + message.extra.size() + message.tool_call_id.size();
  for (const model::Part& part : message.content) {
    bytes += part.text.size() + part.json.size() + part.extra.size();
    if (part.type != "text" && part.type != "opaque" && part.type != "tool_call") bytes += kMedium;
  }
  for (const model::ToolCall& call : message.tool_calls)
    bytes += kAroundMessage + call.id.size() + call.name.size() + call.arguments.size() + call.extra.size();
  return bytes;
}

// Refused as a whole: nobody counts what was not begun.
bool used_nothing(const model::Error& error) {
  return error.kind == model::ErrorKind::kNotGranted || error.http_status >= 400;
}

}  // namespace

void throw_refusal(const Status& status) {
  if (auto refusal = platform::refusal_of(status)) throw_refused(*refusal);
}

std::int64_t most_input_tokens(const model::Request& request) {
  std::size_t bytes = kAroundAll + request.output_schema.size();
  for (const model::Message& message : request.messages) bytes += bytes_of(message);
  for (const model::ToolDefinition& tool : request.tools)
    bytes += kAroundTool + tool.name.size() + tool.description.size() + tool.parameters.size();
  return std::min(static_cast<std::int64_t>(bytes), kMostTokens);
}

Json cost_json(const std::optional<std::int64_t>& cost, const std::string& as_of) {
  if (!cost) return nullptr;
  return {{"usd", format_dollars(*cost)}, {"price_as_of", as_of}};
}

std::optional<price::Price> Spend::price_of(const ModelSpec& model) const {
  const price::PriceTable& table = prices_ != nullptr ? *prices_ : price::PriceTable::builtin();
  return table.find(host_of(model_url(model)), model.name);
}

bool Spend::is_budgeted(const std::string& run) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = budgeted_.find(run); found != budgeted_.end()) return found->second;
  }
  const auto account = require(store_->account(run), "the account of the run");
  const bool budgeted = account && account->budgeted;
  const std::lock_guard lock(mutex_);
  if (budgeted_.size() >= kMaxKnownRuns) budgeted_.clear();
  budgeted_[run] = budgeted;
  return budgeted;
}

// ---- a run begins

void Spend::begin(activity::Context& ctx, const protocol::RunInput& run, const AgentDefinition& agent,
                  const std::string& version, platform::StepWrite& write) {
  platform::AccountOpening& opening = write.account.emplace();
  opening.run = ctx.info().workflow_id;
  opening.agent = agent.name;
  opening.version = version;
  const BudgetSpec& budgets = agent.budgets;
  opening.limits.tokens = budgets.tokens;
  opening.limits.money = budgets.money;
  opening.limits.calls = budgets.calls;
  opening.limits.tool_calls = budgets.tool_calls;
  opening.limits.depth = budgets.depth;
  opening.limits.park = budgets.park;
  if (budgets.wall_time) opening.limits.deadline = clock_->now() + *budgets.wall_time;
  if (!price_of(agent.model)) opening.model_without_price = named(agent.model);
  if (!run.caller) return;
  opening.parent = run.caller->run;
  count_call_of(*store_, *run.caller, write);
}

std::int64_t Spend::wall_deadline_ms(const std::string& run) {
  std::int64_t first = 0;
  if (!is_budgeted(run)) return first;
  std::string at = run;
  for (std::size_t seen = 0; !at.empty() && seen < platform::rules::kLongestChain; ++seen) {
    const auto account = require(store_->account(at), "the account of the run");
    if (!account) break;
    if (account->limits.deadline && !account->limits.park) {
      const std::int64_t ms =
          std::chrono::duration_cast<std::chrono::milliseconds>(account->limits.deadline->time_since_epoch())
              .count();
      first = first == 0 ? ms : std::min(first, ms);
    }
    at = account->parent;
  }
  return first;
}

// ---- a model call

Allowance Spend::allow(activity::Context& ctx, const ModelSpec& model, const model::Request& request,
                       const std::string& step) {
  Allowance out;
  out.most_input = most_input_tokens(request);
  out.most_output = std::min(request.max_tokens.value_or(kMostTokens), kMostTokens);
  out.price = price_of(model);
  out.attempt = fmt::format("{}/{}/{}", step, ctx.info().run_id, ctx.info().attempt);
  if (!is_budgeted(ctx.info().workflow_id)) return out;
  const auto cost = out.price ? price::worst_cost(*out.price, out.most_input, out.most_output) : std::nullopt;
  platform::Reservation wanted;
  wanted.key = out.attempt;
  wanted.run = ctx.info().workflow_id;
  wanted.most.tokens = out.most_input + out.most_output;
  wanted.most.money = cost.value_or(0);
  wanted.most.calls = 1;
  wanted.priced = cost.has_value();
  wanted.model = named(model);
  const auto reserved = require(store_->reserve(wanted), "holding what the call may use");
  if (reserved.refused) throw_refused(*reserved.refused);
  out.key = out.attempt;
  return out;
}

void Spend::failed(const Allowance& allowance, const model::Error& error) {
  if (allowance.key.empty() || !used_nothing(error)) return;
  require_ok(store_->settle_reservation(allowance.key), "letting go of what the call might have used");
}

std::optional<Json> Spend::admit(const Allowance& allowance, model::Completion& completion) {
  model::Usage& usage = completion.usage;
  // Nothing is said in no tokens: a server that says so did not count.
  if (usage.input_tokens <= 0) return std::nullopt;
  const model::Usage told = usage;
  usage.input_tokens = std::min(usage.input_tokens, allowance.most_input);
  usage.output_tokens = std::clamp<std::int64_t>(usage.output_tokens, 0, allowance.most_output);
  usage.cached_input_tokens = std::clamp<std::int64_t>(usage.cached_input_tokens, 0, usage.input_tokens);
  usage.cache_write_tokens =
      std::clamp<std::int64_t>(usage.cache_write_tokens, 0, usage.input_tokens - usage.cached_input_tokens);
  usage.reasoning_tokens = std::clamp<std::int64_t>(usage.reasoning_tokens, 0, usage.output_tokens);
  if (told.input_tokens == usage.input_tokens && told.output_tokens == usage.output_tokens &&
      told.cached_input_tokens == usage.cached_input_tokens &&
      told.cache_write_tokens == usage.cache_write_tokens && told.reasoning_tokens == usage.reasoning_tokens)
    return std::nullopt;
  return Json{{"input_tokens", told.input_tokens},
              {"output_tokens", told.output_tokens},
              {"cached_input_tokens", told.cached_input_tokens},
              {"cache_write_tokens", told.cache_write_tokens},
              {"reasoning_tokens", told.reasoning_tokens}};
}

void Spend::spoiled(const Allowance& allowance, platform::Usage used) {
  used.key = allowance.attempt;
  require_ok(store_->settle_reservation(allowance.attempt, {std::move(used)}),
             "booking what the answer used");
}

platform::Usage Spend::usage(activity::Context& ctx, const std::string& agent, const std::string& version,
                             const ModelSpec& model, const Allowance& allowance,
                             const model::Completion& completion) {
  platform::Usage row;
  row.run = ctx.info().workflow_id;
  row.agent = agent;
  row.version = version;
  row.provider = model.provider;
  row.model = completion.model.empty() ? model.name : completion.model;
  price::Counts counts;
  counts.input = completion.usage.input_tokens;
  counts.output = completion.usage.output_tokens;
  counts.cached_input = completion.usage.cached_input_tokens;
  counts.cache_write = completion.usage.cache_write_tokens;
  counts.reasoning = completion.usage.reasoning_tokens;
  row.uncounted = counts.input <= 0;
  if (row.uncounted) {
    counts = {};
    counts.input = allowance.most_input;
    counts.output = std::min(static_cast<std::int64_t>(bytes_of(completion.message)), allowance.most_output);
  }
  row.input_tokens = counts.input;
  row.output_tokens = counts.output;
  row.cached_input_tokens = counts.cached_input;
  row.cache_write_tokens = counts.cache_write;
  row.reasoning_tokens = counts.reasoning;
  if (!allowance.price) return row;
  row.cost = price::cost_of(*allowance.price, counts);
  if (row.cost) row.price_as_of = allowance.price->as_of;
  return row;
}

// ---- a tool call

platform::Usage Spend::tool_usage(const std::string& run, const std::string& agent,
                                  const std::string& version, const protocol::CallRef& call) {
  platform::Usage row;
  row.key = "tool:" + call.key;
  row.run = run;
  row.agent = agent;
  row.version = version;
  row.tool = call.tool;
  return row;
}

void Spend::tool(activity::Context& ctx, const protocol::ToolInput& in) {
  const std::string& run = ctx.info().workflow_id;
  if (is_budgeted(run)) count_tool(tool_usage(run, in.agent, in.version, in.call));
}

namespace {

void reserve_call(platform::Store& store, const platform::Usage& usage) {
  platform::Reservation wanted;
  wanted.key = usage.key;
  wanted.run = usage.run;
  const auto reserved = require(store.reserve(wanted, usage), "counting the call");
  if (reserved.refused) throw_refused(*reserved.refused);
}

}  // namespace

void Spend::count_tool(const platform::Usage& usage) {
  reserve_call(*store_, usage);
}

void count_call_of(platform::Store& store, const protocol::Caller& caller, platform::StepWrite& write) {
  platform::Usage call = Spend::tool_usage(caller.run, caller.agent, caller.version, caller.call);
  const auto account = require(store.account(caller.run), "the account of the run");
  if (account && account->budgeted) reserve_call(store, call);
  write.usage.push_back(std::move(call));
}

}  // namespace holdfast::agent
