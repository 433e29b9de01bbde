#include "engine/engine.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "api/request_check.h"
#include "base/check.h"
#include "base/memory_budget.h"
#include "engine/core.h"
#include "engine/errors.h"
#include "engine/large_filler.h"
#include "engine/large_stager.h"
#include "engine/sweeper.h"
#include "engine/visibility_feeder.h"
#include "history/stored.h"

namespace holdfast::engine {

using history::Ns;

namespace {

// With so many calls in the last batch, others will come in a moment: the next batch waits for them for as
// long as half a sync, so that fewer syncs carry them all. The longest wait bounds what a slow disk adds.
constexpr std::size_t kCallsForCompany = 8;
constexpr auto kLongestWaitForCompany = std::chrono::microseconds(500);

// A workflow task in this process takes some ten microseconds; waking a sleeping thread as long again.
constexpr auto kSpinForEarlyTask = std::chrono::microseconds(100);
// A batch that waits for early tasks does so for at most so many of their waits, one after the other.
constexpr int kLongestChain = 4;
// What nobody has asked for during RunCache::kIdleAges of these leaves memory.
constexpr auto kAge = std::chrono::seconds(10);

Result<UsedSearchAttributes> used_search_attributes(const visibility::Index& index) {
  const auto used = index.used_attributes();
  if (!used) return fail(used.error());
  UsedSearchAttributes all;
  for (const auto& [namespace_id, names] : *used) {
    for (const auto& [name, type] : names) all[namespace_id][name] = visibility::indexed_value_type(type);
  }
  return all;
}

}  // namespace

struct Engine::Impl {
  Impl(EngineOptions opts, store::KvStore& kv, const Clock& clk, Random& random,
       visibility::Index* visibility_index)
      : options(std::move(opts)),
        store(kv),
        clock(clk),
        inbox_memory("calls that wait for the engine", options.core.limits.inbox_bytes, options.memory),
        core(options.core, clk, random, kv),
        feeder(visibility_index == nullptr
                   ? nullptr
                   : std::make_unique<VisibilityFeeder>(
                         *visibility_index, kv, clk,
                         VisibilityLists::Limits{.wait_ns = options.core.limits.visibility_wait_ns,
                                                 .scan_ns = options.core.limits.visibility_scan_ns},
                         [this](std::uint64_t sequence) { feed_applied(sequence); })),
        sweeper(kv, clk, options.core.limits,
                {.hand_over = [this](SweepSlice slice) { post_sweep(std::move(slice)); },
                 .on_fatal = [this](const Status& status) { die(status); }}),
        stager(kv, clk, options.core.limits.execution, [this](const Status& status) { die(status); }),
        filler(kv) {}

  // What waits for the engine thread.
  struct Posted {
    enum class Kind : std::uint8_t { kCall, kCancel, kUndelivered, kSweep } kind{};
    Call call;
    SweepSlice slice;
    std::shared_ptr<std::atomic<CallId>> id;  // filled in by the engine thread
    api::MessagePtr answer;                   // that was not delivered, to a call of call.method
    HeldMemory memory{};                      // of a call from this process
  };

  // What handles know of the engine: they may outlive it.
  struct Gate {
    std::mutex mutex;
    Impl* engine = nullptr;  // guarded by mutex; null once the engine is gone
  };

  class Handle final : public api::CallHandle {
   public:
    Handle(std::shared_ptr<Gate> gate, std::shared_ptr<std::atomic<CallId>> id, api::Method method)
        : gate_(std::move(gate)), id_(std::move(id)), method_(method) {}
    void cancel() override {
      std::lock_guard lock(gate_->mutex);
      if (gate_->engine != nullptr) gate_->engine->post_cancel(id_);
    }
    void undelivered(api::MessagePtr answer) override {
      std::lock_guard lock(gate_->mutex);
      if (gate_->engine != nullptr) gate_->engine->post_undelivered(method_, std::move(answer));
    }

   private:
    std::shared_ptr<Gate> gate_;
    std::shared_ptr<std::atomic<CallId>> id_;
    const api::Method method_;
  };

  void start_threads();
  void stop();
  std::shared_ptr<api::CallHandle> post(Call call);
  static void refuse(Call call, Status status);
  void enter(Call call, std::shared_ptr<std::atomic<CallId>> id, HeldMemory memory);
  void post_cancel(std::shared_ptr<std::atomic<CallId>> id);
  void post_undelivered(api::Method method, api::MessagePtr answer);
  void post_unbounded(Posted posted);
  void post_sweep(SweepSlice slice);
  void feed_applied(std::uint64_t applied);

  void engine_loop();
  void wait_for_work(std::unique_lock<std::mutex>& lock, MonotonicTime ready_since);
  MonotonicTime waits_until(MonotonicTime ready_since) const;
  void spin(std::unique_lock<std::mutex>& lock, MonotonicTime until);
  void let_idle_go();
  void hand_over();
  void finish_up();
  bool committer_idle() const { return !committer_busy && !to_commit; }  // mutex held
  void run_posted(std::deque<Posted> posted);
  void committer_loop();
  void commit(const Output& output);
  void release(Output& output);
  [[noreturn]] void die(const Status& status);
  void guarded(std::string_view whose, void (Impl::*loop)()) noexcept;
  [[noreturn]] void end_process(const std::string& message);

  EngineOptions options;
  store::KvStore& store;
  const Clock& clock;
  MemoryBudget inbox_memory;
  // The engine thread's, and the opening thread's before that:
  EngineCore core;
  std::size_t calls_since_batch = 0;
  std::size_t last_batch_calls = 0;
  std::uint64_t seen_committed = 0;
  MonotonicTime last_early = MonotonicTime::min();  // when a task went out before it was durable
  MonotonicTime last_age{};                         // when executions in memory were last told of the time
  bool more_idle = false;                           // of them are to leave it

  std::mutex mutex;
  std::condition_variable engine_wake;
  std::condition_variable committer_wake;
  std::deque<Posted> inbox;                 // guarded by mutex
  std::atomic<std::uint64_t> arrivals = 0;  // counts what was put into the inbox; written under mutex
  std::optional<Output> to_commit;          // guarded by mutex; the committer's next batch
  bool committer_busy = false;              // guarded by mutex
  std::uint64_t committed = 0;              // guarded by mutex
  std::uint64_t applied = 0;                // guarded by mutex
  bool napping = false;                     // guarded by mutex: the engine thread needs no waking
  std::atomic<std::chrono::nanoseconds> last_sync{};
  std::atomic<std::size_t> executions = 0;  // in memory; written by the engine thread
  bool stopping = false;                    // guarded by mutex
  bool finished = false;                    // guarded by mutex: no more batches

  std::shared_ptr<Gate> gate = std::make_shared<Gate>();
  std::unique_ptr<VisibilityFeeder> feeder;
  Sweeper sweeper;
  LargeStager stager;
  LargeFiller filler;
  std::thread engine_thread;
  std::thread committer_thread;
};

void Engine::Impl::die(const Status& status) {
  end_process("holdfast: the data directory can be used no longer; stopping: " + status.to_string());
}

// What an exception left half done in the core's memory must not be committed. The process ends before
// anything of it leaves; the disk holds what was answered, and the next start goes on from there.
void Engine::Impl::guarded(std::string_view whose, void (Impl::*loop)()) noexcept {
  const auto end = [&](std::string_view what) {
    std::string message = "holdfast: a fault of the program in its ";
    message.append(whose).append(" thread; stopping before it is stored. What was answered is kept: ");
    end_process(message.append(what));
  };
  try {
    (this->*loop)();
  } catch (const std::exception& error) {
    end(error.what());
  } catch (...) {
    end("it threw what is no std::exception");
  }
}

void Engine::Impl::end_process(const std::string& message) {
  if (options.on_fatal) options.on_fatal(message);
  std::fprintf(stderr, "%s\n", message.c_str());
  std::fflush(stderr);
  ::_exit(70);
}

void Engine::Impl::start_threads() {
  gate->engine = this;
  filler.start(core.slot_key());
  if (core.has_large_payloads()) filler.expect();
  stager.start(core.epoch(), core.slot_key());
  engine_thread = std::thread([this] { guarded("engine", &Impl::engine_loop); });
  committer_thread = std::thread([this] { guarded("committer", &Impl::committer_loop); });
  pthread_setname_np(engine_thread.native_handle(), "engine");
  pthread_setname_np(committer_thread.native_handle(), "committer");
  sweeper.start();
}

void Engine::Impl::refuse(Call call, Status status) {
  Release answer;
  answer.done = std::move(call.done);
  answer.executor = call.options.executor;
  answer.result = fail(std::move(status));
  answer.run();
}

std::shared_ptr<api::CallHandle> Engine::Impl::post(Call call) {
  auto id = std::make_shared<std::atomic<CallId>>(0);
  const api::Method method = call.method;
  HeldMemory memory(inbox_memory);
  Status refused;
  if (!call.options.from_wire) {
    refused = api::check_request(*call.request);
    if (refused.ok()) refused = memory.resize(call.request->ByteSizeLong());
  }
  if (!refused.ok()) {
    refuse(std::move(call), std::move(refused));
    return nullptr;
  }
  auto handle = std::make_shared<Handle>(gate, id, method);
  if (stager.wants(call)) {
    filler.expect();
    stager.stage(std::move(call),
                 [this, id = std::move(id), memory = std::move(memory)](Call staged) mutable {
                   enter(std::move(staged), std::move(id), std::move(memory));
                 });
  } else {
    enter(std::move(call), std::move(id), std::move(memory));
  }
  return handle;
}

void Engine::Impl::enter(Call call, std::shared_ptr<std::atomic<CallId>> id, HeldMemory memory) {
  bool asleep = false;
  Status refused;
  {
    std::lock_guard lock(mutex);
    if (stopping) {
      refused = Status(Code::kUnavailable, "The server is shutting down; try again.");
    } else if (inbox.size() >= options.core.limits.inbox) {
      refused = errors::exhausted("The server has too much to do; try again in a moment.",
                                  enums::RESOURCE_EXHAUSTED_CAUSE_SYSTEM_OVERLOADED);
    } else {
      Posted posted;
      posted.call = std::move(call);
      posted.id = id;
      posted.memory = std::move(memory);
      inbox.push_back(std::move(posted));
      arrivals.fetch_add(1);
      asleep = !napping;
    }
  }
  if (!refused.ok()) return refuse(std::move(call), std::move(refused));
  if (asleep) engine_wake.notify_one();
}

void Engine::Impl::post_cancel(std::shared_ptr<std::atomic<CallId>> id) {
  Posted posted;
  posted.kind = Posted::Kind::kCancel;
  posted.id = std::move(id);
  post_unbounded(std::move(posted));
}

void Engine::Impl::post_undelivered(api::Method method, api::MessagePtr answer) {
  Posted posted;
  posted.kind = Posted::Kind::kUndelivered;
  posted.call.method = method;
  posted.answer = std::move(answer);
  post_unbounded(std::move(posted));
}

// What follows a call: at most one of a kind for each, so that the bound on calls bounds them.
void Engine::Impl::post_unbounded(Posted posted) {
  {
    std::lock_guard lock(mutex);
    inbox.push_back(std::move(posted));
    arrivals.fetch_add(1);
  }
  engine_wake.notify_one();
}

// Not bounded apart: the sweep waits for one before it posts another.
void Engine::Impl::post_sweep(SweepSlice slice) {
  Posted posted;
  posted.kind = Posted::Kind::kSweep;
  posted.slice = std::move(slice);
  post_unbounded(std::move(posted));
}

void Engine::Impl::feed_applied(std::uint64_t sequence) {
  std::lock_guard lock(mutex);
  applied = std::max(applied, sequence);  // picked up with the next turn; no hurry
}

void Engine::Impl::run_posted(std::deque<Posted> posted) {
  calls_since_batch += posted.size();
  for (Posted& item : posted) {
    if (item.kind == Posted::Kind::kCancel) {
      if (const CallId id = item.id->load(); id != 0) core.cancel(id);
    } else if (item.kind == Posted::Kind::kUndelivered) {
      core.undelivered(item.call.method, *item.answer);
    } else if (item.kind == Posted::Kind::kSweep) {
      core.sweep(std::move(item.slice));
    } else {
      item.id->store(core.submit(std::move(item.call)));
    }
  }
}

// Until when a batch that is ready since then waits for what is to share its sync.
MonotonicTime Engine::Impl::waits_until(MonotonicTime ready_since) const {
  if (core.early_tasks_out() > 0) {
    // One that comes back may let the next one go: from each on, there is as long again.
    if (!core.output_is_awaited()) return ready_since + std::chrono::microseconds(options.unawaited_wait_us);
    const auto wait = std::chrono::microseconds(options.early_wait_us);
    return std::min(std::max(ready_since, last_early) + wait, ready_since + kLongestChain * wait);
  }
  if (last_batch_calls < kCallsForCompany || calls_since_batch >= last_batch_calls) return ready_since;
  return ready_since + std::min<std::chrono::nanoseconds>(last_sync.load() / 2, kLongestWaitForCompany);
}

// Until a call comes; gives the processor to whoever wants it.
void Engine::Impl::spin(std::unique_lock<std::mutex>& lock, MonotonicTime until) {
  const std::uint64_t seen = arrivals.load();
  lock.unlock();
  while (arrivals.load() == seen && clock.monotonic() < until) std::this_thread::yield();
  lock.lock();
}

// Waits until there is a call, an end, a free committer for what is ready, or a deadline.
void Engine::Impl::wait_for_work(std::unique_lock<std::mutex>& lock, MonotonicTime ready_since) {
  const bool output = core.has_output();
  const auto called = [this] { return !inbox.empty() || stopping; };
  const Ns deadline = core.next_deadline();
  const Ns left = deadline - clock.now().time_since_epoch().count();
  if (called() || more_idle || (deadline != 0 && left <= 0)) return;
  if (output && committer_idle()) {
    if (ready_since == MonotonicTime::min()) return;  // since this moment
    MonotonicTime until = waits_until(ready_since);
    if (deadline != 0) until = std::min(until, clock.monotonic() + std::chrono::nanoseconds(left));
    if (core.early_tasks_out() > 0) {
      spin(lock, std::min(until, clock.monotonic() + kSpinForEarlyTask));
      if (called()) return;
      engine_wake.wait_for(lock, until - clock.monotonic(), called);
    } else {
      // Nobody is in a hurry: what comes is taken together.
      napping = true;
      engine_wake.wait_for(lock, until - clock.monotonic(), [this] { return stopping; });
      napping = false;
    }
    return;
  }
  const auto ready = [&] { return called() || committed != seen_committed || (output && committer_idle()); };
  const bool ages = core.cached_executions() > 0;
  if (deadline == 0 && !ages) {
    engine_wake.wait(lock, ready);
    return;
  }
  constexpr Ns kLongestWait = 3600 * history::kSecond;
  std::chrono::nanoseconds longest(deadline == 0 ? kLongestWait : std::min(left, kLongestWait));
  if (ages) longest = std::min<std::chrono::nanoseconds>(longest, kAge);
  engine_wake.wait_for(lock, longest, ready);
}

void Engine::Impl::let_idle_go() {
  if (const MonotonicTime now = clock.monotonic(); now - last_age >= kAge) {
    last_age = now;
    core.age();
  }
  more_idle = core.let_idle_go();
}

void Engine::Impl::engine_loop() {
  std::uint64_t seen_applied = 0;
  // Since when a batch could have been handed over; min(): none is waiting.
  MonotonicTime ready_since = MonotonicTime::min();
  while (true) {
    std::deque<Posted> posted;
    bool stop_now = false;
    std::uint64_t now_committed = 0;
    std::uint64_t now_applied = 0;
    {
      std::unique_lock lock(mutex);
      wait_for_work(lock, ready_since);
      posted.swap(inbox);
      stop_now = stopping;
      now_committed = committed;
      now_applied = applied;
    }
    if (now_committed != seen_committed) core.committed(seen_committed = now_committed);
    if (now_applied != seen_applied) core.visibility_applied(seen_applied = now_applied);
    run_posted(std::move(posted));
    core.tick();
    if (!core.broken().ok()) die(core.broken());
    let_idle_go();
    executions.store(core.cached_executions(), std::memory_order_relaxed);
    if (stop_now) core.close();
    std::vector<Release> early = core.take_early();
    if (!early.empty()) last_early = clock.monotonic();
    for (Release& answer : early) filler.release(std::move(answer));
    if (stop_now) {
      finish_up();
      return;
    }
    if (!core.has_output()) continue;
    {
      std::lock_guard lock(mutex);
      if (!committer_idle()) continue;
    }
    const auto now = clock.monotonic();
    if (ready_since == MonotonicTime::min()) ready_since = now;
    if (now < waits_until(ready_since)) continue;
    ready_since = MonotonicTime::min();
    hand_over();
  }
}

void Engine::Impl::hand_over() {
  last_batch_calls = std::exchange(calls_since_batch, 0);
  Output output = core.take_output();
  {
    std::lock_guard lock(mutex);
    to_commit = std::move(output);
  }
  committer_wake.notify_one();
}

// The end: what was accepted is committed and answered, nothing else comes in.
void Engine::Impl::finish_up() {
  while (true) {
    {
      std::unique_lock lock(mutex);
      engine_wake.wait(lock, [this] { return committer_idle(); });
      if (!core.has_output()) {
        finished = true;
        break;
      }
    }
    hand_over();
  }
  committer_wake.notify_one();
}

void Engine::Impl::commit(const Output& output) {
  if (output.batch.empty()) return;
  if (const Status status = store.commit(output.batch); !status.ok()) {
    die({status.code(), "a commit failed and the state of the disk is unknown: " + status.message()});
  }
}

void Engine::Impl::release(Output& output) {
  for (Release& answer : output.releases) filler.release(std::move(answer));
  if (options.on_deleted) {
    for (const DeletedRun& run : output.deleted) options.on_deleted(run.namespace_name, run.key.workflow_id);
  }
  if (output.swept) sweeper.swept();
  if (output.deletion_asked) sweeper.look();
  if (feeder) {
    feeder->add(std::move(output.feed), output.feed_end);
    for (auto& waiting : output.visibility_calls) feeder->answer(std::move(waiting), output.feed_end);
  }
}

void Engine::Impl::committer_loop() {
  while (true) {
    Output output;
    {
      std::unique_lock lock(mutex);
      committer_wake.wait(lock, [this] { return to_commit || finished; });
      if (!to_commit) return;
      output = std::move(*to_commit);
      to_commit.reset();
      committer_busy = true;
    }
    const auto begun = clock.monotonic();
    commit(output);
    last_sync = clock.monotonic() - begun;
    if (options.on_commit && !output.batch.empty()) options.on_commit(last_sync, output.releases.size());
    {
      std::lock_guard lock(mutex);
      committer_busy = false;
      committed = output.sequence;
    }
    engine_wake.notify_one();
    release(output);
  }
}

void Engine::Impl::stop() {
  {
    std::lock_guard lock(gate->mutex);
    gate->engine = nullptr;
  }
  {
    std::lock_guard lock(mutex);
    stopping = true;
  }
  engine_wake.notify_one();
  stager.stop();
  sweeper.stop();
  if (engine_thread.joinable()) engine_thread.join();
  if (committer_thread.joinable()) committer_thread.join();
  filler.stop();
}

Result<std::unique_ptr<Engine>> Engine::open(EngineOptions options, store::KvStore& store, const Clock& clock,
                                             Random& random, visibility::Index* index) {
  options.core.feed = index != nullptr;
  auto impl = std::make_unique<Impl>(std::move(options), store, clock, random, index);
  std::uint64_t applied = 0;
  if (impl->feeder) {
    auto caught_up = impl->feeder->open();
    if (!caught_up) return fail(std::move(caught_up.error()));
    applied = *caught_up;
  }
  const auto used = [index]() -> Result<UsedSearchAttributes> { return used_search_attributes(*index); };
  Status opened = index == nullptr ? impl->core.open(applied) : impl->core.open(applied, used);
  if (!opened.ok()) return fail(std::move(opened));
  // The epoch is durable before the first token carries it.
  Output output = impl->core.take_output();
  if (Status status = store.commit(output.batch); !status.ok()) return fail(std::move(status));
  impl->core.committed(output.sequence);
  impl->committed = output.sequence;
  impl->release(output);
  impl->start_threads();
  return std::unique_ptr<Engine>(new Engine(std::move(impl)));
}

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Engine::~Engine() {
  impl_->stop();
}

std::shared_ptr<api::CallHandle> Engine::start(api::Method method, api::MessagePtr request,
                                               api::CallOptions options, api::Completion done) {
  HF_CHECK(request != nullptr);
  Call call;
  call.method = method;
  call.request = std::move(request);
  call.options = std::move(options);
  call.done = std::move(done);
  return impl_->post(std::move(call));
}

std::int64_t Engine::epoch() const {
  return impl_->core.epoch();
}

EngineLoad Engine::load() const {
  EngineLoad out;
  out.calls = impl_->arrivals.load(std::memory_order_relaxed);
  out.inbox_bytes = impl_->inbox_memory.used();
  out.executions = impl_->executions.load(std::memory_order_relaxed);
  return out;
}

}  // namespace holdfast::engine
