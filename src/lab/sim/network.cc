#include "sim/network.h"

#include <memory>
#include <utility>

#include "api/messages.h"

namespace holdfast::sim {
namespace {

bool worth_a_retry(Code code) {
  return code == Code::kUnavailable || code == Code::kDeadlineExceeded || code == Code::kResourceExhausted ||
         code == Code::kCancelled || code == Code::kAborted;
}

// Of who polls; empty: no poll.
std::string poller_of(api::Method method, const api::Message& request) {
  if (method == api::Method::kPollWorkflowTaskQueue)
    return static_cast<const ws::PollWorkflowTaskQueueRequest&>(request).identity();
  if (method == api::Method::kPollActivityTaskQueue)
    return static_cast<const ws::PollActivityTaskQueueRequest&>(request).identity();
  return {};
}

}  // namespace

std::int64_t Network::delay() {
  SimRandom& random = world_.random();
  if (faults_.on && random.percent(faults_.slow_percent)) return random.between(kMs, 5 * kSec);
  return random.between(50'000, 2 * kMs);
}

bool Network::poller_is_gone(api::Method method, const std::string& identity,
                             Result<api::MessagePtr>& result) {
  if (identity.empty() || !result || !faults_.on || !world_.random().percent(faults_.gone_percent))
    return false;
  world_.after(world_.random().between(0, 2 * kMs),
               [this, method, identity, answer = std::move(*result), crashes = server_.crashes()] {
                 if (server_.crashes() == crashes) server_.undelivered(method, identity, *answer);
               });
  return true;
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
      std::string poller = poller_of(method, *copy);
      server_.receive(
          method, std::move(copy),
          [this, open, method, poller = std::move(poller)](Result<api::MessagePtr> result) mutable {
            if (poller_is_gone(method, poller, result)) return;
            if (faults_.on && world_.random().percent(faults_.lost_percent)) return;
            world_.after(delay(),
                         [open, result = std::move(result)]() mutable { open->answer(std::move(result)); });
          });
    });
  };
  send();
  // A poll that arrives twice is two polls; nothing to learn from it.
  if (poller_of(method, request).empty() && faults_.on && random.percent(faults_.duplicate_percent)) send();
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
