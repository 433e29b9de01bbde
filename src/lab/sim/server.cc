#include "sim/server.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "sim/oracle.h"
#include "store/keys.h"

namespace holdfast::sim {

namespace {
constexpr std::int64_t kSweepPause = 5 * kSec;
}  // namespace

Server::Server(World& world, Oracle& oracle, engine::CoreOptions options, std::uint64_t seed, PlantedBug bug)
    : world_(world),
      oracle_(oracle),
      options_(std::move(options)),
      random_(seed ^ 0x5eed),
      dice_(seed ^ 0xd1ce),
      bug_(bug),
      calls_(bug),
      disk_(world, bug) {}

Server::~Server() {
  ++incarnation_;
  core_.reset();
}

Status Server::boot() {
  ++incarnation_;
  core_ = std::make_unique<engine::EngineCore>(options_, world_, random_, disk_);
  if (Status status = core_->open(); !status.ok()) {
    core_.reset();
    return status;
  }
  // The new epoch is on the disk before the first call.
  while (core_->has_output()) {
    engine::Output output = core_->take_output();
    if (Status status = commit(output.batch); !status.ok()) return status;
    core_->committed(output.sequence);
    run(output.releases);
  }
  world_.trace("server up");
  arm();
  if (bug_ != PlantedBug::kNone) return {};
  // Whatever moment the last process died at: what is there is whole.
  int seen = 0;
  for (const std::string& wrong : law_.look_at_all(&seen)) oracle_.violation(wrong);
  expired_ = std::make_unique<engine::ExpiredRuns>(disk_, options_.limits);
  plan_sweep(dice_.between(0, kSweepPause));
  return {};
}

void Server::crash() {
  if (!core_) return;
  world_.trace("server crashes");
  ++crashes_;
  ++incarnation_;
  // What the disk had taken, although nobody was told.
  const std::int64_t taken =
      syncing_.empty() ? 0 : dice_.between(0, static_cast<std::int64_t>(syncing_.size()));
  for (std::int64_t i = 0; i < taken; ++i) {
    if (!commit(syncing_[static_cast<std::size_t>(i)].batch).ok()) break;
  }
  disk_.crash();
  syncing_.clear();
  commit_running_ = false;
  pump_planned_ = false;
  core_.reset();
}

void Server::receive(api::Method method, api::MessagePtr request, Answer answer, bool in_process) {
  if (!core_) return;
  auto note = oracle_.called(method, *request);
  calls_.arrives(method, *request);
  engine::Call call;
  call.method = method;
  call.request = std::move(request);
  call.options.client_name = "sim";
  call.options.in_process_workflow_worker = in_process;
  call.options.deadline = world_.monotonic() + std::chrono::seconds(15);
  call.done = [this, method, in_process, note = std::move(note), answer = std::move(answer),
               incarnation = incarnation_](Result<api::MessagePtr> result) mutable {
    if (incarnation != incarnation_ || !core_) return;  // the process that held it is dead
    calls_.leaves(method, result);
    oracle_.answered(method, note, result, in_process);
    answer(std::move(result));
  };
  core_->submit(std::move(call));
  pump();
  if (countdown_ > 0 && --countdown_ == 0) counted_();
}

void Server::undelivered(api::Method method, const std::string& identity, const api::Message& answer) {
  if (!core_) return;
  oracle_.undelivered(method, identity, answer);
  core_->undelivered(method, answer);
  pump();
}

// The core is asked for its output a moment after it worked, so that calls that come together share a batch.
void Server::pump() {
  std::vector<engine::Release> early = core_->take_early();
  run(early);
  if (pump_planned_) return;
  pump_planned_ = true;
  world_.after(dice_.between(0, 100'000), [this, incarnation = incarnation_] {
    if (incarnation != incarnation_) return;
    pump_planned_ = false;
    std::vector<engine::Release> now = core_->take_early();
    run(now);
    if (core_->has_output()) {
      syncing_.push_back(core_->take_output());
      if (bug_ == PlantedBug::kAckBeforeCommit) {
        std::vector<engine::Release> releases = std::exchange(syncing_.back().releases, {});
        run(releases);
      }
      start_commit();
    }
    arm();
  });
}

void Server::plan_sweep(std::int64_t delay_ns) {
  world_.after(delay_ns, [this, incarnation = incarnation_] {
    if (incarnation != incarnation_) return;
    auto slice = expired_->next(world_.wall_ns());
    if (!slice) return oracle_.violation("the simulated disk failed");
    if (slice->empty()) return plan_sweep(kSweepPause);
    core_->sweep(*std::move(slice));
    pump();
  });
}

int Server::execution_rows() const {
  int rows = 0;
  const Status scanned = disk_.scan({}, {}, [&rows](std::string_view key, std::string_view) {
    using namespace store::keys;
    constexpr char kTables[] = {kExecutionTable, kCurrentTable, kWakeTable, kExpiryTable};
    rows += key.size() > 2 && std::ranges::find(kTables, key[2]) != std::end(kTables) ? 1 : 0;
    return true;
  });
  if (!scanned.ok()) oracle_.violation("the simulated disk failed");
  return rows;
}

void Server::start_commit() {
  if (commit_running_ || syncing_.empty()) return;
  commit_running_ = true;
  // A sync takes a fraction of a millisecond; now and then a disk hesitates.
  const std::int64_t takes =
      dice_.one_in(50) ? dice_.between(5 * kMs, 100 * kMs) : dice_.between(100'000, 800'000);
  world_.after(takes, [this, incarnation = incarnation_] {
    if (incarnation != incarnation_) return;
    engine::Output output = std::move(syncing_.front());
    syncing_.pop_front();
    commit_running_ = false;
    if (!commit(output.batch).ok()) oracle_.violation("the simulated disk failed");
    core_->committed(output.sequence);
    run(output.releases);
    if (output.swept) plan_sweep(dice_.between(0, kMs));
    start_commit();
    if (core_->has_output()) pump();
    arm();
  });
}

Status Server::commit(const store::WriteBatch& batch) {
  if (Status status = disk_.commit(batch); !status.ok()) return status;
  // A planted bug is for the oracle to find, which sees no more than what the outside world is told.
  if (bug_ != PlantedBug::kNone) return {};
  for (const std::string& wrong : law_.look(batch)) oracle_.violation(wrong);
  return {};
}

void Server::run(std::vector<engine::Release>& releases) {
  for (engine::Release& release : releases) release.run();
}

void Server::arm() {
  if (!core_) return;
  const std::int64_t due = core_->next_deadline();
  if (due == 0) return;
  const std::uint64_t armed = ++armed_;
  world_.after(due - world_.wall_ns(), [this, armed, incarnation = incarnation_] {
    if (incarnation != incarnation_ || armed != armed_) return;
    core_->tick();
    pump();
  });
}

}  // namespace holdfast::sim
