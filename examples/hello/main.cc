// A workflow, an activity, a worker and a client in one program. Needs a server:
//
//   holdfast dev                      # or: temporal server start-dev
//   hello 127.0.0.1:7233 World

#include <iostream>
#include <string>

#include "holdfast/holdfast.h"

using namespace holdfast;
using namespace std::chrono_literals;

// Runs anywhere, may block, is retried when it throws.
std::string compose(activity::Context& ctx, std::string greeting, std::string name) {
  ctx.heartbeat("composing");
  return greeting + ", " + name + "!";
}

// Survives restarts: what it awaits is recorded, and replayed when the process dies.
Task<std::string> greet(workflow::Context& ctx, std::string name) {
  std::string greeting = "Hello";
  ctx.on_signal("greeting", [&](std::string value) { greeting = value; });
  ctx.on_query("greeting", [&] { return greeting; });

  // Somebody may approve; after ten seconds nobody needs to.
  bool approved = false;
  ctx.on_update(
      "approve",
      [&](std::string who) {
        approved = true;
        return "thanks, " + who;
      },
      [](std::string who) {
        if (who.empty()) throw ApplicationFailure("who are you?", "Anonymous");
      });
  co_await ctx.wait_for([&] { return approved; }, 10s);

  auto text = co_await attempt(ctx.activity<std::string>(
      "compose", ActivityOptions().start_to_close(30s).retry(RetryPolicy().attempts(3)), greeting, name));
  if (!text.ok()) co_return "no greeting today: " + text.error().to_string();
  co_return text.value();
}

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: hello HOST:PORT NAME\n";
    return 64;
  }
  auto server = connect(argv[1]);

  Worker worker(server, WorkerOptions("hello"));
  worker.register_workflow("greet", greet);
  worker.register_activity("compose", compose);
  if (const Status status = worker.start(); !status.ok()) {
    std::cerr << status.to_string() << '\n';
    return 1;
  }

  const Client client(server);
  auto handle = client.start("greet", StartOptions().task_queue("hello"), std::string(argv[2]));
  if (!handle) {
    std::cerr << handle.error().to_string() << '\n';
    return 1;
  }
  auto approval = handle->update<std::string>("approve", "the example");
  auto outcome = handle->result<std::string>();
  if (!approval || !outcome || !outcome->ok()) {
    std::cerr << "it did not work: " << (!outcome ? outcome.error().to_string() : "see the history") << '\n';
    return 1;
  }
  std::cout << approval->value() << '\n' << outcome->value() << '\n';
  return 0;
}
