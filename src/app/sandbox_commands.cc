// sandbox eval: what flows evaluate, on this machine and without a server.

#include <fmt/format.h>

#include <algorithm>

#include "app/commands.h"
#include "app/exit_code.h"
#include "app/input_file.h"
#include "app/memory_plan.h"
#include "app/output.h"
#include "app/printable.h"
#include "base/json.h"
#include "base/memory_budget.h"
#include "broker/broker.h"
#include "os/clock.h"

namespace holdfast::app {

namespace {

using Json = nlohmann::ordered_json;

Result<sandbox::Request> request_of(const SandboxOptions& options) {
  sandbox::Request request;
  request.decimals_as_text = options.decimals_as_text;
  const bool is_monty = !options.monty.empty();
  const bool is_python = is_monty || options.python || (options.file && options.file->ends_with(".py"));
  if (is_python && !options.file)
    return fail(Code::kInvalidArgument,
                "an expression and a template are JavaScript; --python and --monty need a script");
  if (is_python) request.limits = sandbox::kPythonLimits;
  if (options.time_ms) request.limits.time_ms = *options.time_ms;
  if (options.memory_mib) request.limits.memory_bytes = *options.memory_mib << 20;
  if (options.expression) {
    request.code = *options.expression;
  } else if (options.text) {
    request.kind = sandbox::Kind::kTemplate;
    request.code = *options.text;
  } else {
    request.kind = is_monty    ? sandbox::Kind::kMonty
                   : is_python ? sandbox::Kind::kPython
                               : sandbox::Kind::kScript;
    auto code = read_file(*options.file, sandbox::kMostCodeBytes);
    if (!code) return fail(code.error());
    request.code = std::move(*code);
  }
  request.inputs = options.input;
  if (options.input_file) {
    auto inputs = read_file(*options.input_file, sandbox::kMostInputBytes);
    if (!inputs) return fail(inputs.error());
    request.inputs = std::move(*inputs);
  }
  return request;
}

// The result stays the text that it is: its integers may have more than 64 bits.
void print_json(const sandbox::Reply& reply, int level) {
  Json told = {{"level", level}, {"log", reply.log}, {"log_left_out", reply.log_left_out}};
  if (reply.failure) {
    const sandbox::Failure& failure = *reply.failure;
    told["failure"] = {{"fault", sandbox::fault_name(failure.fault)},
                       {"name", failure.name},
                       {"message", failure.message},
                       {"line", failure.line},
                       {"column", failure.column}};
  }
  std::string text = dump_json(told);
  if (!reply.failure) text.insert(text.size() - 1, ",\"result\":" + reply.result);
  print_line(text);
}

}  // namespace

int evaluate_in_sandbox(const SandboxOptions& options) {
  const auto request = request_of(options);
  if (!request) return refuse(request.error());
  const os::SystemClock clock;
  MemoryBudget memory(
      "sandbox", std::max(MemoryPlan::of(std::nullopt, machine_memory()).sandbox, std::size_t{256} << 20));
  auto broker = sandbox::Broker::start(
      {.level = options.level, .python_packages = options.python_packages, .monty = options.monty}, memory,
      clock);
  if (!broker) return refuse(broker.error());
  const auto reply = (*broker)->run("command line", *request);
  if (!reply) return refuse(reply.error());
  if (options.json) {
    print_json(*reply, (*broker)->level());
  } else {
    print_progress(printable(reply->log));
    if (reply->log_left_out > 0)
      print_progress(fmt::format("({} lines of the log left out)\n", reply->log_left_out));
    if (!reply->failure) print_line(reply->result);
  }
  if (!reply->failure) return kExitOk;
  const sandbox::Failure& failure = *reply->failure;
  const std::string where = failure.line == 0 ? "" : fmt::format("{}:{}: ", failure.line, failure.column);
  const std::string name = failure.name.empty() ? "" : failure.name + ": ";
  report_error(sandbox::fault_name(failure.fault), where + name + failure.message, "docs/guide/sandbox.md");
  return kExitRunFailed;
}

}  // namespace holdfast::app
