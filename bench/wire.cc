#include "wire.h"

#include <utility>

namespace holdfast::bench {

struct Wire::Event {
  virtual ~Event() = default;
  virtual void finish() = 0;
  virtual void cancel() = 0;
};

struct Wire::Call : Event {
  grpc::ClientContext context;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
  grpc::ByteBuffer answer;
  grpc::Status status;
  Raw done;
  void finish() override { done(std::move(status), &answer); }
  void cancel() override { context.TryCancel(); }
};

struct Wire::Timer : Event {
  grpc::Alarm alarm;
  std::move_only_function<void()> job;
  void finish() override { job(); }
  void cancel() override { alarm.Cancel(); }
};

Wire::Wire(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(64 << 20);
  // A server that was killed is back within milliseconds: gRPC's default of a second would be what we
  // measure.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 5);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 10);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  stub_ = std::make_unique<grpc::GenericStub>(
      grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
}

Wire::~Wire() {
  close();
  run([this] { return open_.empty(); }, std::chrono::seconds(10));
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
  }
}

void Wire::start(const char* method, const grpc::ByteBuffer& request, std::chrono::milliseconds timeout,
                 Raw done) {
  auto* call = new Call;
  open_.insert(call);
  ++calls_;
  call->done = std::move(done);
  call->context.set_deadline(std::chrono::system_clock::now() + timeout);
  call->reader = stub_->PrepareUnaryCall(
      &call->context, std::string("/temporal.api.workflowservice.v1.WorkflowService/") + method, request,
      &queue_);
  call->reader->StartCall();
  call->reader->Finish(&call->answer, &call->status, static_cast<Event*>(call));
}

void Wire::after(std::chrono::milliseconds delay, std::move_only_function<void()> job) {
  auto* timer = new Timer;
  open_.insert(timer);
  timer->job = std::move(job);
  timer->alarm.Set(&queue_, std::chrono::system_clock::now() + delay, static_cast<Event*>(timer));
}

bool Wire::run(const std::function<bool()>& finished, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::system_clock::now() + timeout;
  while (!finished()) {
    void* tag = nullptr;
    bool ok = false;
    if (queue_.AsyncNext(&tag, &ok, deadline) != grpc::CompletionQueue::GOT_EVENT) return finished();
    const std::unique_ptr<Event> event(static_cast<Event*>(tag));
    open_.erase(event.get());
    event->finish();
  }
  return true;
}

void Wire::close() {
  closed_ = true;
  for (Event* event : open_) event->cancel();
}

}  // namespace holdfast::bench
