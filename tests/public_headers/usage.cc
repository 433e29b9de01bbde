// Every form of the public API that workflow code uses, compiled by tests with g++ 12 (Debian 12's default
// compiler) besides clang: the traps of its coroutines are listed in docs/guide/cpp-sdk.md.

#include "holdfast/holdfast.h"

namespace {

using namespace holdfast;
using namespace std::chrono_literals;

Task<int> slow_echo(workflow::Context& ctx, int value) {
  co_await ctx.sleep(1s);
  co_return value;
}

Task<std::string> order(workflow::Context& ctx, std::string name, int amount) {
  bool approved = false;
  ctx.on_signal("approve", [&](bool yes) { approved = yes; });
  ctx.on_signal("approve-later", [&](bool yes) -> Task<void> {
    co_await ctx.sleep(1s);
    approved = yes;
  });
  ctx.on_query("approved", [&] { return approved; });
  ctx.on_update(
      "set-amount", [&](int value) -> Task<int> { co_return co_await slow_echo(ctx, value); },
      [](int value) {
        if (value < 0) throw ApplicationFailure("negative");
      });
  ctx.on_update("plain", [&](int value) { return amount = value; });
  auto one = ctx.signal_channel<std::string>("one");
  auto two = ctx.signal_channel<std::string, int>("two");
  std::string text = co_await one.receive();
  auto [word, number] = co_await two.receive();
  co_await ctx.wait([&] { return approved; });
  const bool in_time = co_await ctx.wait_for([&] { return approved; }, 10s);
  auto outcome = co_await attempt(ctx.activity<int>(
      "charge",
      ActivityOptions().task_queue("q").start_to_close(30s).heartbeat(5s).retry(
          RetryPolicy().initial(2s).backoff(2.0).maximum(30s).attempts(5).non_retryable("NoFunds", "Fraud")),
      name, amount));
  if (!outcome.ok()) co_return outcome.error().message();
  auto [charged, nothing] = co_await all(ctx.activity<int>("charge", ActivityOptions()), ctx.sleep(1s));
  (void)nothing;
  auto first = co_await race(ctx.activity<int>("charge", ActivityOptions()), ctx.sleep(1s));
  if (first.index() == 1) co_await ctx.shielded(ctx.sleep(1s));
  auto child = co_await ctx.start_child<int>("child", ChildOptions().workflow_id("x"), amount);
  co_await child.signal("hello", 1);
  const int result = co_await child.result();
  auto handle = ctx.start_activity<int>("charge", ActivityOptions().start_to_close(1s), 1);
  handle.cancel();
  const int computed = ctx.side_effect<int>([] { return 4; });
  auto beside = ctx.spawn(slow_echo(ctx, 3));
  const int three = co_await beside;
  if (ctx.patched("p")) ctx.continue_as_new(name, amount);
  co_return text + word + std::to_string(number + charged + result + computed + three + (in_time ? 1 : 0));
}

Task<Payload> dynamic(workflow::Context&, std::vector<Payload> arguments) {
  co_return arguments[0];
}

int charge(activity::Context& ctx, std::string name, int amount) {
  ctx.heartbeat(amount, name);
  return amount;
}

}  // namespace

void register_all(Registry& registry) {
  registry.register_workflow("order", order);
  registry.register_workflow("dynamic", dynamic);
  registry.register_workflow("lambda", [](workflow::Context&, int x) -> Task<int> { co_return x; });
  registry.register_activity("charge", charge);
  registry.register_activity("lambda", [](activity::Context&, int) {});
}

std::string define_agent() {
  AgentFile file("refunds");
  file.description("d").model("openai", "gpt-4o-mini").prompt("p").set("spec.limits.max_iterations", 12);
  file.tool(AgentTool("find", "sql")
                .description("d")
                .effect("pure")
                .argument("id", "integer")
                .argument("note", {{"type", "string"}}, false)
                .set("sql.statement", "SELECT 1"));
  file.allow("find")
      .ask("*", "id > 1", "why")
      .deny("find", "id > 9")
      .add("spec.tools", AgentTool("w", "wait").json());
  return file.text();
}

Result<Outcome<int>> connect_and_call() {
  auto server = connect("127.0.0.1:7233", ConnectOptions().namespace_name("n").tls());
  if (!server.status().ok()) return fail(server.status());
  Worker worker(server, WorkerOptions("q"));
  register_all(worker);
  if (Status status = worker.start(); !status.ok()) return fail(status);
  const Client client(server, ClientOptions().identity("me"));
  return client.workflow("id").update<int>("plain", 1);
}

Result<Outcome<int>> call_all(Client& client) {
  auto handle = client.start("order", StartOptions("id", "q"), "a", 1);
  if (!handle) return fail(handle.error());
  auto state = handle->query<bool>("approved");
  auto text = handle->result<std::string>();
  return handle->update<int>("set-amount", 1);
}
