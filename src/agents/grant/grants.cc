#include "grant/grants.h"

#include <utility>

#include "definition/value_name.h"

namespace holdfast::grant {

namespace {

using agent::Need;

std::optional<net::HostRule> rule_of(const std::string& url) {
  const auto read = net::read_url(url);
  if (!read) return std::nullopt;
  net::HostRule out;
  out.host = read->origin.host.text;
  out.port = read->origin.port;
  const auto permit = [&out](net::AddressClass kind) { out.classes.set(static_cast<std::size_t>(kind)); };
  if (read->origin.host.address) {
    out.classes.set();
  } else if (read->origin.host.is_localhost()) {
    permit(net::AddressClass::kLoopback);
  } else {
    for (auto kind : {net::AddressClass::kPublic, net::AddressClass::kPrivate, net::AddressClass::kShared})
      permit(kind);
  }
  return out;
}

// None: it names no place, and is refused at use for that.
std::optional<Grant> grant_of(const Need& need) {
  Grant out;
  switch (need.kind) {
    case Need::Kind::kHost: out.kind = Grant::Kind::kHost; break;
    case Need::Kind::kVariable: out.kind = Grant::Kind::kVariable; break;
    case Need::Kind::kKey: out.kind = Grant::Kind::kKey; break;
    case Need::Kind::kDatabase: out.kind = Grant::Kind::kDatabase; break;
    case Need::Kind::kActivity: out.kind = Grant::Kind::kActivity; break;
    case Need::Kind::kCommand: out.kind = Grant::Kind::kCommand; break;
  }
  out.name = need.name;
  out.writes = need.writes;
  // A variable that is given to a program goes to no host.
  const bool stays = need.kind == Need::Kind::kVariable && need.url.empty();
  if (need.kind == Need::Kind::kDatabase || need.kind == Need::Kind::kActivity ||
      need.kind == Need::Kind::kCommand || stays)
    return out;
  out.host = rule_of(need.url);
  return out.host ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace

void Grants::allow(Grant grant) {
  all_.push_back(std::move(grant));
}

void Grants::allow_named(const std::string& version, const agent::Needs& needs) {
  for (const Need& need : needs) {
    if (auto grant = grant_of(need)) named_[version].push_back(*std::move(grant));
  }
}

Redaction Grants::redaction() const {
  std::vector<Redaction::Secret> secrets;
  const auto add = [&](const Grant& grant) {
    if (grant.kind != Grant::Kind::kKey && grant.kind != Grant::Kind::kVariable) return;
    if (const auto secret = agent::secret_named(grant.name)) {
      if (secrets_ == nullptr) return;
      for (std::string& value : secrets_->values(std::string(*secret)))
        secrets.emplace_back(std::string(*secret), std::move(value));
      return;
    }
    if (const char* value = environment_(grant.name.c_str())) secrets.emplace_back(grant.name, value);
  };
  for (const Grant& grant : all_) add(grant);
  for (const auto& [version, grants] : named_) {
    for (const Grant& grant : grants) add(grant);
  }
  return Redaction(secrets);
}

std::shared_ptr<const Redaction> Grants::current_redaction() const {
  const std::lock_guard lock(mutex_);
  // Before the values are read: what changes meanwhile is read again next time.
  const std::uint64_t now = secrets_ != nullptr ? secrets_->changes() : 0;
  if (redaction_ == nullptr || redaction_of_ != now) {
    redaction_ = std::make_shared<const Redaction>(redaction());
    redaction_of_ = now;
  }
  return redaction_;
}

std::shared_ptr<const Permits> Grants::naming(const agent::Needs& needs) const {
  std::vector<Grant> grants = all_;
  for (const Need& need : needs) {
    if (auto grant = grant_of(need)) grants.push_back(*std::move(grant));
  }
  return std::make_shared<const Permits>(std::move(grants), own_, environment_, secrets_);
}

std::shared_ptr<const Permits> Grants::of(const std::string& version) const {
  std::vector<Grant> grants = all_;
  if (const auto named = named_.find(version); named != named_.end())
    grants.insert(grants.end(), named->second.begin(), named->second.end());
  return std::make_shared<const Permits>(std::move(grants), own_, environment_, secrets_);
}

}  // namespace holdfast::grant
