#include "rpc/server_call.h"

#include <fmt/format.h>
#include <grpc/support/time.h>

#include <chrono>
#include <utility>
#include <vector>

#include "api/field_bounds.h"
#include "api/messages.h"
#include "base/check.h"
#include "os/heap.h"
#include "wire/grpc.h"
#include "wire/gzip.h"

namespace holdfast::rpc {
namespace {

constexpr std::string_view kHealthCheck = "/grpc.health.v1.Health/Check";
// Calls that gRPC may hand over without waiting for us.
constexpr int kAcceptAhead = 16;
constexpr std::size_t kMaxClientNameBytes = 128;
// An open call without its request and reply: ours, gRPC's, the engine's. What is smaller than a quarter of
// it is not counted by itself.
constexpr std::size_t kCallBytes = 16 << 10;
constexpr std::size_t kSmallBytes = kCallBytes / 4;
// Bytes that are on their way for longer than that may end when memory is short.
constexpr std::chrono::milliseconds kSlow{100};

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

// As Temporal's SDKs look for it.
Status exhausted(std::string message, enums::ResourceExhaustedCause cause) {
  pb::errordetails::v1::ResourceExhaustedFailure detail;
  detail.set_cause(cause);
  detail.set_scope(enums::RESOURCE_EXHAUSTED_SCOPE_SYSTEM);
  return Status(Code::kResourceExhausted, std::move(message))
      .with_detail("type.googleapis.com/" + detail.GetTypeName(), detail.SerializeAsString());
}

bool may_wait(api::Method method) {
  return api::is_long_poll(method) || method == api::Method::kQueryWorkflow ||
         method == api::Method::kExecuteMultiOperation;
}

bool hands_over_tasks(api::Method method) {
  return method == api::Method::kPollWorkflowTaskQueue || method == api::Method::kPollActivityTaskQueue;
}

// Nothing is lost when its answer is refused. Others changed something, and are told so in any case.
bool may_ask_again(api::Method method) {
  using enum api::Method;
  return hands_over_tasks(method) || method == kGetWorkflowExecutionHistory ||
         method == kGetWorkflowExecutionHistoryReverse || method == kDescribeWorkflowExecution ||
         method == kQueryWorkflow || method == kPollWorkflowExecutionUpdate || method == kListNamespaces ||
         method == kListWorkflowExecutions;
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
  transfer_alarm_.Cancel();
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

void ServerQueue::watch(ServerCall& call) {
  auto& transfer = call.transfer();
  transfer = {.older = newest_, .newer = nullptr, .since = shared_.clock.monotonic(), .watched = true};
  (newest_ == nullptr ? oldest_ : newest_->transfer().newer) = &call;
  newest_ = &call;
  if (!transfer_alarm_set_) set_transfer_alarm();
}

void ServerQueue::unwatch(ServerCall& call) {
  auto& transfer = call.transfer();
  if (!std::exchange(transfer.watched, false)) return;
  (transfer.older == nullptr ? oldest_ : transfer.older->transfer().newer) = transfer.newer;
  (transfer.newer == nullptr ? newest_ : transfer.newer->transfer().older) = transfer.older;
}

void ServerQueue::set_transfer_alarm() {
  transfer_alarm_set_ = true;
  transfer_alarm_.Set(cq_.get(), to_gpr(shared_.clock.monotonic() + kSlow), &transfer_alarm_);
}

bool ServerQueue::heap_is_full() const {
  const std::size_t most = shared_.options.heap_bytes;
  if (most == 0) return false;
  return os::heap_bytes().value_or(0) > most;
}

// What takes too long ends; when memory is short, half of what is slow, the oldest first.
void ServerQueue::look_at_transfers() {
  transfer_alarm_set_ = false;
  const MonotonicTime now = shared_.clock.monotonic();
  const auto longest = shared_.options.transfer_timeout;
  while (oldest_ != nullptr && now - oldest_->transfer().since >= longest) {
    oldest_->give_up(Status(Code::kDeadlineExceeded,
                            fmt::format("the call's bytes were not through after {} ms", longest.count())));
  }
  std::size_t slow = 0;
  for (const ServerCall* call = oldest_; call != nullptr && now - call->transfer().since >= kSlow;
       call = call->transfer().newer) {
    ++slow;
  }
  if (slow > 0 && heap_is_full()) {
    for (slow = (slow + 1) / 2; slow > 0; --slow) {
      oldest_->give_up(exhausted("memory is short, and the call's bytes come or go slowly; try again later",
                                 enums::RESOURCE_EXHAUSTED_CAUSE_SYSTEM_OVERLOADED));
    }
  }
  if (oldest_ != nullptr) set_transfer_alarm();
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
  if (tag == &transfer_alarm_) {
    look_at_transfers();
  } else if (tag == nullptr) {
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
    refuse(exhausted(fmt::format("more than {} calls are open on this server; try again later",
                                 shared.options.max_open_calls),
                     enums::RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT));
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
  ServerShared& shared = queue_.shared();
  held_ = HeldMemory(kind_ == Kind::kMethod && may_wait(method_) ? shared.waiting : shared.memory);
  if (Status full = hold(kCallBytes); !full.ok()) return refuse(full);
  ++uses_;
  queue_.watch(*this);
  stream_.Read(&bytes_, &read_);
}

// Of the server's memory, from now on.
Status ServerCall::hold(std::size_t bytes) {
  Status full = held_.resize(bytes);
  return full.ok() ? full : exhausted(full.message(), enums::RESOURCE_EXHAUSTED_CAUSE_SYSTEM_OVERLOADED);
}

// Makes the request of its bytes, in this order: unpack what is packed, see what it would cost and whether
// its fields keep their bounds, and only then make objects of it. A short one costs and breaks nothing.
Status ServerCall::take_request(api::Message& request) {
  if (is_gzip(bytes_)) {
    const auto most = static_cast<std::size_t>(queue_.shared().options.max_receive_bytes);
    if (Status wrong = unpack_gzip(bytes_, most); !wrong.ok()) return wrong;
  }
  const std::size_t wire_bytes = bytes_.Length();
  std::size_t request_bytes = 0;
  if (wire_bytes > api::kSmallestBound) {
    if (Status full = hold(kCallBytes + wire_bytes); !full.ok()) return full;
    const auto checked = check_fields(bytes_, request);
    if (!checked) return checked.error();
    request_bytes = *checked > kSmallBytes ? *checked : 0;
    if (Status full = hold(kCallBytes + wire_bytes + request_bytes); !full.ok()) return full;
  }
  const bool parsed = parse(bytes_, request);
  bytes_.Clear();
  if (!parsed)
    return {Code::kInvalidArgument, fmt::format("the request is not a valid {}", request.GetTypeName())};
  return hold(kCallBytes + request_bytes);
}

void ServerCall::on_read(bool ok) {
  queue_.unwatch(*this);
  if (answering_) {
    // It took too long and was answered meanwhile.
  } else if (!ok) {
    // A message over the size limit also ends here; gRPC has then already told the client RESOURCE_EXHAUSTED.
    refuse(Code::kInvalidArgument, "the call carries no request message");
  } else if (kind_ == Kind::kHealth) {
    answer_health();
  } else {
    api::MessagePtr request = api::new_request(method_);
    if (Status wrong = take_request(*request); !wrong.ok()) {
      bytes_.Clear();
      refuse(wrong);
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
  options.memory = &held_;
  return options;
}

void ServerCall::send_answer() {
  if (cancelled_) {
    // Nobody waits any more; gRPC still wants its stream finished.
    give_back_answer();
    refuse(Code::kCancelled, "the client cancelled the call");
  } else if (!result_) {
    refuse(result_.error());
  } else {
    HF_CHECK(*result_ != nullptr);
    grpc::ByteBuffer response = serialise(**result_);
    std::size_t bytes = response.Length() > kSmallBytes ? response.Length() : 0;
    // A task is kept until it is delivered, anything else needs to be there once.
    if (hands_over_tasks(method_)) {
      bytes *= 2;
    } else {
      result_ = api::MessagePtr();
    }
    Status full = hold(kCallBytes + bytes);
    if (!full.ok() && may_ask_again(method_)) {
      give_back_answer();
      refuse(full);
    } else {
      finish_with(std::move(response));
    }
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

void ServerCall::refuse(const Status& status) {
  answering_ = true;
  ++uses_;
  stream_.Finish(to_grpc(status), &finished_);
}

// What still arrives is refused; what is not read is dropped.
void ServerCall::give_up(const Status& reason) {
  queue_.unwatch(*this);
  gave_up_ = true;
  if (answering_) {
    context_.TryCancel();
  } else {
    refuse(reason);
  }
}

void ServerCall::finish_with(grpc::ByteBuffer&& response) {
  answering_ = true;
  ++uses_;
  bytes_ = std::move(response);
  queue_.watch(*this);
  stream_.WriteAndFinish(bytes_, grpc::WriteOptions(), grpc::Status::OK, &finished_);
}

void ServerCall::on_finished(bool ok) {
  // The call was dead before the answer could go on the wire.
  if (!ok) give_back_answer();
  queue_.unwatch(*this);
  bytes_.Clear();
  release();
}

void ServerCall::on_done(bool ok) {
  if (context_.IsCancelled()) {
    cancelled_ = true;
    if (!answering_ && handle_) handle_->cancel();
    // Neither we ended it nor its time.
    const auto deadline = from_gpr(context_.raw_deadline());
    if (!gave_up_ && !queue_.shared().stopping &&
        (!deadline || queue_.shared().clock.monotonic() < *deadline))
      queue_.shared().connections->on_reset(context_.peer());
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
