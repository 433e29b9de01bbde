#pragma once

// GrpcConnection: an api::Connection to a WorkflowService elsewhere: our own server, a Temporal cluster,
// Temporal Cloud.
//
// Owner: whoever opened it. Threads: one of its own runs the completion queue; completions run on the
// executor named in the call's options, or inline on that thread (then they must be short and must not
// block). Errors arrive as the Status the server sent, typed details included; a server that cannot be
// reached is kUnavailable, one that does not answer in time kDeadlineExceeded. Nothing is retried here.
// Destroying it cancels open calls, waits for their completions and joins the thread. Never destroy it on
// that thread.

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "api/connection.h"
#include "holdfast/status.h"

namespace holdfast::rpc {

// Where to connect and how to prove who we are. Plaintext unless tls() or api_key() asks for more.
class GrpcTarget {
 public:
  GrpcTarget() = default;
  explicit GrpcTarget(std::string address) : address_(std::move(address)) {}

  // "temporal://HOST:PORT", "HOST:PORT"; "temporals://HOST:PORT" asks for TLS. The port defaults to 7233.
  static Result<GrpcTarget> parse(std::string_view text);

  GrpcTarget& address(std::string value) { return address_ = std::move(value), *this; }
  GrpcTarget& tls(bool value = true) { return tls_ = value, *this; }
  // PEM text, not paths. Each turns TLS on.
  GrpcTarget& server_ca(std::string pem) { return server_ca_ = std::move(pem), tls(); }
  GrpcTarget& client_certificate(std::string cert_pem, std::string key_pem) {
    return client_cert_ = std::move(cert_pem), client_key_ = std::move(key_pem), tls();
  }
  // The name the server's certificate is checked against, when it is not the host.
  GrpcTarget& server_name(std::string value) { return server_name_ = std::move(value), tls(); }
  // Sent as `authorization: Bearer`; never over plaintext, so it turns TLS on.
  GrpcTarget& api_key(std::string value) { return api_key_ = std::move(value), tls(); }
  // Sent as metadata `temporal-namespace`, which Temporal Cloud routes by. Empty: not sent.
  GrpcTarget& namespace_header(std::string value) { return namespace_ = std::move(value), *this; }

  const std::string& address() const { return address_; }
  bool uses_tls() const { return tls_; }
  const std::string& server_ca() const { return server_ca_; }
  const std::string& client_cert() const { return client_cert_; }
  const std::string& client_key() const { return client_key_; }
  const std::string& server_name() const { return server_name_; }
  const std::string& api_key() const { return api_key_; }
  const std::string& namespace_header() const { return namespace_; }

 private:
  std::string address_ = "127.0.0.1:7233";
  bool tls_ = false;
  std::string server_ca_;
  std::string client_cert_;
  std::string client_key_;
  std::string server_name_;
  std::string api_key_;
  std::string namespace_;
};

class GrpcConnection final : public api::Connection {
 public:
  static constexpr std::chrono::seconds kDefaultDeadline{10};
  static constexpr std::chrono::seconds kLongPollDeadline{70};
  static constexpr int kMaxReceiveBytes = 64 << 20;

  // Does not wait for the peer: the channel connects with the first call and reconnects by itself.
  static Result<std::unique_ptr<GrpcConnection>> open(const GrpcTarget& target);
  ~GrpcConnection() override;
  GrpcConnection(const GrpcConnection&) = delete;
  GrpcConnection& operator=(const GrpcConnection&) = delete;

  std::shared_ptr<api::CallHandle> start(api::Method method, api::MessagePtr request,
                                         api::CallOptions options, api::Completion done) override;

  // True once a connection to the peer stands, or false at the timeout.
  bool wait_until_connected(std::chrono::milliseconds timeout);

 private:
  struct Impl;
  explicit GrpcConnection(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::rpc
