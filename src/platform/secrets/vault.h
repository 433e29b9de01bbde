#pragma once

// Vault: named secrets of one namespace. They go in and do not come out again, but to who uses them: a value
// is sealed with a key that is not in the store (key_ring.h) and opened when it is used. What it is sealed
// for is its namespace, name and version, so a row that is moved or put back does not pass for another.
//
// Owner: app. Thread-safe; calls block on the store. `writer` notes when secrets were used, at its leisure.
// Store, clock, random and writer outlive it.
//
// Failures name the secret and what to do, never a value: NOT_FOUND, INVALID_ARGUMENT, RESOURCE_EXHAUSTED;
// FAILED_PRECONDITION: the key is not here; DATA_LOSS: the key is, and the row does not open.

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "platform/secret_store.h"
#include "secrets/key_ring.h"

namespace holdfast::secrets {

inline constexpr std::size_t kMaxSecrets = 1000;  // of a namespace
inline constexpr std::size_t kMaxSecretBytes = 64 << 10;
inline constexpr std::size_t kMaxSecretName = 64;
// Of values that were replaced or deleted, which are looked for in texts until the process ends.
inline constexpr std::size_t kMaxFormerBytes = 8 << 20;

// Letters, digits and _ . - ; INVALID_ARGUMENT.
Status check_secret_name(std::string_view name);

struct SecretInfo {
  platform::SecretRow row;  // without what is sealed
  bool readable = true;     // its key is here
};

struct VaultOptions {
  std::string namespace_name;
  KeyRing keys;          // empty: there is no file of them yet
  std::string key_file;  // named in failures
  // Makes and keeps the first key, when the first secret is set and there was none. Empty: nobody does.
  std::function<Result<KeyRing>()> make_key;
};

class Vault {
 public:
  // Seals again, with the current key, whatever is sealed with an older one.
  static Result<std::unique_ptr<Vault>> open(VaultOptions options, platform::SecretStore& store,
                                             const Clock& clock, Random& random, Executor& writer);
  ~Vault();
  Vault(const Vault&) = delete;
  Vault& operator=(const Vault&) = delete;

  // The next version of it. `by`: who does it.
  Result<SecretInfo> set(const std::string& name, const std::string& value, const std::string& by);
  Status erase(const std::string& name, const std::string& by);
  Result<std::vector<SecretInfo>> list() const;  // by name

  // As it is now, for who uses it.
  Result<std::string> use(const std::string& name);
  // All that it was since this process began, for who leaves it out of texts. Notes no use.
  std::vector<std::string> values(const std::string& name) const;
  // Another number whenever values() may say something else.
  std::uint64_t changes() const { return changes_; }
  // How many are sealed with a key that is not here, and with which; of the start.
  const std::map<std::string, std::size_t>& unreadable() const { return unreadable_; }
  // How many were sealed again at the start.
  std::size_t resealed() const { return resealed_; }

 private:
  Vault(VaultOptions options, platform::SecretStore& store, const Clock& clock, Random& random,
        Executor& writer);
  Status reseal_all();
  Status have_key();
  Result<std::vector<platform::SecretRow>> rows() const;
  Result<std::string> opened(const platform::SecretRow& row) const;
  void seal_into(platform::SecretRow& row, std::string_view value);
  void remember(const std::string& name, std::string value);
  void note_use(const std::string& name);
  void write_uses();

  VaultOptions options_;
  platform::SecretStore& store_;
  const Clock& clock_;
  Random& random_;
  Executor& writer_;
  std::mutex writing_;  // before mutex_
  mutable std::mutex mutex_;
  KeyRing keys_;                                                 // guarded by mutex_
  std::multimap<std::string, std::string, std::less<>> former_;  // guarded by mutex_
  std::size_t former_bytes_ = 0;                                 // guarded by mutex_
  std::map<std::string, WallTime> used_;                         // guarded by mutex_: when each was last
  std::map<std::string, WallTime> unwritten_;                    // guarded by mutex_: of those
  std::atomic<std::uint64_t> changes_ = 0;
  std::map<std::string, std::size_t> unreadable_;
  std::size_t resealed_ = 0;
  // For jobs of the writer, which may come when the vault has gone.
  struct Self {
    std::mutex mutex;
    Vault* vault = nullptr;  // guarded by mutex
  };
  std::shared_ptr<Self> self_ = std::make_shared<Self>();
};

}  // namespace holdfast::secrets
