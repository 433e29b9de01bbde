#pragma once

// A receiver of messages in the format of Slack's incoming webhooks: POST /hooks/<channel> with {"text": ...}
// answers "ok". It honours Idempotency-Key: every request counts as a delivery, the first with a key as an
// effect.
//
// Owner: the demo. The server's thread counts; the rest may be asked from any thread.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "holdfast/status.h"
#include "net/server.h"

namespace holdfast::demo {

class Receiver {
 public:
  struct Message {
    std::string channel;
    std::string text;
    std::string key;
    int deliveries = 0;
  };

  // Port 0: any free one. UNAVAILABLE: the port is taken.
  static Result<std::unique_ptr<Receiver>> start(std::uint16_t port = 0);
  std::uint16_t port() const { return server_->port(); }

  std::string url() const { return "http://" + server_->address(); }
  std::vector<Message> messages() const;  // distinct effects, in the order of their first delivery
  int deliveries() const;
  // Called on the server's thread with the number of the effect (from 1) as soon as its first delivery was
  // answered.
  void on_answered(std::function<void(int)> callback);

 private:
  Receiver() = default;
  void handle(net::Request request, net::Responder responder);

  mutable std::mutex mutex_;
  std::vector<Message> messages_;         // guarded by mutex_
  int deliveries_ = 0;                    // guarded by mutex_
  std::function<void(int)> on_answered_;  // guarded by mutex_
  std::unique_ptr<net::Server> server_;   // last: its thread uses the rest
};

}  // namespace holdfast::demo
