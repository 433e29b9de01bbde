#pragma once

// MetricsPage: /metrics, for Prometheus. It has a thread of its own, so that whoever watches over a server
// still sees it when every worker of the API is busy.
//
// Owner: app. Thread-safe; never blocks.

#include <atomic>
#include <memory>

#include "holdfast/seams.h"
#include "http/message.h"
#include "http/router.h"
#include "metrics/registry.h"

namespace holdfast::http {

class MetricsPage {
 public:
  static bool serves(const Request& request) { return request.path == "/metrics"; }

  // The registry and the gate outlive it. `thread` serves nothing else.
  MetricsPage(const metrics::Registry& registry, const identity::Gate& gate, std::string namespace_name,
              std::unique_ptr<Executor> thread);

  // Of a request that it serves. Beyond kMaxWaiting it is 503.
  void handle(Request request, Responder responder);

 private:
  static constexpr int kMaxWaiting = 16;

  const metrics::Registry& registry_;
  std::shared_ptr<std::atomic<int>> waiting_ = std::make_shared<std::atomic<int>>(0);
  Router router_;
  std::unique_ptr<Executor> thread_;
};

}  // namespace holdfast::http
