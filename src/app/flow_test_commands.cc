// flow test, and flow run --until or --only: a flow on this machine, without a server and with pinned
// results.

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "app/exit_code.h"
#include "app/flow_file_commands.h"
#include "app/input_file.h"
#include "app/memory_plan.h"
#include "app/output.h"
#include "app/printable.h"
#include "base/json.h"
#include "base/memory_budget.h"
#include "broker/broker.h"
#include "os/clock.h"
#include "trial/cases.h"

namespace holdfast::app {

namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

// The sandbox of this command, started for the first expression: a flow without one needs none.
class TrialSandbox {
 public:
  Result<sandbox::Reply> run(const sandbox::Request& request) {
    if (!broker_) {
      const char* monty = std::getenv("HOLDFAST_MONTY");  // as of a server
      auto started = sandbox::Broker::start({.monty = monty == nullptr ? "" : monty}, memory_, clock_);
      if (!started) return fail(started.error());
      broker_ = *std::move(started);
    }
    return broker_->run("flow test", request);
  }

 private:
  const os::SystemClock clock_;
  MemoryBudget memory_{
      "sandbox", std::max(MemoryPlan::of(std::nullopt, machine_memory()).sandbox, std::size_t{256} << 20)};
  std::unique_ptr<sandbox::Broker> broker_;
};

Result<flows::Program> program_of(const std::string& file) {
  const auto text = read_file(file, flows::kMaxFlowBytes);
  if (!text) return fail(text.error());
  return flows::read_program(*text, file, folder_of(file));
}

// refund.yaml and refund.test.yaml, whichever was named.
struct TestFiles {
  std::string flow;
  std::string cases;
};

TestFiles files_of(const FlowTestOptions& options) {
  const fs::path file(options.file);
  const std::string ending = file.extension().string();
  const fs::path stem = file.parent_path() / file.stem();
  const std::string text = stem.string();
  TestFiles out;
  if (text.ends_with(".test")) {
    out.flow = text.substr(0, text.size() - 5) + ending;
    out.cases = options.cases.value_or(options.file);
  } else {
    out.flow = options.file;
    out.cases = options.cases.value_or(text + ".test" + ending);
  }
  return out;
}

int refuse_files(const Status& status) {
  print_progress(printable(status.message()) + "\n");
  report_error(status.code() == Code::kNotFound ? "not_found" : "invalid_flow", "the flow cannot be tested",
               "docs/guide/flow-files.md");
  return exit_code_of(status);
}

// A number that no reader would get as it is stays text.
Json shown(const std::string& value) {
  auto read = read_json<Json>(value, kMaxJsonDepth, Integers::kExact);
  return read ? *std::move(read) : Json(value);
}

Json block_json(const flows::Program& program, const flows::TrialBlock& one) {
  Json out = {{"block", program.flow.blocks[one.block].id},
              {"outlet", one.outlet == protocol::kFlowSkipped ? "skipped" : one.outlet}};
  if (one.pinned) out["pinned"] = true;
  if (!one.arguments.empty()) out["arguments"] = shown(one.arguments);
  if (!one.error.empty()) out["error"] = {{"type", one.error_type}, {"message", one.error}};
  return out;
}

struct Verdict {
  std::vector<std::string> wrong;
  Json told;
};

Verdict verdict_of(const flows::Program& program, const flows::TrialCase& one, TrialSandbox& sandbox) {
  const auto evaluate = [&](const sandbox::Request& request) { return sandbox.run(request); };
  const auto trial = flows::run_trial(program, one.in, evaluate);
  Verdict out;
  out.told = {{"name", one.name}};
  if (trial) {
    out.wrong = flows::judge(program, one.expect, *trial);
    Json blocks = Json::array();
    for (const flows::TrialBlock& block : trial->blocks) blocks.push_back(block_json(program, block));
    out.told["blocks"] = std::move(blocks);
    if (!trial->failure) out.told["output"] = shown(trial->output);
  } else {
    out.wrong = {std::string(trial.error().message())};
  }
  out.told["passed"] = out.wrong.empty();
  out.told["wrong"] = out.wrong;
  return out;
}

void print_verdict(const std::string& name, const std::vector<std::string>& wrong) {
  if (wrong.empty()) return print_line(coloured(Colour::kGreen, one_line("ok    " + name)));
  print_line(coloured(Colour::kRed, one_line("FAIL  " + name)));
  for (const std::string& one : wrong) print_line("      " + one_line(one));
}

}  // namespace

int test_flow(const FlowTestOptions& options) {
  const TestFiles files = files_of(options);
  const auto program = program_of(files.flow);
  if (!program) return refuse_files(program.error());
  const auto text = read_file(files.cases, flows::kMaxFlowBytes);
  if (!text) return refuse_files(text.error());
  const auto cases = flows::read_cases(*text, files.cases, *program);
  if (!cases) return refuse_files(cases.error());
  TrialSandbox sandbox;
  Json rows = Json::array();
  std::size_t passed = 0, failed = 0;
  for (const flows::TrialCase& one : *cases) {
    if (options.only && one.name != *options.only) continue;
    Verdict verdict = verdict_of(*program, one, sandbox);
    (verdict.wrong.empty() ? passed : failed) += 1;
    if (!options.json) print_verdict(one.name, verdict.wrong);
    rows.push_back(std::move(verdict.told));
  }
  if (passed + failed == 0) {
    report_error("not_found", fmt::format("{} has no case '{}'", files.cases, *options.only));
    return kExitNotFound;
  }
  if (options.json)
    print_line(dump_json(Json{
        {"flow", program->flow.name}, {"passed", passed}, {"failed", failed}, {"cases", std::move(rows)}}));
  else
    print_line(fmt::format("{} passed, {} failed", passed, failed));
  return failed == 0 ? kExitOk : kExitError;
}

// ---- a part of a flow

namespace {

std::optional<std::size_t> place_of(const flows::Program& program, const std::string& block) {
  const auto at = std::ranges::find(program.flow.blocks, block, &flows::FlowBlock::id);
  if (at == program.flow.blocks.end()) return std::nullopt;
  return static_cast<std::size_t>(at - program.flow.blocks.begin());
}

Result<flows::TrialInput> part_of(const FlowPartOptions& options, const flows::Program& program) {
  const std::string& block = options.only.empty() ? options.until : options.only;
  const auto place = place_of(program, block);
  if (!place) return fail(Code::kNotFound, fmt::format("the flow has no block '{}'", block));
  flows::TrialInput out;
  out.input = parse_json<Json>(options.input).is_discarded() ? dump_json(Json(options.input)) : options.input;
  const std::set<std::size_t> leading = flows::leading_to(program, *place);
  out.only = options.only.empty() ? leading : std::set<std::size_t>{*place};
  if (!options.pinned) return out;
  const auto text = read_file(*options.pinned, flows::kMaxFlowBytes);
  if (!text) return fail(text.error());
  auto pinned = flows::read_pinned(*text, *options.pinned, program, options.of_case);
  if (!pinned) return fail(pinned.error());
  out.pinned = *std::move(pinned);
  // What comes behind the block, or beside it, does not end this part.
  std::erase_if(out.pinned, [&](const auto& one) {
    const auto at = place_of(program, one.first);
    return !at || !leading.contains(*at);
  });
  return out;
}

}  // namespace

int run_part_of_flow(const FlowPartOptions& options) {
  const auto program = program_of(options.file);
  if (!program) return refuse_files(program.error());
  const auto in = part_of(options, *program);
  if (!in) return refuse(in.error());
  TrialSandbox sandbox;
  const auto trial =
      flows::run_trial(*program, *in, [&](const sandbox::Request& request) { return sandbox.run(request); });
  if (!trial) return refuse(trial.error());
  const std::size_t asked = *place_of(*program, options.only.empty() ? options.until : options.only);
  if (options.json) {
    Json blocks = Json::array();
    for (const flows::TrialBlock& one : trial->blocks) {
      if (one.outlet == protocol::kFlowSkipped && one.block != asked) continue;
      Json row = block_json(*program, one);
      row["value"] = shown(one.value);
      blocks.push_back(std::move(row));
    }
    print_line(dump_json(Json{{"flow", program->flow.name}, {"blocks", std::move(blocks)}}));
  }
  if (trial->failure) {
    report_error(trial->failure->type,
                 fmt::format("block `{}`: {}", trial->failure->block, trial->failure->message));
    return kExitRunFailed;
  }
  const flows::TrialBlock* end = trial->find(asked);
  if (end == nullptr || end->outlet == protocol::kFlowSkipped) {
    report_error("skipped", "with this input the block does not run", "pin the outlet of what it needs");
    return kExitRunFailed;
  }
  if (!options.json) print_line(end->value);
  return kExitOk;
}

}  // namespace holdfast::app
