#include "rpc/server_call.h"

#include <fmt/format.h>
#include <grpc/support/time.h>

#include <utility>

#include "api/messages.h"
#include "base/check.h"
#include "wire/grpc.h"

namespace holdfast::rpc {
namespace {

constexpr std::string_view kHealthCheck = "/grpc.health.v1.Health/Check";
// Calls that gRPC may hand over without waiting for us.
constexpr int kAcceptAhead = 16;
constexpr std::size_t kMaxClientNameBytes = 128;

std::string metadata(const grpc::GenericServerContext& context, const char* key) {
  const auto found = context.client_metadata().find(key);
  if (found == context.client_metadata().end()) return {};
  return std::string(found->second.data(), std::min(found->second.size(), kMaxClientNameBytes));
}

// grpc.health.v1.HealthCheckRequest is {string service = 1}: small enough to read by hand.
std::optional<std::string> health_service(const std::string& bytes) {
  if (bytes.empty()) return std::string();
  if (bytes.size() < 2 || bytes[0] != 0x0A || static_cast<std::size_t>(bytes[1]) != bytes.size() - 2)
    return std::nullopt;
  return bytes.substr(2);
}

std::string flatten(grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

}  // namespace

ServerQueue::ServerQueue(ServerShared& shared, std::unique_ptr<grpc::ServerCompletionQueue> queue)
    : shared_(shared), cq_(std::move(queue)) {}

ServerQueue::~ServerQueue() {
  if (thread_.joinable()) finish();
}

void ServerQueue::run() {
  for (int i = 0; i < kAcceptAhead; ++i) ServerCall::accept(*this);
  thread_ = std::thread([this] { loop(); });
  ::pthread_setname_np(thread_.native_handle(), "hf-rpc");
}

void ServerQueue::finish() {
  cq_->Shutdown();
  if (thread_.joinable()) {
    thread_.join();
    return;
  }
  void* tag = nullptr;
  bool ok = false;
  while (cq_->Next(&tag, &ok)) {  // never ran: nothing but the shutdown itself
  }
}

void ServerQueue::answer(ServerCall& call) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    answers_.push_back(&call);
    // On the queue's own thread the loop looks at the list after every event.
    wake = !alarm_set_ && std::this_thread::get_id() != thread_.get_id();
    if (wake) alarm_set_ = true;
  }
  if (wake) alarm_.Set(cq_.get(), gpr_inf_past(GPR_CLOCK_MONOTONIC), nullptr);
}

// What has come by now may say that a caller has gone: a task is not for him then. Bounded, so that many
// calls do not keep the answers waiting.
void ServerQueue::hear_first() {
  constexpr int kMostEvents = 64;
  void* tag = nullptr;
  bool ok = false;
  for (int i = 0; i < kMostEvents; ++i) {
    const auto heard = cq_->AsyncNext(&tag, &ok, gpr_inf_past(GPR_CLOCK_MONOTONIC));
    if (heard != grpc::CompletionQueue::GOT_EVENT) return;
    handle(tag, ok);
  }
}

void ServerQueue::take_answers() {
  {
    const std::lock_guard lock(mutex_);
    if (answers_.empty()) return;
  }
  hear_first();
  {
    const std::lock_guard lock(mutex_);
    taking_.swap(answers_);
  }
  for (ServerCall* call : taking_) call->send_answer();
  taking_.clear();
}

void ServerQueue::loop() {
  void* tag = nullptr;
  bool ok = false;
  while (cq_->Next(&tag, &ok)) {
    handle(tag, ok);
    take_answers();
  }
}

void ServerQueue::handle(void* tag, bool ok) {
  if (tag == nullptr) {
    const std::lock_guard lock(mutex_);
    alarm_set_ = false;
  } else {
    (*static_cast<ServerCall::Tag*>(tag))(ok);
  }
}

ServerCall::ServerCall(ServerQueue& queue) : queue_(queue), stream_(&context_), result_(api::MessagePtr()) {}

void ServerCall::accept(ServerQueue& queue) {
  auto* call = new ServerCall(queue);
  queue.shared().live_calls.fetch_add(1);
  call->uses_ = 1;
  call->context_.AsyncNotifyWhenDone(&call->done_);
  queue.shared().service.RequestCall(&call->context_, &call->stream_, &queue.cq(), &queue.cq(),
                                     &call->accepted_);
}

void ServerCall::on_accepted(bool ok) {
  if (!ok) return release();  // shutting down; on_done never comes for it
  ++uses_;                    // on_done
  ServerShared& shared = queue_.shared();
  counted_ = true;
  const bool stopping = shared.stopping.load();
  if (!stopping) accept(queue_);
  const bool too_many = shared.open_calls.fetch_add(1) >= shared.options.max_open_calls;
  if (stopping) {
    refuse(Code::kUnavailable, "the server is stopping");
  } else if (too_many) {
    refuse(Code::kResourceExhausted,
           fmt::format("more than {} calls are open on this server; try again later",
                       shared.options.max_open_calls));
  } else {
    begin(context_.method());
  }
  release();
}

void ServerCall::begin(std::string_view path) {
  if (const auto method = api::method_by_path(path)) {
    method_ = *method;
  } else if (const auto name = api::name_in_path(path)) {
    return refuse(Code::kUnimplemented, fmt::format("method {} is not supported by this server", *name));
  } else if (path == kHealthCheck) {
    kind_ = Kind::kHealth;
  } else {
    return refuse(Code::kUnimplemented, fmt::format("unknown method \"{}\"", path.substr(0, 200)));
  }
  ++uses_;
  stream_.Read(&bytes_, &read_);
}

void ServerCall::on_read(bool ok) {
  if (!ok) {
    // A message over the size limit also ends here; gRPC has then already told the client RESOURCE_EXHAUSTED.
    refuse(Code::kInvalidArgument, "the call carries no request message");
  } else if (kind_ == Kind::kHealth) {
    answer_health();
  } else {
    api::MessagePtr request = api::new_request(method_);
    if (!parse(bytes_, *request)) {
      refuse(Code::kInvalidArgument, fmt::format("the request is not a valid {}", request->GetTypeName()));
    } else {
      ++uses_;  // the completion, until send_answer
      handle_ = queue_.shared().connection.start(method_, std::move(request), call_options(),
                                                 [this](Result<api::MessagePtr> result) {
                                                   result_ = std::move(result);
                                                   queue_.answer(*this);
                                                 });
      if (cancelled_ && handle_) handle_->cancel();
    }
  }
  release();
}

api::CallOptions ServerCall::call_options() {
  api::CallOptions options;
  options.deadline = from_gpr(context_.raw_deadline());
  options.client_name = metadata(context_, "client-name");
  options.client_version = metadata(context_, "client-version");
  options.from_wire = true;
  return options;
}

void ServerCall::send_answer() {
  if (cancelled_) {
    // Nobody waits any more; gRPC still wants its stream finished.
    give_back_answer();
    refuse(Code::kCancelled, "the client cancelled the call");
  } else if (!result_) {
    answering_ = true;
    ++uses_;
    stream_.Finish(to_grpc(result_.error()), &finished_);
  } else {
    HF_CHECK(*result_ != nullptr);
    finish_with(serialise(**result_));
  }
  release();
}

// It reached nobody: what it hands over goes to others.
void ServerCall::give_back_answer() {
  if (handle_ && result_ && *result_ != nullptr) handle_->undelivered(std::move(*result_));
}

void ServerCall::answer_health() {
  const auto service = health_service(flatten(bytes_));
  if (!service)
    return refuse(Code::kInvalidArgument, "the request is not a valid grpc.health.v1.HealthCheckRequest");
  if (!service->empty() && !api::is_service(*service)) {
    return refuse(Code::kNotFound, fmt::format("no service \"{}\" here", *service));
  }
  grpc::Slice serving(std::string("\x08\x01", 2));  // HealthCheckResponse{status = SERVING}
  finish_with(grpc::ByteBuffer(&serving, 1));
}

void ServerCall::refuse(Code code, std::string message) {
  answering_ = true;
  ++uses_;
  stream_.Finish(to_grpc(Status(code, std::move(message))), &finished_);
}

void ServerCall::finish_with(grpc::ByteBuffer&& response) {
  answering_ = true;
  ++uses_;
  bytes_ = std::move(response);
  stream_.WriteAndFinish(bytes_, grpc::WriteOptions(), grpc::Status::OK, &finished_);
}

void ServerCall::on_finished(bool ok) {
  // The call was dead before the answer could go on the wire.
  if (!ok) give_back_answer();
  release();
}

void ServerCall::on_done(bool ok) {
  if (context_.IsCancelled()) {
    cancelled_ = true;
    if (!answering_ && handle_) handle_->cancel();
  }
  release();
}

void ServerCall::release() {
  if (--uses_ > 0) return;
  ServerShared& shared = queue_.shared();
  if (counted_) shared.open_calls.fetch_sub(1);
  delete this;
  if (shared.live_calls.fetch_sub(1) == 1) shared.live_calls.notify_all();
}

}  // namespace holdfast::rpc
