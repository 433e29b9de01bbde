#include "sim/simulation.h"

#include <functional>
#include <memory>

#include "api/messages.h"
#include "sim/clients.h"
#include "sim/network.h"
#include "sim/oracle.h"
#include "sim/server.h"
#include "sim/workers.h"

namespace holdfast::sim {
namespace {

constexpr std::int64_t kFaultsEnd = 60 * kSec;
constexpr std::int64_t kPatience = 600 * kSec;  // after the faults: everything must be over by then
constexpr std::uint64_t kMaxSteps = 2'000'000;

class Simulation {
 public:
  explicit Simulation(const SimulationOptions& options)
      : world_(options.seed),
        server_(world_, oracle_, core_options(), options.seed, options.bug),
        network_(world_, server_),
        clients_(world_, network_) {
    world_.set_verbose(options.verbose);
    // Processes of their own, one of them in the server's, or that one and one other.
    const std::uint64_t kind = options.seed % 3;
    for (int i = 0; i < (kind == 2 ? 2 : 3); ++i) {
      workers_.push_back(
          std::make_unique<Worker>(world_, network_, kind != 0 && i == 0 ? &server_ : nullptr, i));
    }
  }

  Outcome run() {
    boot();
    const std::vector<Plan> plans = clients_.draw_plans();
    clients_.begin(plans);
    for (auto& worker : workers_) {
      if (!worker->in_process()) worker->start();
    }
    plan_crash();
    plan_clock_jump();
    plan_worker_death();
    run_until([] { return false; }, kFaultsEnd);
    calm_down();
    const bool finished = run_until([&] { return all_closed(plans); }, kFaultsEnd + kPatience);
    judge(plans, finished);

    Outcome outcome;
    outcome.trace_hash = world_.trace_hash();
    outcome.violations = oracle_.violations();
    outcome.steps = world_.steps();
    outcome.crashes = server_.crashes();
    outcome.answers = oracle_.promises();
    outcome.events = events_;
    return outcome;
  }

 private:
  static engine::CoreOptions core_options() {
    engine::CoreOptions core;
    // Small, so that the edges are met.
    core.limits.cached_executions = 3;
    core.limits.sweep_rows = 5;
    core.limits.sweep_runs = 3;
    core.limits.long_poll_ns = 10 * kSec;
    return core;
  }

  void boot() {
    if (Status status = server_.boot(); !status.ok())
      oracle_.violation("recovery failed: " + status.to_string());
    for (auto& worker : workers_) {
      if (worker->in_process()) worker->start();
    }
  }

  void kill() {
    server_.crash();
    for (auto& worker : workers_) {
      if (worker->in_process()) worker->die();
    }
  }

  bool run_until(const std::function<bool()>& done, std::int64_t until) {
    std::int64_t next_look = 0;
    while (world_.elapsed() < until && oracle_.violations().empty()) {
      if (world_.elapsed() >= next_look) {
        if (done()) return true;
        next_look = world_.elapsed() + kSec;
      }
      if (!world_.step() || world_.steps() > kMaxSteps) break;
    }
    return done();
  }

  // At any moment, or in the middle of something: while the batch of a call is on its way to the disk.
  void plan_crash() {
    SimRandom& random = world_.random();
    if (random.percent(50)) {
      world_.after(random.between(100 * kMs, 10 * kSec), [this] { crash(); });
      return;
    }
    world_.after(random.between(0, 3 * kSec), [this] {
      server_.after_calls(world_.random().between(1, 40), [this] {
        world_.after(world_.random().between(0, 1'200'000), [this] { crash(); });
      });
    });
  }

  void crash() {
    if (!faults_ || !server_.up()) return;
    kill();
    world_.after(world_.random().between(kMs, 2 * kSec), [this] {
      boot();
      plan_crash();
    });
  }

  void plan_clock_jump() {
    world_.after(world_.random().between(5 * kSec, 60 * kSec), [this] {
      if (!faults_) return;
      world_.jump_clock(world_.random().between(-30 * kSec, 120 * kSec));
      world_.trace("clock jumps");
      server_.rearm();
      plan_clock_jump();
    });
  }

  void plan_worker_death() {
    world_.after(world_.random().between(kSec, 30 * kSec), [this] {
      if (!faults_) return;
      workers_[world_.random().next() % workers_.size()]->forget();
      plan_worker_death();
    });
  }

  void calm_down() {
    world_.trace("faults end");
    faults_ = false;
    network_.faults().on = false;
    for (auto& worker : workers_) worker->behave();
  }

  // Asked of the engine itself, without a network in between.
  std::unique_ptr<ws::GetWorkflowExecutionHistoryResponse> history(const std::string& workflow_id,
                                                                   const std::string& run_id = {}) {
    auto all = std::make_unique<ws::GetWorkflowExecutionHistoryResponse>();
    std::string token;
    int pages = 0;
    do {
      auto request = std::make_unique<ws::GetWorkflowExecutionHistoryRequest>();
      request->set_namespace_(kNamespace);
      request->mutable_execution()->set_workflow_id(workflow_id);
      request->mutable_execution()->set_run_id(run_id);
      request->set_next_page_token(token);
      bool answered = false;
      bool ok = false;
      server_.receive(api::Method::kGetWorkflowExecutionHistory, std::move(request),
                      [&](Result<api::MessagePtr> result) {
                        answered = true;
                        ok = result.has_value();
                        if (!ok) return;
                        auto& page = static_cast<ws::GetWorkflowExecutionHistoryResponse&>(**result);
                        token = page.next_page_token();
                        all->mutable_history()->MergeFrom(page.history());
                      });
      while (!answered && world_.step()) {
      }
      if (!ok) return nullptr;
      if (++pages > 1000) {
        oracle_.violation("the history of " + workflow_id + " has no end");
        return nullptr;
      }
    } while (!token.empty());
    return all;
  }

  bool closed(const std::string& workflow_id) {
    const auto found = history(workflow_id);
    if (!found || found->history().events_size() == 0) return false;
    const auto last = found->history().events(found->history().events_size() - 1).event_type();
    return last == enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED;
  }

  bool all_closed(const std::vector<Plan>& plans) {
    if (!server_.up()) return false;
    for (const Plan& plan : plans) {
      if (closed_.contains(plan.workflow_id)) continue;
      if (!closed(plan.workflow_id)) return false;
      closed_.insert(plan.workflow_id);
    }
    return true;
  }

  // Each with the event that it stands at.
  std::string open_runs(const std::vector<Plan>& plans) {
    std::string out;
    for (const Plan& plan : plans) {
      if (closed_.contains(plan.workflow_id)) continue;
      const auto found = history(plan.workflow_id);
      const int events = found ? found->history().events_size() : 0;
      out += " " + plan.workflow_id;
      if (events > 0)
        out += " (" + enums::EventType_Name(found->history().events(events - 1).event_type()) + ")";
    }
    return out;
  }

  void judge(const std::vector<Plan>& plans, bool finished) {
    if (!oracle_.violations().empty()) return;
    if (!finished) oracle_.violation("runs are still open long after the last fault:" + open_runs(plans));
    // What is true after the last crash is what counts.
    kill();
    boot();
    if (!server_.up()) return;
    std::vector<std::string> ids;
    for (const Plan& plan : plans) {
      ids.push_back(plan.workflow_id);
      for (int i = 0; i < plan.children; ++i) ids.push_back(plan.workflow_id + "-child-" + std::to_string(i));
    }
    for (const std::string& id : ids) judge_chain(id, finished);
    if (finished) oracle_.judge_rest();
    if (finished && oracle_.violations().empty()) judge_deletion(ids);
  }

  // Some are asked to go, the time of the others passes: all of them go, whenever the process dies meanwhile,
  // and nothing of them stays.
  void judge_deletion(const std::vector<std::string>& ids) {
    for (const std::string& id : ids) {
      if (world_.random().percent(30)) ask_deletion(id);
    }
    world_.jump_clock(80LL * 3600 * kSec);
    server_.rearm();
    for (std::int64_t crashes = world_.random().between(0, 6); crashes > 0; --crashes) {
      const std::int64_t next = world_.elapsed() + world_.random().between(0, 6 * kSec);
      while (world_.elapsed() < next && world_.step()) {
      }
      kill();
      boot();
      if (!server_.up()) return;
    }
    run_until([this] { return server_.execution_rows() == 0; }, world_.elapsed() + 120 * kSec);
    if (const int rows = server_.execution_rows(); rows > 0)
      oracle_.violation(std::to_string(rows) + " rows of executions stay after their time");
    for (const std::string& id : ids) {
      if (history(id)) oracle_.violation(id + " is there after its time");
    }
  }

  void ask_deletion(const std::string& id) {
    auto request = std::make_unique<ws::DeleteWorkflowExecutionRequest>();
    request->set_namespace_(kNamespace);
    request->mutable_workflow_execution()->set_workflow_id(id);
    server_.receive(api::Method::kDeleteWorkflowExecution, std::move(request),
                    [](const Result<api::MessagePtr>&) {});
  }

  // Every run of a workflow, from the last back to the first.
  void judge_chain(const std::string& id, bool finished) {
    std::string run_id;
    do {
      const auto found = history(id, run_id);
      if (!found || found->history().events_size() == 0) {
        oracle_.judge_absent(id);
        if (finished) oracle_.violation(id + " is not there at the end");
        return;
      }
      const Events events(found->history().events().begin(), found->history().events().end());
      events_ += events.size();
      run_id = events.front().workflow_execution_started_event_attributes().continued_execution_run_id();
      oracle_.judge(id, run_of(events), events, run_id.empty());
      for (const auto& event : events) world_.trace(bytes_of(event));
    } while (!run_id.empty());
  }

  World world_;
  Oracle oracle_;
  Server server_;
  Network network_;
  Clients clients_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::set<std::string> closed_;
  bool faults_ = true;
  std::uint64_t events_ = 0;
};

}  // namespace

Outcome simulate(const SimulationOptions& options) {
  return Simulation(options).run();
}

}  // namespace holdfast::sim
