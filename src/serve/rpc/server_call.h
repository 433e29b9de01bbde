#pragma once

// One call being served, and the queue it lives on. Private to the server.
//
// Everything of a call happens on its queue's thread. The one thing that arrives elsewhere, the connection's
// completion, is put into the queue's list of answers and taken from there; an alarm wakes the thread, once
// per burst, so a group commit that releases a hundred answers costs one wake-up and no gRPC work on the
// engine's thread.

#include <grpcpp/alarm.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/async_generic_service.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "api/connection.h"
#include "base/memory_budget.h"
#include "os/clock.h"
#include "rpc/connections.h"
#include "rpc/server.h"

namespace holdfast::rpc {

class ServerCall;

// What all queues of one server share.
struct ServerShared {
  ServerShared(api::Connection& behind, const ServerOptions& server_options)
      : connection(behind),
        options(server_options),
        clock(server_options.clock != nullptr ? *server_options.clock : machine_clock),
        memory(server_options.memory != nullptr ? *server_options.memory : own_memory),
        waiting("calls over gRPC that wait", memory.limit() / 2, &memory) {}

  api::Connection& connection;
  const ServerOptions& options;
  os::SystemClock machine_clock{};
  const Clock& clock;
  MemoryBudget own_memory{"gRPC", 256 << 20};
  MemoryBudget& memory;
  MemoryBudget waiting;
  Connections* connections = nullptr;
  grpc::AsyncGenericService service{};
  std::atomic<std::size_t> open_calls{0};
  // ServerCall objects, waiting ones included. A queue may be shut down only at 0.
  std::atomic<std::size_t> live_calls{0};
  std::atomic<bool> stopping{false};
};

// A completion queue with its thread.
class ServerQueue {
 public:
  ServerQueue(ServerShared& shared, std::unique_ptr<grpc::ServerCompletionQueue> queue);
  ~ServerQueue();

  // The server is running: accept calls.
  void run();
  // The server is shut down and live_calls is 0: ends the thread.
  void finish();

  ServerShared& shared() { return shared_; }
  grpc::ServerCompletionQueue& cq() { return *cq_; }
  // Thread-safe.
  void answer(ServerCall& call);

  // On the queue's thread: bytes of this call are on their way, in one direction, or no longer.
  void watch(ServerCall& call);
  void unwatch(ServerCall& call);

 private:
  void loop();
  void handle(void* tag, bool ok);
  void hear_first();
  void take_answers();
  void look_at_transfers();
  bool heap_is_full() const;
  void set_transfer_alarm();

  ServerShared& shared_;
  std::unique_ptr<grpc::ServerCompletionQueue> cq_;
  std::thread thread_;
  grpc::Alarm alarm_;
  std::mutex mutex_;
  std::vector<ServerCall*> answers_;  // guarded by mutex_
  bool alarm_set_ = false;            // guarded by mutex_
  std::vector<ServerCall*> taking_;   // of the thread
  // Of the thread: those whose bytes are on their way, the oldest first. Each has the same time, so their
  // order is that of their ends.
  ServerCall* oldest_ = nullptr;
  ServerCall* newest_ = nullptr;
  grpc::Alarm transfer_alarm_;
  bool transfer_alarm_set_ = false;
};

// Owns itself: lives from accept() until gRPC and the connection are both through with it.
class ServerCall {
 public:
  // Waits for the next call. At most once per accepted call a new one is made.
  static void accept(ServerQueue& queue);

  // The completion queue gives back a pointer to one of these.
  struct Tag {
    ServerCall* call;
    void (ServerCall::*handler)(bool ok);
    void operator()(bool ok) { (call->*handler)(ok); }
  };

  // On the queue's thread, with result_ set.
  void send_answer();
  // On the queue's thread: its bytes take too long.
  void give_up(const Status& reason);

  struct Transfer {
    ServerCall* older = nullptr;
    ServerCall* newer = nullptr;
    MonotonicTime since{};
    bool watched = false;
  };
  Transfer& transfer() { return transfer_; }
  const Transfer& transfer() const { return transfer_; }

 private:
  explicit ServerCall(ServerQueue& queue);

  void on_accepted(bool ok);
  void on_read(bool ok);
  void on_finished(bool ok);
  void on_done(bool ok);

  void begin(std::string_view method_name);
  void answer_health();
  Status take_request(api::Message& request);
  Status hold(std::size_t bytes);
  void refuse(const Status& status);
  void refuse(Code code, std::string message) { refuse(Status(code, std::move(message))); }
  void finish_with(grpc::ByteBuffer&& response);
  void give_back_answer();
  void release();
  api::CallOptions call_options();

  ServerQueue& queue_;
  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_;
  Tag accepted_{this, &ServerCall::on_accepted};
  Tag read_{this, &ServerCall::on_read};
  Tag finished_{this, &ServerCall::on_finished};
  Tag done_{this, &ServerCall::on_done};

  enum class Kind : std::uint8_t { kMethod, kHealth };
  Kind kind_ = Kind::kMethod;
  api::Method method_{};
  grpc::ByteBuffer bytes_;
  HeldMemory held_;  // the call itself, its request until there is an answer, then that
  Transfer transfer_;
  Result<api::MessagePtr> result_;
  std::shared_ptr<api::CallHandle> handle_;
  int uses_ = 0;          // events still to come
  bool counted_ = false;  // in open_calls
  bool answering_ = false;
  bool cancelled_ = false;
  bool gave_up_ = false;  // we did, not the client
};

}  // namespace holdfast::rpc
