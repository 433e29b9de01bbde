#pragma once

// Groups of an identity provider: which somebody is in, as its tokens say, and what they mean here: roles in
// namespaces and names of teams, as an admin has set for each group. Pure.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/status.h"
#include "identity/roles.h"
#include "platform/oidc_store.h"

namespace holdfast::oidc {

inline constexpr std::size_t kMaxGroups = 1000;       // that are mapped
inline constexpr std::size_t kMaxGroupsOfOne = 5000;  // that a token may name
inline constexpr std::size_t kMaxGroupName = 255;
inline constexpr std::size_t kMaxTeams = 100;  // of one group

// A list of texts, or one text; of anything else, none.
std::vector<std::string> groups_of(const nlohmann::json& claims, const std::string& claim);

struct Meaning {
  identity::Roles roles;
  std::vector<std::string> teams;  // each once, in order
};
// DATA_LOSS: a row cannot be read.
Result<Meaning> meaning_of(const std::vector<std::string>& groups, std::string_view provider,
                           const std::vector<platform::OidcGroup>& mapped);

// A JSON list of names, each of letters, digits and . _ -; INVALID_ARGUMENT.
Result<std::vector<std::string>> parse_teams(std::string_view json);
std::string teams_json(const std::vector<std::string>& teams);

// How somebody is called here: what the token calls him, or else its subject, as far as names here may hold
// it, and behind an @ the provider: so no name of a provider's is one of ours.
std::string principal_name(const nlohmann::json& claims, const std::string& claim, std::string_view provider,
                           int attempt);

}  // namespace holdfast::oidc
