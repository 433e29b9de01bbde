#pragma once

// connect(): the front door. One line for a program that has a server's address:
//
//   auto server = holdfast::connect("127.0.0.1:7233");
//   Worker worker(server, WorkerOptions("hello"));
//   Client client(server);
//
// The server is Holdfast, a Temporal cluster or Temporal Cloud. connect() does not wait for it: the
// connection is made with the first call and remade by itself. It owns the machine's clock and entropy and
// one thread for all answers; what is Connection's own (copies, lifetime) stands in holdfast/connection.h.
//
// Errors are gRPC's codes. INVALID_ARGUMENT, here and at once, in Connection::status(): the address or the
// options make no sense; Worker::start() and every call of a Client fail with the same status. Later, from
// the calls themselves: UNAVAILABLE when nobody answers, UNAUTHENTICATED and PERMISSION_DENIED when the
// server does not accept who we are, NOT_FOUND for a namespace that it does not have.
// Client::server_version() is a call that asks for nothing else.

#include <string>
#include <string_view>
#include <utility>

#include "holdfast/connection.h"
#include "holdfast/options.h"
#include "holdfast/public.h"

namespace holdfast HOLDFAST_PUBLIC {

// What a server may want to know besides its address. Plaintext unless something here, or the address, asks
// for TLS.
class ConnectOptions {
 public:
  ConnectOptions() = default;
  // Of clients and workers that name none; empty: "default". Also sent as metadata `temporal-namespace`,
  // which Temporal Cloud routes by.
  HOLDFAST_OPTION(ConnectOptions, std::string, namespace_name)
 public:
  ConnectOptions& tls(bool value = true) { return tls_ = value, *this; }
  // PEM text, not paths. Each turns TLS on.
  ConnectOptions& server_ca(std::string pem) { return server_ca_ = std::move(pem), tls(); }
  ConnectOptions& client_certificate(std::string cert_pem, std::string key_pem) {
    return client_cert_ = std::move(cert_pem), client_key_ = std::move(key_pem), tls();
  }
  // The name the server's certificate is checked against, when it is not the host.
  ConnectOptions& server_name(std::string value) { return server_name_ = std::move(value), tls(); }
  // Sent as `authorization: Bearer`; never over plaintext, so it turns TLS on.
  ConnectOptions& api_key(std::string value) { return api_key_ = std::move(value), tls(); }

  bool uses_tls() const { return tls_; }
  const std::string& server_ca() const { return server_ca_; }
  const std::string& client_cert() const { return client_cert_; }
  const std::string& client_key() const { return client_key_; }
  const std::string& server_name() const { return server_name_; }
  const std::string& api_key() const { return api_key_; }

 private:
  bool tls_ = false;
  std::string server_ca_;
  std::string client_cert_;
  std::string client_key_;
  std::string server_name_;
  std::string api_key_;
};

// `address`: "HOST:PORT", "[V6]:PORT", "temporal://HOST:PORT", or "temporals://HOST:PORT" for TLS; without
// a port 7233 is meant. Or "unix:PATH", a socket of this machine: no TLS, and a key is sent if there is one.
// Anything else in it (a path, a query, another scheme) is refused, not ignored.
Connection connect(std::string_view address, const ConnectOptions& options = {});

}  // namespace holdfast HOLDFAST_PUBLIC
