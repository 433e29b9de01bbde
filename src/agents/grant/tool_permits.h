#pragma once

// ToolPermits: which of its tools an agent may use, of what was granted (platform/tool_grant_store.h). The
// rule is the same for every call: a row that denies the tool wins; as soon as a row that allows anything
// fits, what no such row lists is refused; where no row fits, the definition alone decides. Pure and
// immutable; any thread.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/tool_grant_store.h"

namespace holdfast::grant {

// For whom a call is made.
struct ToolScope {
  ToolScope() = default;
  std::string agent;
  std::string team;         // empty: its definition says none; only rows for every team fit
  std::string environment;  // empty: the run was started by no label; only rows for every one fit
};

class ToolPermits {
 public:
  // Of `rows` those that fit.
  ToolPermits(const std::vector<platform::ToolGrant>& rows, ToolScope scope);

  // None of them fits.
  bool empty() const { return denied_.empty() && !closed_; }
  // Why the tool may not be called, in words for whoever grants it; none: it may.
  std::optional<std::string> refusal(std::string_view tool) const;

 private:
  // Names and beginnings of names, each with the row that says it.
  struct Patterns {
    std::map<std::string, std::string, std::less<>> names;
    std::vector<std::pair<std::string, std::string>> beginnings;
    void add(const platform::ToolGrant& row);
    const std::string* find(std::string_view tool) const;
    bool empty() const { return names.empty() && beginnings.empty(); }
  };

  std::string whose() const;

  const ToolScope scope_;
  Patterns denied_;
  Patterns allowed_;
  bool closed_ = false;  // a row allows something: the rest is not
};

}  // namespace holdfast::grant
