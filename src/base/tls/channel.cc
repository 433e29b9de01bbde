#include "tls/channel.h"

#include <openssl/err.h>
#include <openssl/x509.h>

#include <array>

#include "base/check.h"

namespace holdfast::tls {

Channel::Channel(std::shared_ptr<SSL_CTX> context)
    : context_(std::move(context)),
      ssl_(SSL_new(context_.get())),
      in_(BIO_new(BIO_s_mem())),
      out_(BIO_new(BIO_s_mem())) {
  HF_CHECK(ssl_ != nullptr && in_ != nullptr && out_ != nullptr);
  SSL_set_bio(ssl_, in_, out_);
  SSL_set_accept_state(ssl_);
}

Channel::~Channel() {
  SSL_free(ssl_);
}

Status Channel::receive(std::string_view bytes, std::string& plain) {
  if (failed_) return {Code::kUnavailable, "the connection has failed"};
  if (BIO_write(in_, bytes.data(), static_cast<int>(bytes.size())) != static_cast<int>(bytes.size()))
    return {Code::kResourceExhausted, "there is no memory for what came"};
  return advance(plain);
}

Status Channel::advance(std::string& plain) {
  ERR_clear_error();
  const auto goes_on = [&](int done) {
    const int error = SSL_get_error(ssl_, done);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
  };
  if (!SSL_is_init_finished(ssl_)) {
    if (const int done = SSL_do_handshake(ssl_); done != 1) {
      if (goes_on(done)) return {};
      failed_ = true;
      const char* reason = ERR_reason_error_string(ERR_peek_last_error());
      ERR_clear_error();
      return {Code::kUnavailable, reason != nullptr ? reason : "the handshake of TLS failed"};
    }
  }
  flush();
  std::array<char, 16 << 10> piece;
  while (true) {
    const int got = SSL_read(ssl_, piece.data(), static_cast<int>(piece.size()));
    if (got > 0) {
      plain.append(piece.data(), static_cast<std::size_t>(got));
      continue;
    }
    if (goes_on(got)) return {};
    failed_ = true;
    ERR_clear_error();
    return {Code::kUnavailable, "the client has ended TLS"};
  }
}

void Channel::send(std::string_view plain) {
  waiting_ += plain;
  flush();
}

void Channel::flush() {
  if (failed_ || !SSL_is_init_finished(ssl_)) return;
  while (!waiting_.empty()) {
    const int sent = SSL_write(ssl_, waiting_.data(), static_cast<int>(waiting_.size()));
    if (sent <= 0) return;  // memory takes all there is; it cannot want to read without renegotiation
    waiting_.erase(0, static_cast<std::size_t>(sent));
  }
}

void Channel::take(std::string& out) {
  std::array<char, 16 << 10> piece;
  while (true) {
    const int got = BIO_read(out_, piece.data(), static_cast<int>(piece.size()));
    if (got <= 0) return;
    out.append(piece.data(), static_cast<std::size_t>(got));
  }
}

std::string Channel::peer_name() const {
  return tls::peer_name(ssl_);
}

std::string peer_name(const SSL* ssl) {
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(SSL_get1_peer_certificate(ssl), X509_free);
  if (!certificate || SSL_get_verify_result(ssl) != X509_V_OK) return {};
  std::array<char, 256> name{};
  const int size = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName,
                                             name.data(), static_cast<int>(name.size()));
  return size > 0 ? std::string(name.data(), static_cast<std::size_t>(size)) : std::string();
}

}  // namespace holdfast::tls
