#include "rpc/server.h"

#include <absl/synchronization/mutex.h>
#include <fmt/format.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/impl/codegen/method_handler.h>
#include <grpcpp/impl/codegen/rpc_service_method.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <mutex>
#include <string>
#include <vector>

#include "os/address.h"
#include "rpc/server_call.h"
#include "temporal/api/operatorservice/v1/service.pb.h"
#include "temporal/api/workflowservice/v1/service.pb.h"

namespace holdfast::rpc {
namespace {

constexpr std::uint16_t kDefaultPort = 7233;
// Pings of the SDKs' keep-alives, more often than which a client is shown the door.
constexpr int kMinPingIntervalMs = 5000;

// Server reflection lists the services that are registered with gRPC; the generic service is none. This one
// has the name of one of ours and a method nobody calls.
class NameForReflection final : public grpc::Service {
 public:
  explicit NameForReflection(std::string_view service) : path_("/" + std::string(service) + "/-") {
    AddMethod(
        new grpc::internal::RpcServiceMethod(path_.c_str(), grpc::internal::RpcMethod::NORMAL_RPC,
                                             new grpc::internal::UnknownMethodHandler("no such method")));
  }

 private:
  const std::string path_;  // gRPC keeps the pointer
};

// The linker takes the services' descriptors out of their library only when something there is used.
void keep_service_descriptors() {
  static const google::protobuf::internal::AddDescriptorsRunner workflow(
      &descriptor_table_temporal_2fapi_2fworkflowservice_2fv1_2fservice_2eproto);
  static const google::protobuf::internal::AddDescriptorsRunner operators(
      &descriptor_table_temporal_2fapi_2foperatorservice_2fv1_2fservice_2eproto);
}

void configure(grpc::ServerBuilder& builder, const ServerOptions& options, std::size_t quota_bytes) {
  grpc::ResourceQuota quota("holdfast");
  quota.Resize(quota_bytes);
  builder.SetResourceQuota(quota);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.max_streams);
  // It would unpack without a bound; we do it (wire/gzip.h).
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  builder.SetMaxReceiveMessageSize(options.max_receive_bytes);
  builder.SetMaxSendMessageSize(options.max_send_bytes);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kMinPingIntervalMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  // Reflection is the only synchronous service: one thread waits for it.
  builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MIN_POLLERS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 1);
}

}  // namespace

Result<os::HostPort> listen_address(const std::string& text) {
  auto address = os::parse_host_port(text, kDefaultPort);
  if (!address) return address;
  if (!os::is_loopback(*address)) {
    return fail(
        Code::kPermissionDenied,
        fmt::format(
            "refusing to listen on {}: there is no authentication yet, so only loopback addresses are "
            "allowed; use 127.0.0.1:{}",
            address->to_string(), address->port));
  }
  if (address->host == "localhost") address->host = "127.0.0.1";
  if (Status status = os::check_bindable(*address); !status.ok()) return fail(std::move(status));
  return address;
}

struct Server::Impl {
  Impl(api::Connection& connection, const ServerOptions& wanted)
      : options(wanted), shared(connection, options) {}

  ServerOptions options;
  ServerShared shared;
  NameForReflection workflow_service{api::kServiceName};
  NameForReflection operator_service{api::kOperatorServiceName};
  std::unique_ptr<Connections> connections;
  std::vector<std::unique_ptr<ServerQueue>> queues;
  std::unique_ptr<grpc::Server> server;
  os::HostPort bound;
  std::string address;
  std::once_flag stopped;
};

Result<std::unique_ptr<Server>> Server::start(api::Connection& connection, const ServerOptions& options) {
  auto address = listen_address(options.address);
  if (!address) return fail(address.error());
  keep_service_descriptors();
  // Debian builds Abseil with its search for lock cycles on, in every lock gRPC takes.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();

  auto impl = std::make_unique<Impl>(connection, options);
  grpc::ServerBuilder builder;
  configure(builder, options,
            options.transport_bytes != 0 ? options.transport_bytes : impl->shared.memory.limit());
  auto connections = Connections::listen(*address, options.connections, impl->shared.clock);
  if (!connections) return fail(std::move(connections.error()));
  impl->connections = *std::move(connections);
  impl->shared.connections = impl->connections.get();
  auto acceptor = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      grpc::InsecureServerCredentials());
  builder.RegisterService(&impl->workflow_service);
  builder.RegisterService(&impl->operator_service);
  builder.RegisterAsyncGenericService(&impl->shared.service);
  for (int i = 0; i < std::max(1, options.threads); ++i) {
    impl->queues.push_back(std::make_unique<ServerQueue>(impl->shared, builder.AddCompletionQueue()));
  }
  impl->server = builder.BuildAndStart();
  if (!impl->server) {
    for (auto& queue : impl->queues) queue->finish();
    return fail(Code::kUnavailable, fmt::format("gRPC cannot serve {}", address->to_string()));
  }
  impl->bound = {address->host, impl->connections->port()};
  impl->address = impl->bound.to_string();
  for (auto& queue : impl->queues) queue->run();
  impl->connections->start(std::move(acceptor));
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() {
  stop(std::chrono::milliseconds(0));
}

std::uint16_t Server::port() const {
  return impl_->bound.port;
}

const std::string& Server::address() const {
  return impl_->address;
}

void Server::stop(std::chrono::milliseconds grace) {
  std::call_once(impl_->stopped, [&] {
    impl_->shared.stopping = true;
    impl_->connections->stop();
    // Returns when every call has been answered, after the grace with a cancellation.
    impl_->server->Shutdown(
        gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(grace.count(), GPR_TIMESPAN)));
    // The connection's completions of cancelled calls may still be under way; their queue must be there for
    // them.
    auto& live = impl_->shared.live_calls;
    for (std::size_t left = live.load(); left != 0; left = live.load()) live.wait(left);
    for (auto& queue : impl_->queues) queue->finish();
    impl_->server->Wait();
  });
}

}  // namespace holdfast::rpc
