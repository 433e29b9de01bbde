#pragma once

// Whose inbox a list of approvals is: `for=me` has what the caller may decide and has not voted on,
// `for=team` what agents of the caller's teams ask, `team=NAME` what those of that team ask. For one request,
// on its thread.

#include <expected>
#include <map>
#include <string>
#include <vector>

#include "http/api_context.h"
#include "platform/records.h"

namespace holdfast::http {

class Inbox {
 public:
  static std::expected<Inbox, Problem> of(ApiContext& context, const Request& request);

  bool is_everybodys() const { return !mine_ && !of_teams_; }
  // By the agent alone; asked first, as it costs least. Blocks on the store.
  Result<bool> is_of_teams(const platform::Approval& approval);
  // `row` is its JSON with its terms.
  bool is_for(const platform::Approval& approval, const Json& row) const {
    return !mine_ || is_mine(approval, row);
  }

 private:
  Inbox(ApiContext& context, const Request& request) : context_(&context), request_(&request) {}
  bool is_mine(const platform::Approval& approval, const Json& row) const;
  bool is_among(const Json& who) const;
  Result<std::string> team_of(const std::string& agent);

  ApiContext* context_;
  const Request* request_;
  bool mine_ = false;
  bool of_teams_ = false;
  std::vector<std::string> teams_;
  std::map<std::string, std::string> team_of_;  // by the agent, as far as they were asked for
};

}  // namespace holdfast::http
