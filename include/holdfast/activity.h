#pragma once

// activity::Context: what an activity may ask and tell while it runs. An activity is a plain function
//
//   std::string compose(activity::Context& ctx, std::string name);
//
// that runs on a thread of its own and may block. It fails by throwing: an ApplicationFailure as it is, any
// other std::exception as an ApplicationFailure that is retried. Thread-safe: an activity may share it with
// threads it joins.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "holdfast/failure.h"
#include "holdfast/payload.h"
#include "holdfast/public.h"
#include "holdfast/seams.h"

namespace holdfast {
namespace activity HOLDFAST_PUBLIC {

class Info {
 public:
  Info() = default;
  std::string namespace_name;
  std::string workflow_id;
  std::string run_id;
  std::string workflow_type;
  std::string activity_id;
  std::string activity_type;
  std::string task_queue;
  // For completing it from elsewhere.
  std::string task_token;
  std::int32_t attempt = 1;
  std::vector<Payload> heartbeat_details;  // of the attempt before
  WallTime scheduled_time{};
  WallTime started_time{};
  std::optional<Duration> start_to_close;
  std::optional<Duration> schedule_to_close;
  std::optional<Duration> heartbeat_timeout;
};

// Thrown by an activity that somebody else completes later, by its task token (Client::complete_activity).
class CompleteLater {
 public:
  CompleteLater() = default;
};

// What the worker implements.
class Host {
 public:
  virtual ~Host() = default;
  virtual void heartbeat(std::vector<Payload> details) = 0;
  virtual bool is_cancelled() const = 0;
  // Waits; true when cancelled.
  virtual bool wait_cancelled(Duration at_most) = 0;
};

class Context {
 public:
  Context(Info info, Host& host) : info_(std::move(info)), host_(&host) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  const Info& info() const { return info_; }

  // Tells the engine that the activity lives, and how far it got. Sent at most every 0.8 x the heartbeat
  // timeout; the latest details are never lost while the process lives.
  template <typename... A>
  void heartbeat(const A&... details) {
    host_->heartbeat(to_payloads(details...));
  }
  // The workflow asked for it, the run is gone, or the worker stops. Learnt through heartbeats. An activity
  // that gives in throws CanceledFailure.
  bool is_cancelled() const { return host_->is_cancelled(); }
  void throw_if_cancelled() const {
    if (host_->is_cancelled()) throw CanceledFailure();
  }
  // Sleeps; true, early, when cancelled.
  bool sleep(Duration duration) { return host_->wait_cancelled(duration); }
  // The details of the attempt before, if there are any.
  template <typename T>
  std::optional<T> last_heartbeat() const {
    if (info_.heartbeat_details.empty()) return std::nullopt;
    return from_payload<T>(info_.heartbeat_details.front());
  }

 private:
  Info info_;
  Host* host_;
};

using ActivityFunction = std::function<Payload(Context&, std::vector<Payload>)>;

}  // namespace activity HOLDFAST_PUBLIC
}  // namespace holdfast
