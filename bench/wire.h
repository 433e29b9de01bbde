#pragma once

// Calls to a WorkflowService with as little between the caller and the socket as gRPC allows: one channel,
// one completion queue, one thread. Everything runs inside run(): completions, retries, timers. Not
// thread-safe, and needs no locks.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_set>

#include <grpcpp/alarm.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_utils.h>

#include "api/messages.h"

namespace holdfast::bench {

using SteadyTime = std::chrono::steady_clock::time_point;

class Wire {
 public:
  explicit Wire(const std::string& address);
  // Cancels what is open and waits for it.
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  template <typename Response>
  using Done = std::move_only_function<void(const grpc::Status&, Response&)>;

  template <typename Request, typename Response>
  void call(const char* method, const Request& request, Done<Response> done,
            std::chrono::milliseconds timeout = std::chrono::seconds(70)) {
    grpc::ByteBuffer bytes;
    bool own = false;
    grpc::SerializationTraits<Request>::Serialize(request, &bytes, &own);
    start(method, bytes, timeout,
          [done = std::move(done)](grpc::Status status, grpc::ByteBuffer* answer) mutable {
            Response response;
            if (status.ok()) status = grpc::SerializationTraits<Response>::Deserialize(answer, &response);
            done(status, response);
          });
  }

  void after(std::chrono::milliseconds delay, std::move_only_function<void()> job);

  // Serves completions until `finished` or the timeout; false at the timeout.
  bool run(const std::function<bool()>& finished, std::chrono::milliseconds timeout);

  // From now on nothing is called again: completions still run, with what was cancelled.
  void close();
  bool closed() const { return closed_; }
  std::uint64_t calls() const { return calls_; }

 private:
  using Raw = std::move_only_function<void(grpc::Status, grpc::ByteBuffer*)>;
  struct Event;
  struct Call;
  struct Timer;
  void start(const char* method, const grpc::ByteBuffer& request, std::chrono::milliseconds timeout,
             Raw done);

  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericStub> stub_;
  std::unordered_set<Event*> open_;
  std::uint64_t calls_ = 0;
  bool closed_ = false;
};

}  // namespace holdfast::bench
