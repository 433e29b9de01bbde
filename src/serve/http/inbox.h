#pragma once

// Whose inbox a list of approvals is: `for=me` has what the caller may decide and has not voted on,
// `for=team` what agents of the caller's teams ask, `team=NAME` what those of that team ask. For one request,
// on its thread.

#include <expected>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "http/api_context.h"
#include "platform/inbox.h"

namespace holdfast::http {

class Inbox {
 public:
  static std::expected<Inbox, Problem> of(ApiContext& context, const Request& request);

  // Who may decide nothing has nothing, nor has who is in no team.
  bool is_nobodys() const { return (mine_ && !may_decide_) || (of_teams_ && teams_.empty()); }
  // All that a page finds is in it; else so many are looked at as the filter says.
  bool finds_all(const platform::ApprovalFilter& filter) const {
    return !mine_ && (!of_teams_ || by_agents(filter));
  }
  // What there is behind `filter.after`. Blocks on the store, as what follows.
  Result<std::vector<platform::Approval>> page(const platform::ApprovalFilter& filter);
  // By the agent alone; asked first, as it costs least.
  Result<bool> is_of_teams(const platform::Approval& approval);
  // By its terms without the votes (http/approval_terms.h), which cost more.
  bool may_be_for(const platform::Approval& approval, const Json& terms) const {
    return !mine_ || may_be_mine(approval, terms);
  }
  bool is_for(const Json& terms_with_votes) const { return !mine_ || !has_voted(terms_with_votes); }

 private:
  Inbox(ApiContext& context, const Request& request) : context_(&context), request_(&request) {}
  // Only what waits is found by its agents.
  bool by_agents(const platform::ApprovalFilter& filter) const {
    return of_teams_ && filter.status == platform::ApprovalStatus::kPending && filter.run.empty();
  }
  // What waits for one person is found by whom it asks; of a team's, by the agents first.
  bool is_own(const platform::ApprovalFilter& filter) const {
    return mine_ && !of_teams_ && filter.status == platform::ApprovalStatus::kPending && filter.run.empty();
  }
  platform::Decider decider() const;
  Status find_agents();
  bool may_be_mine(const platform::Approval& approval, const Json& terms) const;
  bool has_voted(const Json& terms) const;
  bool is_among(const Json& who) const;
  bool is_among_teams(const std::string& team) const;
  Result<std::string> team_of(const std::string& agent);

  ApiContext* context_;
  const Request* request_;
  bool mine_ = false;
  bool may_decide_ = false;
  bool of_teams_ = false;
  std::vector<std::string> teams_;
  std::optional<std::vector<std::string>> agents_;  // of these teams, that ask
  std::map<std::string, std::string> team_of_;      // by the agent, as far as they were asked for
};

}  // namespace holdfast::http
