#include "tls/files.h"

#include <fmt/format.h>
#include <openssl/err.h>

#include <utility>

namespace holdfast::tls {

namespace {

constexpr std::chrono::seconds kLookEvery{1};

// What OpenSSL says, newest first; its queue is of the thread.
std::string reason() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* text = ERR_reason_error_string(code);
  return text != nullptr ? text : "it cannot be read";
}

std::unexpected<Status> wrong(const std::string& file) {
  return fail(Code::kInvalidArgument, fmt::format("TLS: {}: {}", file, reason()));
}

// Exactly one protocol is spoken on a port: a client that offers others gets none of them.
int choose_protocol(SSL* /*ssl*/, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned int size, void* argument) {
  const auto& ours = *static_cast<const std::string*>(argument);
  unsigned char* chosen = nullptr;
  const int found =
      SSL_select_next_proto(&chosen, out_size, reinterpret_cast<const unsigned char*>(ours.data()),
                            static_cast<unsigned>(ours.size()), offered, size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// A context, and what its callbacks point to.
struct Made {
  std::string protocol;
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  ~Made() { SSL_CTX_free(context); }
};

Result<std::shared_ptr<SSL_CTX>> read(const FilesOptions& options) {
  ERR_clear_error();
  auto made = std::make_shared<Made>();
  SSL_CTX* context = made->context;
  if (context == nullptr) return fail(Code::kResourceExhausted, "TLS: " + reason());
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context,
                      SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (SSL_CTX_use_certificate_chain_file(context, options.certificate.c_str()) != 1)
    return wrong(options.certificate);
  if (SSL_CTX_use_PrivateKey_file(context, options.key.c_str(), SSL_FILETYPE_PEM) != 1)
    return wrong(options.key);
  if (SSL_CTX_check_private_key(context) != 1) return wrong(options.key);
  if (!options.client_ca.empty()) {
    if (SSL_CTX_load_verify_locations(context, options.client_ca.c_str(), nullptr) != 1)
      return wrong(options.client_ca);
    SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(options.client_ca.c_str()));
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>("holdfast"), 8);
  }
  if (!options.protocol.empty()) {
    made->protocol = static_cast<char>(options.protocol.size()) + options.protocol;
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, &made->protocol);
  }
  return std::shared_ptr<SSL_CTX>(made, context);
}

}  // namespace

Result<std::shared_ptr<Files>> Files::open(FilesOptions options) {
  std::shared_ptr<Files> out(new Files(std::move(options)));
  if (Status status = out->reload(); !status.ok()) return fail(std::move(status));
  return out;
}

std::vector<std::filesystem::file_time_type> Files::times() const {
  std::vector<std::filesystem::file_time_type> out;
  for (const std::string* file : {&options_.certificate, &options_.key, &options_.client_ca}) {
    std::error_code ignored;
    if (!file->empty()) out.push_back(std::filesystem::last_write_time(*file, ignored));
  }
  return out;
}

Status Files::reload() {
  const std::lock_guard lock(mutex_);
  read_at_ = times();
  looked_at_ = options_.clock->monotonic();
  auto context = read(options_);
  if (!context) return context.error();
  context_ = *std::move(context);
  return {};
}

std::shared_ptr<SSL_CTX> Files::context() {
  const std::lock_guard lock(mutex_);
  const MonotonicTime now = options_.clock->monotonic();
  if (now - looked_at_ < kLookEvery) return context_;
  looked_at_ = now;
  auto now_there = times();
  if (now_there == read_at_) return context_;
  read_at_ = std::move(now_there);
  if (auto context = read(options_)) {
    context_ = *std::move(context);
  } else if (options_.complain) {
    options_.complain(context.error().message() + "; what was there before stays in use");
  }
  return context_;
}

}  // namespace holdfast::tls
