#pragma once

// Channel: TLS of one connection, without a socket: bytes that came go in, bytes to be sent come out. For
// servers that read and write their sockets themselves.
//
// One thread. A failure is final: what take() has afterwards is the alert that says so.

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>

#include "holdfast/status.h"

namespace holdfast::tls {

class Channel {
 public:
  explicit Channel(std::shared_ptr<SSL_CTX> context);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // What came; what it says is appended to `plain`. UNAVAILABLE: it is not TLS, or a certificate that is not
  // trusted; the other side has been told.
  Status receive(std::string_view bytes, std::string& plain);
  // To be sent as soon as the handshake is done.
  void send(std::string_view plain);
  // Appends what is to be written.
  void take(std::string& out);

  // The common name of the client's certificate, which was verified; empty: it showed none.
  std::string peer_name() const;

 private:
  Status advance(std::string& plain);
  void flush();

  std::shared_ptr<SSL_CTX> context_;
  SSL* ssl_;
  BIO* in_;              // the SSL's
  BIO* out_;             // the SSL's
  std::string waiting_;  // plain, behind the handshake
  bool failed_ = false;
};

// The common name in the certificate that the other side showed and that was verified; empty: none.
std::string peer_name(const SSL* ssl);

}  // namespace holdfast::tls
