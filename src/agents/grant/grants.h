#pragma once

// Grants: the one record of what definitions may use of this machine. What the operator granted is the
// ceiling; a narrower record (of a tool, of a person) can only take away, by asking its own Permits as well.
// A definition that he passed himself may use what it names, that version of it and no other.
//
// Owner: app, which fills it before the workers start; from then on constant, any thread.

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/redaction.h"
#include "definition/tool_type.h"
#include "grant/grant.h"
#include "grant/permits.h"
#include "grant/secret_source.h"

namespace holdfast::grant {

class Grants {
 public:
  explicit Grants(Environment environment) : environment_(environment) {}

  // To every definition.
  void allow(Grant grant);
  // To this version what it names. A name (of a host) may turn out to be public or private, but neither this
  // machine nor a cloud's metadata.
  void allow_named(const std::string& version, const agent::Needs& needs);
  void keep_out_of(Own own) { own_ = std::move(own); }

  // Of named secrets; outlives it. Null: there are none.
  void take_secrets_from(SecretSource* secrets) { secrets_ = secrets; }

  // The values of all variables and secrets that any definition may use, as they are now.
  Redaction redaction() const;
  // The same, made again when a secret has changed. Never null. Any thread.
  std::shared_ptr<const Redaction> current_redaction() const;

  // Of a definition that the operator passes and that has no version yet: what it names. Never null.
  std::shared_ptr<const Permits> naming(const agent::Needs& needs) const;
  // Never null.
  std::shared_ptr<const Permits> of(const std::string& version) const;

 private:
  const Environment environment_;
  std::vector<Grant> all_;
  std::map<std::string, std::vector<Grant>> named_;  // by version
  Own own_;
  SecretSource* secrets_ = nullptr;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const Redaction> redaction_;  // guarded by mutex_
  mutable std::uint64_t redaction_of_ = 0;              // guarded by mutex_: SecretSource::changes()
};

}  // namespace holdfast::grant
