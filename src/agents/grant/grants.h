#pragma once

// Grants: the one record of what definitions may use of this machine. What the operator granted is the
// ceiling; a narrower record (of a tool, of a person) can only take away, by asking its own Permits as well.
// A definition that he passed himself may use what it names, that version of it and no other.
//
// Owner: app, which fills it before the workers start; from then on constant, any thread.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/redaction.h"
#include "definition/tool_type.h"
#include "grant/grant.h"
#include "grant/permits.h"

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

  // The values of all variables that any definition may use, as they are now.
  Redaction redaction() const;

  // Of a definition that the operator passes and that has no version yet: what it names. Never null.
  std::shared_ptr<const Permits> naming(const agent::Needs& needs) const;
  // Never null.
  std::shared_ptr<const Permits> of(const std::string& version) const;

 private:
  const Environment environment_;
  std::vector<Grant> all_;
  std::map<std::string, std::vector<Grant>> named_;  // by version
  Own own_;
};

}  // namespace holdfast::grant
