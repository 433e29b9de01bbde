#include "app/secrets_role.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "app/output.h"

namespace holdfast::app {

namespace fs = std::filesystem;

namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  const int fd_;
};

Status cannot(std::string_view what, const fs::path& file) {
  const int error = errno;
  const Code code = error == ENOENT                     ? Code::kNotFound
                    : error == EEXIST                   ? Code::kAlreadyExists
                    : error == EACCES || error == EPERM ? Code::kPermissionDenied
                                                        : Code::kUnavailable;
  return {code, fmt::format("the key of stored secrets: cannot {} {}: {}", what, file.string(),
                            std::strerror(error))};
}

Status sync_folder(const fs::path& folder) {
  const Descriptor it(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return it.get() >= 0 && ::fsync(it.get()) == 0 ? Status() : cannot("write", folder);
}

// How many secrets cannot be read, and what would help: said once, at the start.
void tell_unreadable(const secrets::Vault& vault, const fs::path& file) {
  for (const auto& [key, count] : vault.unreadable()) {
    complain(fmt::format(
        "{} stored {} sealed with the key {}, which {} does not hold: whatever uses {} fails. "
        "Start with the file that holds it (--secrets-key, or --older-secrets-key beside a "
        "new one), or set the secrets again",
        count, count == 1 ? "secret is" : "secrets are", key, file.string(), count == 1 ? "it" : "them"));
  }
}

}  // namespace

Result<secrets::KeyRing> read_key_file(const fs::path& file) {
  const Descriptor in(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (in.get() < 0) return fail(cannot("read", file));
  struct stat found{};
  if (::fstat(in.get(), &found) != 0) return fail(cannot("read", file));
  if (!S_ISREG(found.st_mode))
    return fail(Code::kInvalidArgument, fmt::format("{} is no file with a key of secrets", file.string()));
  if ((found.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fail(Code::kPermissionDenied,
                fmt::format("{} holds the key of stored secrets, and others than its owner may read it (mode "
                            "{:04o}): chmod 600 it, and if somebody may have, make a new key and set the "
                            "secrets again",
                            file.string(), found.st_mode & 07777));
  }
  std::string text(secrets::kMaxKeyFileBytes + 1, '\0');
  std::size_t length = 0;
  while (length < text.size()) {
    const ssize_t count = ::read(in.get(), text.data() + length, text.size() - length);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(cannot("read", file));
    if (count == 0) break;
    length += static_cast<std::size_t>(count);
  }
  if (length > secrets::kMaxKeyFileBytes) {
    return fail(Code::kInvalidArgument, fmt::format("{} has more than {} bytes: it is no file with a key of "
                                                    "secrets",
                                                    file.string(), secrets::kMaxKeyFileBytes));
  }
  text.resize(length);
  return secrets::KeyRing::parse(text, file.string());
}

Status write_key_file(const fs::path& file, const secrets::KeyRing& keys) {
  const std::string text = keys.text();
  {
    const Descriptor out(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (out.get() < 0) return cannot("write", file);
    for (std::size_t at = 0; at < text.size();) {
      const ssize_t count = ::write(out.get(), text.data() + at, text.size() - at);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return cannot("write", file);
      at += static_cast<std::size_t>(count);
    }
    if (::fsync(out.get()) != 0) return cannot("write", file);
  }
  return sync_folder(file.has_parent_path() ? file.parent_path() : fs::path("."));
}

Result<std::unique_ptr<SecretsRole>> SecretsRole::open(const ServeOptions& options,
                                                       platform::SecretStore& store,
                                                       const Environment& environment, const fs::path& data) {
  const fs::path file = options.secrets_key ? fs::path(*options.secrets_key) : data / kSecretsKeyFile;
  secrets::VaultOptions wanted;
  wanted.namespace_name = options.namespace_name;
  wanted.key_file = file.string();
  auto keys = read_key_file(file);
  if (!keys && keys.error().code() != Code::kNotFound) return fail(keys.error());
  if (keys) wanted.keys = *std::move(keys);
  for (const std::string& older : options.older_secrets_keys) {
    auto read = read_key_file(older);
    if (!read) return fail(read.error());
    // Alone it would be the key that new secrets are sealed with.
    if (wanted.keys.empty()) {
      return fail(
          Code::kInvalidArgument,
          fmt::format("--older-secrets-key goes with a newer one, and {} is not there: `holdfast secret "
                      "new-key {}` makes it",
                      file.string(), file.string()));
    }
    if (Status status = wanted.keys.add_older(*read); !status.ok()) return fail(std::move(status));
  }
  wanted.make_key = [file, &environment]() -> Result<secrets::KeyRing> {
    auto fresh = secrets::KeyRing::fresh(environment.random());
    if (Status status = write_key_file(file, fresh); !status.ok()) return fail(std::move(status));
    complain(fmt::format("made {}: stored secrets are sealed with it; keep a copy of it apart from backups",
                         file.string()));
    return fresh;
  };
  std::unique_ptr<SecretsRole> role(new SecretsRole);
  role->writer_ = environment.new_executor("secrets");
  auto vault = secrets::Vault::open(std::move(wanted), store, environment.clock(), environment.random(),
                                    *role->writer_);
  if (!vault) return fail(vault.error());
  role->vault_ = *std::move(vault);
  if (role->vault_->resealed() > 0)
    complain(fmt::format("{} stored secrets were sealed again with the key of {}", role->vault_->resealed(),
                         file.string()));
  tell_unreadable(*role->vault_, file);
  return role;
}

}  // namespace holdfast::app
