#include "sim/network.h"

#include <memory>
#include <utility>

namespace holdfast::sim {
namespace {

bool worth_a_retry(Code code) {
  return code == Code::kUnavailable || code == Code::kDeadlineExceeded || code == Code::kResourceExhausted ||
         code == Code::kCancelled || code == Code::kAborted;
}

}  // namespace

std::int64_t Network::delay() {
  SimRandom& random = world_.random();
  if (faults_.on && random.percent(faults_.slow_percent)) return random.between(kMs, 5 * kSec);
  return random.between(50'000, 2 * kMs);
}

void Network::call(api::Method method, const api::Message& request, std::int64_t timeout_ns, Done done) {
  struct Open {
    Done done;
    void answer(Result<api::MessagePtr> result) {
      if (auto once = std::exchange(done, nullptr)) once(std::move(result));
    }
  };
  auto open = std::make_shared<Open>(Open{std::move(done)});
  SimRandom& random = world_.random();
  const auto send = [&] {
    if (faults_.on && random.percent(faults_.lost_percent)) return;
    api::MessagePtr copy(request.New());
    copy->CopyFrom(request);
    world_.after(delay(), [this, method, open, copy = std::move(copy)]() mutable {
      if (!server_.up()) {
        world_.after(delay(), [open] { open->answer(fail(Code::kUnavailable, "the server is down")); });
        return;
      }
      server_.receive(method, std::move(copy), [this, open](Result<api::MessagePtr> result) mutable {
        if (faults_.on && world_.random().percent(faults_.lost_percent)) return;
        world_.after(delay(),
                     [open, result = std::move(result)]() mutable { open->answer(std::move(result)); });
      });
    });
  };
  send();
  // A poll that arrives twice is two polls; nothing to learn from it.
  const bool poll =
      method == api::Method::kPollWorkflowTaskQueue || method == api::Method::kPollActivityTaskQueue;
  if (!poll && faults_.on && random.percent(faults_.duplicate_percent)) send();
  world_.after(timeout_ns, [open] { open->answer(fail(Code::kDeadlineExceeded, "no answer in time")); });
}

void Network::call_until_answered(api::Method method, std::shared_ptr<const api::Message> request,
                                  Done done) {
  const api::Message& message = *request;
  call(method, message, 2 * kSec,
       [this, method, request = std::move(request), done = std::move(done)](auto result) mutable {
         if (result.has_value() || !worth_a_retry(result.error().code())) {
           done(std::move(result));
           return;
         }
         world_.after(world_.random().between(10 * kMs, 300 * kMs),
                      [this, method, request = std::move(request), done = std::move(done)]() mutable {
                        call_until_answered(method, std::move(request), std::move(done));
                      });
       });
}

}  // namespace holdfast::sim
