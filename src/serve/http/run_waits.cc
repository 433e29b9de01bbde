#include "http/run_waits.h"

#include <algorithm>

#include "http/problems.h"
#include "openai/ids.h"

namespace holdfast::http {

namespace {

// Most waits are over soon: what their end is looked at by is not kept for as long as the longest.
constexpr std::chrono::seconds kLook{10};

Response stopping(const std::string& run) {
  return Problem(503, "not_ready", "the server is stopping; the run " + run + " goes on when it is back")
      .hint("GET /v1/responses/" + openai::response_id(run) +
            ", or the same request with the same Idempotency-Key")
      .header("X-Request-Id", run)
      .header("Retry-After", "1")
      .header("X-Should-Retry", "false")
      .response();
}

}  // namespace

struct RunWaits::Wait {
  Wait(std::string id_, Answer answer_, std::shared_ptr<runs::Telling> telling_, Responder responder_)
      : id(std::move(id_)),
        answer(std::move(answer_)),
        telling(std::move(telling_)),
        responder(std::move(responder_)) {}

  std::mutex mutex;
  const std::string id;
  const Answer answer;
  std::shared_ptr<runs::Telling> telling;  // guarded by mutex
  Responder responder;                     // guarded by mutex
  std::unique_ptr<runs::RunWatch> watch;   // guarded by mutex
  openai::RunFold run;                     // guarded by mutex
  bool done = false;                       // guarded by mutex

  // `at_last` after that time, unless the wait is over before. `after` outlives it.
  static void arm(const runs::After& after, const std::weak_ptr<Wait>& wait, std::chrono::milliseconds left,
                  const std::function<void()>& at_last) {
    const auto step = std::min<std::chrono::milliseconds>(left, kLook);
    after(step, [&after, wait, left = left - step, at_last] {
      if (wait.expired()) return;
      left.count() > 0 ? arm(after, wait, left, at_last) : at_last();
    });
  }

  // Mutex held. The watch goes with it: what its log calls back holds no reference to it.
  void reply(Response response) {
    if (std::exchange(done, true)) return;
    watch.reset();
    if (telling && run.has_ended() && !responder.gone()) telling->told();
    responder.reply(std::move(response));
    telling.reset();
  }
};

RunWaits::RunWaits() = default;

RunWaits::~RunWaits() {
  stop();
}

void RunWaits::open(runs::Runs* runs, Executor* workers, runs::After after) {
  runs_ = runs;
  workers_ = workers;
  after_ = std::move(after);
}

void RunWaits::wait(const std::string& run, std::chrono::milliseconds longest, Answer answer,
                    std::shared_ptr<runs::Telling> telling, Responder responder) {
  auto wait = std::make_shared<Wait>(run, std::move(answer), std::move(telling), std::move(responder));
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return wait->reply(stopping(run));
    if (waits_.size() >= kMaxWaits) {
      return wait->reply(Problem(503, "too_many_waits", "as many requests wait for runs as may")
                             .hint("with background: true, or stream: true, nobody waits")
                             .response());
    }
    waits_.insert(wait);
  }
  const auto later = [this, weak = std::weak_ptr(wait)](bool last) {
    if (weak.expired()) return;
    workers_->post([this, weak, last] {
      if (auto there = weak.lock()) look(there, last);
    });
  };
  auto watch = runs_->watch({run}, std::nullopt, platform::Deltas::kCommitted, [later] { later(false); });
  {
    const std::lock_guard lock(wait->mutex);
    if (!watch) {
      wait->reply(problem_of(watch.error()).response());
    } else if (!wait->done) {
      wait->watch = *std::move(watch);
    }
  }
  if (!watch) return forget(wait);
  Wait::arm(after_, wait, longest, [later] { later(true); });
  later(false);
}

void RunWaits::look(const std::shared_ptr<Wait>& wait, bool last) {
  bool over = false;
  {
    const std::lock_guard lock(wait->mutex);
    if (wait->done || !wait->watch) return;
    const auto seen = [&](const std::string&, const platform::Event* event) {
      if (event != nullptr) {
        wait->run.apply(*event);
      } else {
        wait->run = openai::RunFold();
      }
    };
    while (true) {
      auto any = wait->watch->take(seen);
      if (!any) {
        wait->reply(problem_of(any.error()).response());
        break;
      }
      if (!*any) break;
    }
    if (!wait->done) {
      if (auto response = wait->answer(wait->run, last)) wait->reply(*std::move(response));
    }
    over = wait->done;
  }
  if (over) forget(wait);
}

void RunWaits::forget(const std::shared_ptr<Wait>& wait) {
  const std::lock_guard lock(mutex_);
  waits_.erase(wait);
}

void RunWaits::stop() {
  std::set<std::shared_ptr<Wait>> waits;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    waits.swap(waits_);
  }
  for (const auto& wait : waits) {
    const std::lock_guard lock(wait->mutex);
    wait->reply(stopping(wait->id));
  }
}

}  // namespace holdfast::http
