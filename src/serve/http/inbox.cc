#include "http/inbox.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "http/question.h"
#include "identity/roles.h"
#include "oidc/login.h"
#include "protocol/policy.h"

namespace holdfast::http {

namespace {

bool may_decide(const ApiContext& context, const Request& request) {
  const auto* gate = context.deps.gate;
  return gate != nullptr &&
         gate->check(sender_of(request), context.deps.namespace_name, Permission::kDecide).ok();
}

}  // namespace

std::expected<Inbox, Problem> Inbox::of(ApiContext& context, const Request& request) {
  Inbox out(context, request);
  const std::string_view whose = request.query_value("for").value_or("all");
  if (whose != "all" && whose != "me" && whose != "team") {
    return std::unexpected(
        Problem(400, "invalid_parameter", fmt::format("'for' is '{}'", bounded_text(std::string(whose), 100)))
            .hint("me, team or all"));
  }
  // At an open server nobody is anybody: whoever is there may decide all of it.
  out.mine_ = whose == "me" && sender_of(request).kind != identity::Caller::Kind::kLocal;
  out.may_decide_ = may_decide(context, request);
  const std::string team(request.query_value("team").value_or(""));
  if (whose == "team" && !team.empty())
    return std::unexpected(
        Problem(400, "invalid_parameter", "'for=team' means your teams: leave out 'team'"));
  if (whose == "team" && context.deps.login != nullptr)
    out.teams_ = context.deps.login->teams_of(sender_of(request).name);
  if (!team.empty()) out.teams_ = {team};
  out.of_teams_ = whose == "team" || !team.empty();
  return out;
}

Result<bool> Inbox::is_of_teams(const platform::Approval& approval) {
  if (!of_teams_) return true;
  auto team = team_of(approval.agent);
  if (!team) return fail(team.error());
  return is_among_teams(*team);
}

bool Inbox::is_among_teams(const std::string& team) const {
  return !team.empty() && std::ranges::find(teams_, team) != teams_.end();
}

Status Inbox::find_agents() {
  if (agents_) return {};
  std::vector<std::string> found;
  std::string after;
  while (true) {
    const auto asking = context_->deps.inbox->asking_agents(after);
    if (!asking) return asking.error();
    for (const std::string& agent : *asking) {
      auto team = team_of(agent);
      if (!team) return team.error();
      if (is_among_teams(*team)) found.push_back(agent);
    }
    if (asking->size() < platform::kMaxPage) break;
    after = asking->back();
  }
  agents_ = std::move(found);
  return {};
}

Result<std::vector<platform::Approval>> Inbox::page(const platform::ApprovalFilter& filter) {
  if (is_own(filter)) return context_->deps.inbox->asked_of(decider(), filter.after, filter.limit);
  if (!by_agents(filter)) return context_->store().approvals(filter);
  if (Status status = find_agents(); !status.ok()) return fail(std::move(status));
  // Of so many agents whatever waits is looked at instead.
  if (agents_->size() > platform::kMaxInboxAgents) return context_->store().approvals(filter);
  return context_->deps.inbox->asked_by(*agents_, filter.after, filter.limit);
}

platform::Decider Inbox::decider() const {
  platform::Decider out;
  out.name = sender_of(*request_).name;
  out.now = context_->deps.environment->clock().now();
  std::vector<std::string> roles;
  for (std::size_t role = 0; role < identity::kRoles; ++role)
    roles.emplace_back(identity::role_name(static_cast<identity::Role>(role)));
  out.words = roles_among(*context_, *request_, roles);
  out.words.push_back("user:" + out.name);
  return out;
}

// By a link, too: it is no second person.
bool Inbox::has_voted(const Json& terms) const {
  const std::string& name = sender_of(*request_).name;
  const auto votes = terms.find("votes");
  return votes != terms.end() && std::ranges::any_of(*votes, [&](const Json& vote) {
           return protocol::person_of(vote.value("by", "")) == name;
         });
}

bool Inbox::may_be_mine(const platform::Approval& approval, const Json& terms) const {
  const identity::Caller& sender = sender_of(*request_);
  if (const auto question = question_of(approval)) {
    if (not_asked(*context_, *request_, *question, sender.name)) return false;
  }
  if (!terms.contains("who")) return true;  // the first word of anybody decides
  if (terms.value("four_eyes", false) && terms.value("requester", "") == sender.name) return false;
  if (terms["who"].empty() || is_among(terms["who"])) return true;
  const std::string now = iso_time(context_->deps.environment->clock().now());
  return std::ranges::any_of(terms["escalation"], [&](const Json& step) {
    return step.value("at", now) <= now && is_among(step.value("to", Json::array()));
  });
}

bool Inbox::is_among(const Json& who) const {
  const auto words = who.get<std::vector<std::string>>();
  return protocol::is_among(words, roles_among(*context_, *request_, words), sender_of(*request_).name);
}

// By the agent's current version: whose it is now.
Result<std::string> Inbox::team_of(const std::string& agent) {
  if (const auto found = team_of_.find(agent); found != team_of_.end()) return found->second;
  std::string team;
  const auto definition = context_->store().current_definition(agent);
  if (!definition && definition.error().code() != Code::kNotFound) return fail(definition.error());
  if (definition) {
    const Json read = parse_json<Json>(definition->text);
    if (read.is_object() && read.contains("metadata")) team = read["metadata"].value("team", "");
  }
  return team_of_[agent] = std::move(team);
}

}  // namespace holdfast::http
