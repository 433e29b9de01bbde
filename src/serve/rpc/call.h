#pragma once

// Call: one call being served, from the head of its stream until the client has the answer. Private to the
// server.
//
// Everything of a call happens on the io thread. Two things come from elsewhere: the connection's completion,
// which puts the call among the state's answers, and the work on long messages, which the large lane does
// while nobody else touches the call's bytes. Owners: its session while the stream is open, the completion
// and the lane while they have it.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/connection.h"
#include "base/memory_budget.h"
#include "identity/directory.h"
#include "rpc/frame.h"
#include "rpc/request.h"
#include "rpc/state.h"

namespace holdfast::rpc {

class Session;

class Call : public std::enable_shared_from_this<Call> {
 public:
  // Of its metadata, as HTTP/2 counts them.
  static constexpr std::size_t kMaxHeadBytes = 16 << 10;

  Call(ServerState& state, Session& session, std::int32_t stream);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  std::int32_t stream() const { return stream_; }
  // Answered, or nobody is there for an answer.
  bool over() const { return session_ == nullptr || answering_; }
  bool is_stream() const { return kind_ == Kind::kReflection; }
  std::size_t held_by_connection() const;

  // ---- what its stream brings
  void on_header(std::string_view name, std::string_view value);
  void on_head_end();
  void on_data(std::string_view data);
  void on_request_end();
  // By the client, unless it is answered: by resetting the stream, or with its connection.
  void on_close(bool was_reset);

  // ---- its answer, on the way
  struct Piece {
    std::size_t bytes = 0;
    bool end = false;  // the status comes next
  };
  Piece read_reply(char* into, std::size_t most);
  const Status& status() const { return status_; }
  std::string_view http_status() const { return http_status_; }
  // The last frame is among what is written next; was written; was not.
  void on_leaving();
  void on_unsent() { give_back_answer(); }  // nor will it be
  // Whether it is to be known that the client got it: it carries a task.
  bool wants_proof() const;
  bool is_workflow_task() const { return method_ == api::Method::kPollWorkflowTaskQueue; }
  // The client says that it did not.
  void on_undelivered() { give_back_answer(); }

  // ---- from the state
  void send_answer();
  void on_deadline();
  void give_up(const Status& reason);
  void end(const Status& reason);
  void start_parsed();
  void enter_lane() { working_ = true; }
  void work_in_lane();  // on the lane's thread
  void leave_lane();

 private:
  enum class Kind : std::uint8_t { kMethod, kHealth, kReflection };
  struct Head {
    std::string path, method, content_type, encoding, client_name, client_version, authorization;
    std::optional<std::string> timeout;
    std::size_t bytes = 0;
  };

  Status read_head();
  Status choose_kind();
  Status find_caller();
  Status check(const google::protobuf::Message& request);
  Status check_again() const;
  Status admit();
  Status begin_message(std::string_view prefix);
  void on_message();
  void begin_work();
  void parse();
  void take_parsed();
  void start(api::MessagePtr request);
  api::CallOptions call_options();
  void answer_health();
  void answer_reflection();
  void serialise(std::size_t length);
  void send_reply();
  void send_bytes(std::string reply);
  void refuse(const Status& status);
  void give_back_answer();
  void forget_waits();
  void let_go();
  Status hold(HeldMemory& held, MemoryBudget& from, std::size_t bytes);
  MemoryBudget& budget();
  bool waits() const;

  ServerState& state_;
  Session* session_;  // null: the stream is closed
  const std::int32_t stream_;
  const MonotonicTime began_;
  Kind kind_ = Kind::kMethod;
  api::Method method_{};
  std::unique_ptr<Head> head_ = std::make_unique<Head>();  // until the call is with the engine
  std::optional<MonotonicTime> deadline_;
  Transfers::Place transfer_;

  HeldMemory base_;        // the call itself
  HeldMemory held_;        // its request until there is an answer, then that
  std::size_t share_ = 0;  // of the connection, of what is held
  std::string prefix_;
  RequestBytes request_;
  std::size_t expected_ = 0;
  Result<api::MessagePtr> message_{nullptr};  // parsed, not yet with the engine
  Result<api::MessagePtr> result_{nullptr};
  std::shared_ptr<api::CallHandle> handle_;
  identity::Caller caller_;
  std::string namespace_;  // of a poll: whether its caller may is asked again
  bool replied_ = false;   // the engine has
  std::string reply_;
  std::size_t read_ = 0;  // of the reply
  Status status_;
  std::string_view http_status_ = "200";

  bool reading_ = false;      // the message is not whole
  bool whole_ = false;        // it is, and its stream's end has not come
  bool with_engine_ = false;  // until the completion ran: held_ is the engine's
  bool working_ = false;      // the lane's thread has its bytes
  bool inside_ = false;       // counts among those in the gate
  bool large_ = false;        // counts among the lane's calls with the engine
  bool streaming_ = false;    // reflection: its head is sent, more may follow
  bool answering_ = false;
  bool leaving_ = false;
  bool gave_up_ = false;  // we did, not the client
};

}  // namespace holdfast::rpc
