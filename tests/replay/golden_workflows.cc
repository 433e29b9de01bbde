#include "golden_workflows.h"

#include <string>
#include <vector>

namespace holdfast::golden {
namespace {

using namespace std::chrono_literals;

ActivityOptions quick() {
  return ActivityOptions().start_to_close(10s).retry(RetryPolicy().initial(10ms).attempts(2));
}

// Activities in parallel and failing, timers raced and canceled, side effects, a patch, randomness.
Task<std::string> steps(workflow::Context& ctx, int width) {
  std::vector<Task<int>> branches;
  for (int i = 0; i < width; ++i) branches.push_back(ctx.activity<int>("golden_echo", quick(), i));
  int sum = 0;
  for (const int each : co_await all(std::move(branches))) sum += each;
  auto failed = co_await attempt(ctx.activity<int>("golden_fail", quick()));
  auto winner = co_await race(ctx.activity<int>("golden_echo", quick(), 5), ctx.sleep(1h));
  if (winner.index() == 0) sum += std::get<0>(winner);
  if (ctx.patched("golden-patch")) sum += ctx.side_effect<int>([] { return 100; });
  co_await ctx.sleep(std::chrono::milliseconds(10 + ctx.random() % 10));
  bool never = false;
  const bool in_time = co_await ctx.wait_for([&] { return never; }, 10ms);
  co_return std::to_string(sum) + (failed.ok() ? " ?" : " " + failed.error().message()) +
      (in_time ? " ?" : " late");
}

// Signals, updates with a rejection, a condition, a child that is signaled, continue-as-new.
Task<std::string> messages(workflow::Context& ctx, std::string so_far) {
  int total = 0;
  std::string words;
  ctx.on_signal("word", [&](std::string word) { words += word; });
  ctx.on_update(
      "add",
      [&](int value) -> Task<int> {
        co_await ctx.sleep(5ms);
        total += co_await ctx.activity<int>("golden_echo", quick(), value);
        co_return total;
      },
      [](int value) {
        if (value < 0) throw ApplicationFailure("negative", "Negative");
      });
  co_await ctx.wait([&] { return total >= 10 && words.size() >= 2 && ctx.idle(); });
  auto child = co_await ctx.start_child<std::string>(
      "golden_child", ChildOptions().workflow_id(ctx.info().workflow_id + "-child"));
  co_await child.signal("word", words);
  const std::string answer = co_await child.result();
  if (so_far.empty()) ctx.continue_as_new(answer);
  co_return so_far + answer;
}

Task<std::string> child(workflow::Context& ctx) {
  co_return "child heard " + co_await ctx.signal_channel<std::string>("word").receive();
}

// Cancellation with cleaning up behind a shield.
Task<std::string> canceled(workflow::Context& ctx) {
  auto outcome = co_await attempt(ctx.activity<int>("golden_wait", quick().heartbeat(1s)));
  auto clean = ctx.activity<int>("golden_echo", quick(), 7);
  co_return std::to_string(co_await ctx.shielded(std::move(clean))) +
      (is_canceled(outcome.error()) ? " canceled" : " ?");
}

}  // namespace

void register_workflows(Registry& registry) {
  registry.register_workflow("golden_steps", steps);
  registry.register_workflow("golden_messages", messages);
  registry.register_workflow("golden_child", child);
  registry.register_workflow("golden_canceled", canceled);
}

void register_activities(Registry& registry) {
  registry.register_activity("golden_echo", [](activity::Context&, int value) { return value; });
  registry.register_activity("golden_fail",
                             [](activity::Context&) -> int { throw ApplicationFailure("broken", "Broken"); });
  registry.register_activity("golden_wait", [](activity::Context& ctx) -> int {
    while (!ctx.sleep(20ms)) ctx.heartbeat();
    throw CanceledFailure();
  });
}

}  // namespace holdfast::golden
