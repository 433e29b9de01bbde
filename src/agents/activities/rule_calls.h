#pragma once

// What a version of an agent says of calls that a run made: the class of their effects, and whether it would
// make them again, ask a person, or refuse. Pure; any thread.

#include <memory>
#include <string>
#include <string_view>

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "platform/store.h"
#include "protocol/call.h"

namespace holdfast::agent {

struct CallRuling {
  std::string effect;  // empty: the version has no such tool
  std::string action;  // "allow", "ask", "deny"; empty: no such tool
  std::string reason;
};

// Of one definition, read once.
class CallRules {
 public:
  static Result<CallRules> read(const platform::Definition& definition);
  CallRules(CallRules&&) noexcept;
  CallRules& operator=(CallRules&&) noexcept;
  ~CallRules();

  // `arguments`: as the model sent them. Rules that look at what the run has done are left to the time when the call
  // is made, and the reason says so.
  CallRuling rule(std::string_view tool, std::string_view arguments, WallTime now) const;

 private:
  struct Impl;
  explicit CallRules(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::agent
