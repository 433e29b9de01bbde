#include "connect/grpc_connection.h"

#include <absl/synchronization/mutex.h>
#include <fmt/format.h>
#include <grpc/support/time.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <pthread.h>

#include <mutex>
#include <thread>
#include <unordered_set>

#include "api/messages.h"
#include "connect/grpc_messages.h"
#include "os/address.h"
#include "os/unix_socket.h"

namespace holdfast::rpc {
namespace {

constexpr std::uint16_t kDefaultPort = 7233;
// gRPC's own defaults are a second to start with and two minutes at most: a restarted server would be missed
// for long.
constexpr int kInitialReconnectMs = 20;
constexpr int kMaxReconnectMs = 500;
constexpr int kConnectTimeoutMs = 5000;
constexpr int kKeepaliveTimeMs = 30'000;
constexpr int kKeepaliveTimeoutMs = 15'000;
constexpr int kMaxMetadataBytes = 64 << 10;

gpr_timespec call_deadline(api::Method method, const std::optional<MonotonicTime>& wanted) {
  if (wanted) return to_gpr(*wanted);
  const auto wait =
      api::is_long_poll(method) ? GrpcConnection::kLongPollDeadline : GrpcConnection::kDefaultDeadline;
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_seconds(wait.count(), GPR_TIMESPAN));
}

// One call. The tag of its completion is the object itself, which keeps itself alive until then.
class ClientCall final : public api::CallHandle {
 public:
  void cancel() override { context.TryCancel(); }

  api::Method method{};
  grpc::ClientContext context;
  grpc::ByteBuffer response;
  grpc::Status status;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
  Executor* executor = nullptr;
  api::Completion done;
  std::shared_ptr<ClientCall> self;

  Result<api::MessagePtr> result() {
    if (!status.ok()) return fail(from_grpc(status));
    api::MessagePtr message = api::new_response(method);
    if (!parse(response, *message)) {
      return fail(Code::kInternal,
                  fmt::format("the server's answer is not a valid {}", message->GetTypeName()));
    }
    return message;
  }
};

std::shared_ptr<grpc::ChannelCredentials> credentials(const ConnectOptions& options) {
  if (!options.uses_tls()) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions ssl;
  ssl.pem_root_certs = options.server_ca();
  ssl.pem_cert_chain = options.client_cert();
  ssl.pem_private_key = options.client_key();
  return grpc::SslCredentials(ssl);
}

grpc::ChannelArguments channel_arguments(const ConnectOptions& options) {
  grpc::ChannelArguments args;
  args.SetMaxReceiveMessageSize(GrpcConnection::kMaxReceiveBytes);
  args.SetMaxSendMessageSize(-1);  // the server has the say
  args.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kInitialReconnectMs);
  args.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kMaxReconnectMs);
  args.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectTimeoutMs);
  args.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveTimeMs);
  args.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  args.SetInt(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  // Each connection has a socket of its own: connections are opened to spread load.
  args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // Retries belong to callers who know what may be repeated.
  args.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  if (!options.server_name().empty()) args.SetSslTargetNameOverride(options.server_name());
  return args;
}

}  // namespace

struct GrpcConnection::Impl {
  Impl(const std::string& host_port, ConnectOptions options_in)
      : options(std::move(options_in)),
        channel(grpc::CreateCustomChannel(host_port, credentials(options), channel_arguments(options))),
        stub(channel) {
    // Debian builds Abseil with its search for lock cycles on, in every lock gRPC takes.
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
    thread = std::thread([this] { loop(); });
    ::pthread_setname_np(thread.native_handle(), "hf-rpc-client");
  }

  ~Impl() {
    {
      const std::lock_guard lock(mutex);
      for (const auto& call : open) call->cancel();
    }
    queue.Shutdown();
    thread.join();
  }

  void loop() {
    void* tag = nullptr;
    bool ok = false;
    while (queue.Next(&tag, &ok)) finish(static_cast<ClientCall*>(tag));
  }

  void finish(ClientCall* raw) {
    const std::shared_ptr<ClientCall> call = std::move(raw->self);
    {
      const std::lock_guard lock(mutex);
      open.erase(raw);
    }
    Result<api::MessagePtr> result = call->result();
    if (call->executor == nullptr) {
      call->done(std::move(result));
      return;
    }
    call->executor->post(
        [done = std::move(call->done), result = std::move(result)]() mutable { done(std::move(result)); });
  }

  std::shared_ptr<ClientCall> prepare(api::Method method, const api::CallOptions& wanted) const {
    auto call = std::make_shared<ClientCall>();
    call->method = method;
    call->executor = wanted.executor;
    call->context.set_deadline(call_deadline(method, wanted.deadline));
    call->context.AddMetadata("client-name", wanted.client_name);
    call->context.AddMetadata("client-version", wanted.client_version);
    if (!options.namespace_name().empty())
      call->context.AddMetadata("temporal-namespace", options.namespace_name());
    if (!options.api_key().empty()) call->context.AddMetadata("authorization", "Bearer " + options.api_key());
    return call;
  }

  const ConnectOptions options;
  std::shared_ptr<grpc::Channel> channel;
  grpc::GenericStub stub;
  grpc::CompletionQueue queue;
  std::mutex mutex;
  std::unordered_set<ClientCall*> open;  // guarded by mutex
  std::thread thread;
};

Result<GrpcAddress> GrpcAddress::parse(std::string_view text) {
  GrpcAddress read;
  std::string_view rest = text;
  if (rest.starts_with("temporals://")) {
    rest.remove_prefix(std::string_view("temporals://").size());
    read.tls = true;
  } else if (rest.starts_with("temporal://")) {
    rest.remove_prefix(std::string_view("temporal://").size());
  } else if (rest.find("://") != std::string_view::npos) {
    return fail(
        Code::kInvalidArgument,
        fmt::format("engine \"{}\": expected temporal://HOST:PORT, or temporals://HOST:PORT for TLS", text));
  }
  if (const auto path = os::unix_path(text)) {
    if (path->empty()) return fail(Code::kInvalidArgument, "engine \"unix:\": a Unix socket is unix:PATH");
    read.host_port = text;
    read.is_socket = true;
    return read;
  }
  if (rest.ends_with('/')) rest.remove_suffix(1);
  auto address = os::parse_host_port(rest, kDefaultPort);
  if (!address) return fail(address.error());
  if (address->port == 0)
    return fail(Code::kInvalidArgument, fmt::format("engine \"{}\": the port must not be 0", text));
  read.host_port = address->to_string();
  return read;
}

Result<std::unique_ptr<GrpcConnection>> GrpcConnection::open(std::string_view address,
                                                             const ConnectOptions& options) {
  auto read = GrpcAddress::parse(address);
  if (!read) return fail(read.error());
  if (options.client_cert().empty() != options.client_key().empty()) {
    return fail(Code::kInvalidArgument,
                "a client certificate needs its private key, and the other way round");
  }
  ConnectOptions complete = options;
  if (read->tls) complete.tls();
  if (read->is_socket) {
    if (!(options.client_cert().empty() && options.server_ca().empty() && options.server_name().empty()))
      return fail(Code::kInvalidArgument, "over a Unix socket there is no TLS: leave its options out");
    complete.tls(false);  // an API key goes no further than this machine
  } else if (!complete.uses_tls() && !(options.api_key().empty() && options.client_key().empty())) {
    return fail(Code::kInvalidArgument, "an API key or a client certificate is never sent without TLS");
  }
  return std::unique_ptr<GrpcConnection>(
      new GrpcConnection(std::make_unique<Impl>(read->host_port, std::move(complete))));
}

GrpcConnection::GrpcConnection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

GrpcConnection::~GrpcConnection() = default;

std::shared_ptr<api::CallHandle> GrpcConnection::start(api::Method method, api::MessagePtr request,
                                                       api::CallOptions options, api::Completion done) {
  auto call = impl_->prepare(method, options);
  call->done = std::move(done);
  call->self = call;
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->open.insert(call.get());
  }
  // From Finish on the call may end at any moment; `call` keeps it for the caller.
  call->reader = impl_->stub.PrepareUnaryCall(&call->context, api::method_path(method), serialise(*request),
                                              &impl_->queue);
  call->reader->StartCall();
  call->reader->Finish(&call->response, &call->status, call.get());
  return call;
}

bool GrpcConnection::wait_until_connected(std::chrono::milliseconds timeout) {
  return impl_->channel->WaitForConnected(
      gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(timeout.count(), GPR_TIMESPAN)));
}

}  // namespace holdfast::rpc
