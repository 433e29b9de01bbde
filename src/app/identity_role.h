#pragma once

// Who may use this server: the gate of HTTP and gRPC, people's sign-in, the key that decisions are signed
// with, and TLS. Wired here and nowhere else.
//
// What is served where is decided before anything is opened (check): in the clear on loopback alone; beyond
// it with TLS, or behind a proxy that is named; and where others could come from, nobody gets in without a
// credential.
//
// Owner: Node. The parts are for any thread and outlive whoever uses them.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "app/commands.h"
#include "holdfast/environment.h"
#include "holdfast/status.h"
#include "identity/gate.h"
#include "identity/sign_in.h"
#include "platform/identity_store.h"
#include "protocol/decision.h"
#include "tls/files.h"

namespace holdfast::app {

inline constexpr const char* kLocalKeyFile = "local-key";

class IdentityRole {
 public:
  // INVALID_ARGUMENT, PERMISSION_DENIED: options that do not go together. Touches nothing.
  static Status check(const ServeOptions& options);

  static Result<std::unique_ptr<IdentityRole>> open(const ServeOptions& options,
                                                    platform::IdentityStore& store,
                                                    const Environment& environment,
                                                    const std::filesystem::path& data);
  ~IdentityRole();
  IdentityRole(const IdentityRole&) = delete;
  IdentityRole& operator=(const IdentityRole&) = delete;

  const identity::Gate& gate() const { return *gate_; }
  identity::SignIn& sign_in() { return *sign_in_; }
  identity::Directory& directory() { return *directory_; }
  // Null: in the clear.
  const std::shared_ptr<tls::Files>& http_tls() const { return http_tls_; }
  const std::shared_ptr<tls::Files>& grpc_tls() const { return grpc_tls_; }
  // For whom the HTTP server answers besides this machine (--public-url).
  std::vector<std::string> hosts() const;

  const std::string& decision_key() const { return decision_key_; }
  // As of whoever decides, with the roles that he has now.
  void sign(protocol::Decision& decision, const std::string& namespace_name) const;
  // Of links by which people decide.
  const std::string& link_key() const { return link_key_; }

  // Over a Unix socket, other users than the server's are somebody.
  bool has_socket_users() const { return !options_.socket_users.empty(); }
  // With which the first admin is made; empty: there is one, or none is needed. For whoever started the
  // server.
  const std::string& set_up_token() const { return set_up_token_; }
  // Reads the files of TLS again.
  Status reload();

 private:
  std::vector<std::string> role_names(const std::string& name, const std::string& namespace_name) const;
  IdentityRole(const ServeOptions& options, const Environment& environment)
      : options_(options), environment_(environment) {}
  Status open_tls();
  Status open_directory(platform::IdentityStore& store);
  Status write_local_key(const std::filesystem::path& data);

  const ServeOptions options_;
  const Environment& environment_;
  std::unique_ptr<Executor> writer_;
  std::unique_ptr<identity::Directory> directory_;
  std::unique_ptr<identity::Gate> gate_;
  std::unique_ptr<identity::SignIn> sign_in_;
  std::shared_ptr<tls::Files> http_tls_;
  std::shared_ptr<tls::Files> grpc_tls_;
  std::string local_key_;
  std::filesystem::path local_key_file_;
  std::string decision_seed_;
  std::string decision_key_;
  std::string link_key_;
  std::string set_up_token_;
};

}  // namespace holdfast::app
