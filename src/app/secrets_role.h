#pragma once

// The vault of named secrets and the file with its key. The file is read when the server starts, and made
// when the first secret is set and there is none; it is its user's alone, or not used.
//
// Owner: Node. Any thread; outlives whoever uses it.

#include <filesystem>
#include <memory>
#include <string>

#include "app/commands.h"
#include "grant/secret_source.h"
#include "holdfast/environment.h"
#include "holdfast/status.h"
#include "platform/secret_store.h"
#include "secrets/vault.h"

namespace holdfast::app {

inline constexpr const char* kSecretsKeyFile = "secrets.key";  // in the data directory, unless one is named

// NOT_FOUND: it is not there. PERMISSION_DENIED: others may read it. INVALID_ARGUMENT: it is no such file.
Result<secrets::KeyRing> read_key_file(const std::filesystem::path& file);
// Durable when it returns OK. ALREADY_EXISTS: there is something already.
Status write_key_file(const std::filesystem::path& file, const secrets::KeyRing& keys);

class SecretsRole final : public grant::SecretSource {
 public:
  static Result<std::unique_ptr<SecretsRole>> open(const ServeOptions& options, platform::SecretStore& store,
                                                   const Environment& environment,
                                                   const std::filesystem::path& data);

  secrets::Vault& vault() { return *vault_; }

  Result<std::string> use(const std::string& name) override { return vault_->use(name); }
  std::vector<std::string> values(const std::string& name) const override { return vault_->values(name); }
  std::uint64_t changes() const override { return vault_->changes(); }

 private:
  SecretsRole() = default;
  std::unique_ptr<Executor> writer_;
  std::unique_ptr<secrets::Vault> vault_;
};

}  // namespace holdfast::app
