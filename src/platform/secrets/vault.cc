#include "secrets/vault.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/json.h"
#include "crypto/sealed.h"

namespace holdfast::secrets {

namespace {

using platform::AuditRow;
using platform::SecretRow;
using Json = nlohmann::ordered_json;

constexpr std::chrono::minutes kUseGrain{1};
constexpr std::uint32_t kPage = 1000;
constexpr std::string_view kServer = "server";  // who seals again at a start

AuditRow said(const std::string& by, std::string_view action, const SecretRow& row) {
  AuditRow out;
  out.actor = by;
  out.action = action;
  out.subject = row.name;
  out.detail = dump_json(Json{{"namespace", row.namespace_name}, {"version", row.version}});
  return out;
}

// What a value is sealed for: the parts cannot run into each other, as their lengths are told.
std::string context_of(const SecretRow& row) {
  return fmt::format("{}:{}/{}:{}/{}", row.namespace_name.size(), row.namespace_name, row.name.size(),
                     row.name, row.version);
}

Status not_there(const std::string& name) {
  return {Code::kNotFound,
          fmt::format("there is no secret {}; `holdfast secret set {}` makes it", name, name)};
}

}  // namespace

Status check_secret_name(std::string_view name) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
  const bool is_path = name == "." || name == "..";  // as part of a path they mean something else
  if (!name.empty() && name.size() <= kMaxSecretName && !is_path &&
      name.find_first_not_of(kAllowed) == std::string_view::npos)
    return {};
  return {Code::kInvalidArgument,
          fmt::format("the name of a secret has 1 to {} letters, digits or _ . - and is not . or ..",
                      kMaxSecretName)};
}

Vault::Vault(VaultOptions options, platform::SecretStore& store, const Clock& clock, Random& random,
             Executor& writer)
    : options_(std::move(options)),
      store_(store),
      clock_(clock),
      random_(random),
      writer_(writer),
      keys_(std::exchange(options_.keys, {})) {
  self_->vault = this;
}

Result<std::unique_ptr<Vault>> Vault::open(VaultOptions options, platform::SecretStore& store,
                                           const Clock& clock, Random& random, Executor& writer) {
  std::unique_ptr<Vault> out(new Vault(std::move(options), store, clock, random, writer));
  if (Status status = out->reseal_all(); !status.ok()) return fail(std::move(status));
  return out;
}

Vault::~Vault() {
  const std::lock_guard lock(self_->mutex);
  self_->vault = nullptr;
}

// Of every namespace of the store, since the key is the store's.
Status Vault::reseal_all() {
  SecretRow last;
  while (true) {
    auto page = store_.secrets(last.namespace_name, last.name, kPage);
    if (!page) return page.error();
    if (page->empty()) return {};
    last = page->back();
    for (SecretRow& row : *page) {
      if (!keys_.empty() && row.key_id == keys_.current_id()) continue;
      if (keys_.find(row.key_id) == nullptr) {
        ++unreadable_[row.key_id];
        continue;
      }
      const auto value = opened(row);
      if (!value) return value.error();
      seal_into(row, *value);
      if (Status status = store_.put_secret(row, said(std::string(kServer), platform::kSecretResealed, row));
          !status.ok())
        return status;
      ++resealed_;
    }
  }
}

Result<std::vector<SecretRow>> Vault::rows() const {
  auto page = store_.secrets(options_.namespace_name, "", kPage);
  if (!page) return page;
  std::erase_if(*page, [&](const SecretRow& row) { return row.namespace_name != options_.namespace_name; });
  return page;
}

Result<std::string> Vault::opened(const SecretRow& row) const {
  std::string key;
  {
    const std::lock_guard lock(mutex_);
    if (const std::string* found = keys_.find(row.key_id)) key = *found;
  }
  if (key.empty()) {
    return fail(
        Code::kFailedPrecondition,
        fmt::format("the secret {} is sealed with the key {}, which {} does not hold: start the server "
                    "with the file that does (--secrets-key, or --older-secrets-key beside a new one), "
                    "or set the secret again",
                    row.name, row.key_id, options_.key_file));
  }
  const auto sealed = from_base64url(row.sealed);
  auto value = sealed ? crypto::unseal(key, context_of(row), *sealed) : std::nullopt;
  if (value) return *std::move(value);
  return fail(Code::kDataLoss, fmt::format("the secret {} is not as it was stored, and is not used: set it "
                                           "again, or restore the platform store from a backup",
                                           row.name));
}

void Vault::seal_into(SecretRow& row, std::string_view value) {
  const std::lock_guard lock(mutex_);
  row.key_id = keys_.current_id();
  row.sealed = base64url(crypto::seal(keys_.current(), context_of(row), value, random_));
}

// Under writing_.
Status Vault::have_key() {
  {
    const std::lock_guard lock(mutex_);
    if (!keys_.empty()) return {};
  }
  // A new key beside secrets of another one would be taken for the right one from then on.
  if (!unreadable_.empty()) {
    return {Code::kFailedPrecondition,
            fmt::format("there are secrets that are sealed with the key {}, and {} is not there: put it back "
                        "and start the server again; if it is lost, make a new one (`holdfast secret new-key "
                        "{}`), start again, and set the secrets again",
                        unreadable_.begin()->first, options_.key_file, options_.key_file)};
  }
  if (!options_.make_key)
    return {Code::kFailedPrecondition,
            "this server has no key for secrets: start it with --secrets-key FILE"};
  auto made = options_.make_key();
  if (!made) return made.error();
  const std::lock_guard lock(mutex_);
  keys_ = *std::move(made);
  return {};
}

Result<SecretInfo> Vault::set(const std::string& name, const std::string& value, const std::string& by) {
  if (Status status = check_secret_name(name); !status.ok()) return fail(std::move(status));
  if (value.empty() || value.size() > kMaxSecretBytes) {
    return fail(Code::kInvalidArgument, fmt::format("the value of a secret has 1 to {} bytes, this one {}",
                                                    kMaxSecretBytes, value.size()));
  }
  const std::lock_guard writing(writing_);
  if (Status status = have_key(); !status.ok()) return fail(std::move(status));
  auto before = store_.secret(options_.namespace_name, name);
  if (!before) return fail(before.error());
  if (!*before) {
    const auto all = rows();
    if (!all) return fail(all.error());
    if (all->size() >= kMaxSecrets) {
      return fail(Code::kResourceExhausted,
                  fmt::format("a namespace has at most {} secrets; delete some", kMaxSecrets));
    }
  }
  SecretRow row = *before ? **std::move(before) : SecretRow();
  if (row.name.empty()) {
    row.name = name;
    row.namespace_name = options_.namespace_name;
  } else {
    if (auto old = opened(row)) remember(name, *std::move(old));
    ++row.version;
  }
  row.set_by = by;
  row.set_at = clock_.now();
  row.used_at.reset();
  seal_into(row, value);
  // Looked for in texts before anybody can use it.
  remember(name, value);
  if (Status status = store_.put_secret(row, said(by, platform::kSecretSet, row)); !status.ok())
    return fail(std::move(status));
  {
    const std::lock_guard lock(mutex_);
    used_.erase(name);
    unwritten_.erase(name);
  }
  ++changes_;
  row.sealed.clear();
  return SecretInfo{std::move(row), true};
}

Status Vault::erase(const std::string& name, const std::string& by) {
  const std::lock_guard writing(writing_);
  const auto before = store_.secret(options_.namespace_name, name);
  // One that cannot be read may still be deleted.
  SecretRow row;
  row.namespace_name = options_.namespace_name;
  row.name = name;
  if (before && *before) {
    row = **before;
    if (auto old = opened(row)) remember(name, *std::move(old));
  }
  const auto deleted =
      store_.delete_secret(options_.namespace_name, name, said(by, platform::kSecretDeleted, row));
  if (!deleted) return deleted.error();
  return *deleted ? Status() : not_there(name);
}

Result<std::vector<SecretInfo>> Vault::list() const {
  auto all = rows();
  if (!all) return fail(all.error());
  std::vector<SecretInfo> out;
  const std::lock_guard lock(mutex_);
  for (SecretRow& row : *all) {
    const bool readable = keys_.find(row.key_id) != nullptr;
    if (const auto used = used_.find(row.name); used != used_.end())
      row.used_at = std::max(row.used_at.value_or(used->second), used->second);
    row.sealed.clear();
    out.push_back({std::move(row), readable});
  }
  return out;
}

Result<std::string> Vault::use(const std::string& name) {
  auto row = store_.secret(options_.namespace_name, name);
  if (!row) return fail(row.error());
  if (!*row) return fail(not_there(name));
  auto value = opened(**row);
  if (value) note_use(name);
  return value;
}

std::vector<std::string> Vault::values(const std::string& name) const {
  std::vector<std::string> out;
  if (const auto row = store_.secret(options_.namespace_name, name); row && *row) {
    if (auto value = opened(**row)) out.push_back(*std::move(value));
  }
  const std::lock_guard lock(mutex_);
  const auto [begin, end] = former_.equal_range(name);
  for (auto one = begin; one != end; ++one) {
    if (std::find(out.begin(), out.end(), one->second) == out.end()) out.push_back(one->second);
  }
  return out;
}

void Vault::remember(const std::string& name, std::string value) {
  {
    const std::lock_guard lock(mutex_);
    const auto [begin, end] = former_.equal_range(name);
    if (std::any_of(begin, end, [&](const auto& one) { return one.second == value; })) return;
    // Whoever sets so many in one process has others to worry about; the oldest of this name go first.
    while (former_bytes_ + value.size() > kMaxFormerBytes && !former_.empty()) {
      auto oldest = former_.find(name);
      if (oldest == former_.end()) oldest = former_.begin();
      former_bytes_ -= oldest->second.size();
      former_.erase(oldest);
    }
    former_bytes_ += value.size();
    former_.emplace(name, std::move(value));
  }
  ++changes_;
}

void Vault::note_use(const std::string& name) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    const WallTime now = clock_.now();
    const auto [found, is_new] = used_.emplace(name, now);
    if (!is_new && found->second + kUseGrain > now) return;
    found->second = now;
    first = unwritten_.empty();
    unwritten_[name] = now;
  }
  if (!first) return;
  writer_.post([self = self_] {
    const std::lock_guard lock(self->mutex);
    if (self->vault != nullptr) self->vault->write_uses();
  });
}

void Vault::write_uses() {
  const std::lock_guard writing(writing_);
  std::map<std::string, WallTime> used;
  {
    const std::lock_guard lock(mutex_);
    used.swap(unwritten_);
  }
  (void)store_.note_secrets(options_.namespace_name, used);  // the next use says it again
}

}  // namespace holdfast::secrets
