#include "broker/broker.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <utility>

#include "base/json.h"
#include "program/program_bytes.h"

namespace holdfast::sandbox {

namespace {

// What a process takes besides what its code may: the program's own pages and an empty engine.
constexpr std::size_t kProcessBytes = 2U << 20;
// And an interpreter of Python, with a /tmp that is full.
constexpr std::size_t kPythonProcessBytes = 24U << 20;
// And Monty, with its stacks.
constexpr std::size_t kMontyProcessBytes = 8U << 20;

std::size_t memory_of(const Request& request) {
  std::size_t process = kProcessBytes;
  // Of code and inputs. As Monty's values, inputs are at most four times as long, and there twice.
  std::size_t copies = 2;
  if (request.kind == Kind::kPython) process = kPythonProcessBytes;
  if (request.kind == Kind::kMonty) {
    process = kMontyProcessBytes;
    copies = 8;
  }
  return process + request.limits.memory_bytes + request.limits.output_bytes + request.limits.log_bytes +
         copies * (request.code.size() + request.inputs.size());
}

// How Monty ends when its allocator is at its limit.
constexpr int kMontyOutOfMemory = 65;

// A process that was taken over says what it likes; who reads a result may rely on this much.
bool is_json(const std::string& text) {
  return text.find('\0') == std::string::npos && !nests_deeper(text, kMaxForeignJsonDepth) &&
         nlohmann::json::accept(text);
}

Reply failed(Fault fault, std::string how) {
  Reply reply;
  reply.failure = Failure{fault, "", std::move(how)};
  return reply;
}

Reply died(std::string how) {
  return failed(Fault::kDied, std::move(how));
}

// Python sees its clock between two steps; in a long one the kernel keeps it.
bool is_clock(int signal) {
  return signal == SIGVTALRM || signal == SIGXCPU || signal == SIGPROF || signal == SIGALRM;
}

}  // namespace

Result<std::unique_ptr<Broker>> Broker::start(const Options& options, MemoryBudget& memory,
                                              const Clock& clock) {
  auto broker = std::unique_ptr<Broker>(new Broker(options, memory, clock));
  if (Status status = broker->open(); !status.ok()) return fail(std::move(status));
  return broker;
}

Broker::~Broker() {
  if (program_ >= 0) ::close(program_);
}

Status Broker::open() {
  program_ = sealed_program(options_.program.empty() ? program_bytes() : options_.program);
  std::string lacks;
  for (const int level : {1, 2}) {
    if (options_.level && *options_.level != level) continue;
    auto cell = Cell::start(level, program_, options_.bubblewrap);
    if (cell) {
      level_ = level;
      const std::string landlock =
          (*cell)->landlock() == 0 ? "" : fmt::format(", Landlock {}", (*cell)->landlock());
      cells_[static_cast<std::size_t>(Language::kJavaScript)] = std::move(*cell);
      description_ = level == 1 ? fmt::format("level 1: bubblewrap, seccomp{}, limits", landlock)
                                : fmt::format("level 2: seccomp{}, limits{}", landlock,
                                              lacks.empty() ? "" : " (no " + lacks + ")");
      return {};
    }
    if (!lacks.empty()) lacks += "; ";
    lacks += fmt::format("level {}: {}", level, cell.error().message());
  }
  return {Code::kFailedPrecondition,
          fmt::format("this machine has no sandbox, so code of users does not run. {}", lacks)};
}

Broker::Language Broker::language_of(const Request& request) {
  if (request.kind == Kind::kMonty) return Language::kMonty;
  return request.kind == Kind::kPython ? Language::kPython : Language::kJavaScript;
}

Result<std::unique_ptr<Cell>> Broker::start_cell(Language language) const {
  if (language == Language::kJavaScript) {
    auto cell = Cell::start(level_, program_, options_.bubblewrap);
    if (cell) return cell;
    return fail(Code::kUnavailable,
                fmt::format("the sandbox does not start again: {}", cell.error().message()));
  }
  if (language == Language::kMonty) {
    const auto monty = find_monty(options_.monty);
    if (!monty) return fail(monty.error());
    auto cell = Cell::start(level_, program_, options_.bubblewrap, {.monty = &*monty});
    if (cell) return cell;
    return fail(Code::kFailedPrecondition,
                fmt::format("Monty does not start in the sandbox: {}", cell.error().message()));
  }
  const auto python = find_python(options_.python, options_.python_packages);
  if (!python) return fail(python.error());
  auto cell = Cell::start(level_, program_, options_.bubblewrap, {.python = &*python});
  if (cell) return cell;
  return fail(Code::kFailedPrecondition,
              fmt::format("Python does not start in the sandbox: {}", cell.error().message()));
}

Result<std::shared_ptr<Cell>> Broker::cell(Language language) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Cell>& kept = cells_[static_cast<std::size_t>(language)];
  if (kept) return kept;
  auto cell = start_cell(language);
  if (!cell) return fail(cell.error());
  kept = std::move(*cell);
  return kept;
}

Result<Broker::Inmate> Broker::make(std::string_view tenant, Language language) {
  // Twice: a sandbox that has ended is replaced once.
  for (bool again : {true, false}) {
    auto in = cell(language);
    if (!in) return fail(in.error());
    auto worker = (*in)->make_worker();
    if (worker) return Inmate{*in, std::string(tenant), std::move(*worker), language, true};
    if (worker.error().code() != Code::kUnavailable || !again) return fail(worker.error());
    const std::lock_guard lock(mutex_);
    std::shared_ptr<Cell>& kept = cells_[static_cast<std::size_t>(language)];
    if (kept == *in) kept.reset();
  }
  return fail(Code::kUnavailable, "the sandbox ends as soon as it is started");
}

Result<Broker::Inmate> Broker::take(std::string_view tenant, Language language,
                                    std::chrono::milliseconds patience) {
  const MonotonicTime until = clock_.monotonic() + patience;
  std::unique_lock lock(mutex_);
  while (true) {
    for (auto it = idle_.end(); it != idle_.begin();) {
      if ((--it)->tenant != tenant || it->language != language) continue;
      Inmate found = std::move(*it);
      idle_.erase(it);
      if (found.worker.quiet()) return found;
      lock.unlock();
      end(std::move(found));
      lock.lock();
      it = idle_.end();
    }
    if (count_ < options_.most_workers) break;
    if (!idle_.empty()) {
      // It makes room for the new one, which does not wait until it is gone.
      Inmate longest_idle = std::move(idle_.front());
      idle_.pop_front();
      lock.unlock();
      auto made = make(tenant, language);
      if (made && made->cell == longest_idle.cell) {
        made->cell->forget_worker_later(std::move(longest_idle.worker));
      } else {
        longest_idle.cell->forget_worker(std::move(longest_idle.worker));
      }
      if (!made) one_less();
      return made;
    }
    const auto left = until - clock_.monotonic();
    if (left <= std::chrono::nanoseconds(0) || freed_.wait_for(lock, left) == std::cv_status::timeout)
      return fail(
          Code::kResourceExhausted,
          fmt::format("all {} processes of the sandbox are busy; try again later", options_.most_workers));
  }
  ++count_;
  lock.unlock();
  auto made = make(tenant, language);
  if (!made) one_less();
  return made;
}

void Broker::one_less() {
  {
    const std::lock_guard lock(mutex_);
    --count_;
  }
  freed_.notify_one();
}

void Broker::keep(Inmate inmate) {
  {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(inmate));
  }
  freed_.notify_one();
}

Ended Broker::end(Inmate inmate) {
  Ended ended = inmate.cell->end_worker(std::move(inmate.worker));
  one_less();
  return ended;
}

void Broker::forget(Inmate inmate) {
  inmate.cell->forget_worker(std::move(inmate.worker));
  one_less();
}

std::chrono::milliseconds Broker::longest(const Request& request) const {
  return options_.grace + std::chrono::milliseconds(std::int64_t{request.limits.time_ms} * 4);
}

Result<Reply> Broker::ask(Worker& worker, const Request& request, HeldMemory& memory) const {
  const MonotonicTime deadline = clock_.monotonic() + longest(request);
  return request.kind == Kind::kMonty ? worker.ask_monty(request, memory, deadline, clock_)
                                      : worker.ask(request, deadline, clock_);
}

Result<Reply> Broker::run(std::string_view tenant, const Request& request,
                          std::chrono::milliseconds patience) {
  if (Status status = check_request(request); !status.ok()) return fail(std::move(status));
  HeldMemory held(memory_);
  if (Status status = held.resize(memory_of(request)); !status.ok()) return fail(std::move(status));
  auto inmate = take(tenant, language_of(request), patience);
  if (!inmate) return fail(inmate.error());
  auto reply = ask(inmate->worker, request, held);
  if (std::exchange(inmate->is_new, false)) inmate->cell->settle();
  if (reply && !reply->failure && !is_json(reply->result))
    reply = fail(Code::kDataLoss, "the sandbox answered with what is no JSON");
  if (reply && !reply->last) {
    keep(std::move(*inmate));
    return std::move(*reply);
  }
  if (reply) {  // whose process has said that it ends
    forget(std::move(*inmate));
    return std::move(*reply);
  }
  const Ended ended = end(std::move(*inmate));
  if (reply.error().code() == Code::kResourceExhausted) return reply;
  if (request.kind == Kind::kMonty && ended.code == kMontyOutOfMemory)
    return failed(Fault::kMemory,
                  fmt::format("it needs more than {} bytes of memory", request.limits.memory_bytes));
  if (request.kind == Kind::kPython && is_clock(ended.signal))
    return failed(Fault::kTime, fmt::format("it ran longer than {} ms", request.limits.time_ms));
  switch (reply.error().code()) {
    case Code::kDeadlineExceeded:
      return died(
          fmt::format("the sandbox did not answer within {} ms, and was ended", longest(request).count()));
    case Code::kDataLoss: return died(fmt::format("{}, and was ended", reply.error().message()));
    default: return died(fmt::format("the process that ran it {}", ended.how));
  }
}

}  // namespace holdfast::sandbox
