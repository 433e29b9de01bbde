#include "runs/decision_links.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/sha256.h"

namespace holdfast::runs {

using platform::DecisionLink;

Result<MadeLink> DecisionLinks::make(const LinkRequest& wanted) {
  DecisionLink row;
  if (wanted.key.empty()) {
    row.id = hex_of(random_bytes(*deps_.random, 16));  // no `-` at its beginning: a command line would take it for an option
  } else {
    row.id = sha256_hex(wanted.approval + "\n" + wanted.key).substr(0, 32);
  }
  row.approval = wanted.approval;
  row.recipient = wanted.recipient;
  row.created_by = wanted.created_by;
  row.expires_at = deps_.clock->now() + wanted.lasts;
  Result<DecisionLink> made = deps_.store->make_link(row);
  if (!made) return fail(made.error());
  MadeLink out;
  out.row = *std::move(made);
  std::string at = deps_.public_url();
  while (at.ends_with('/')) at.pop_back();
  out.url = fmt::format("{}{}{}", at, kLinkPath, token_of(out.row));
  return out;
}

// A list of texts has one reading.
std::string DecisionLinks::token_of(const DecisionLink& link) const {
  const auto until =
      std::chrono::duration_cast<std::chrono::milliseconds>(link.expires_at.time_since_epoch()).count();
  const std::string text =
      dump_json(nlohmann::json::array({"holdfast.link.v1", link.id, link.approval, link.recipient, until}));
  return link.id + "." + base64url(hmac_sha256(deps_.key, text));
}

Result<std::optional<DecisionLink>> DecisionLinks::find(std::string_view token) const {
  const std::size_t dot = token.find('.');
  if (token.size() > kMaxLinkToken || dot == std::string_view::npos) return std::nullopt;
  Result<std::optional<DecisionLink>> found = deps_.store->link(token.substr(0, dot));
  if (!found || !*found) return found;
  if (!equal_in_constant_time(token_of(**found), token)) return std::nullopt;
  return found;
}

std::string principal_of(const DecisionLink& link) {
  return "link:" + link.recipient;
}

}  // namespace holdfast::runs
