#include "app/operator_grants.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/sha256.h"

namespace holdfast::app {

namespace {

using nlohmann::json;
using Texts = std::vector<std::string>;

Texts without(const Texts& all, const Texts& these) {
  Texts out;
  std::ranges::set_difference(all, these, std::back_inserter(out));
  return out;
}

// Of the newest row; none: there was no server with grants yet.
Texts grants_in(const std::vector<platform::AuditRow>& rows) {
  if (rows.empty()) return {};
  const json detail = parse_json<json>(rows.front().detail);
  Texts out;
  if (!detail.is_object() || !detail.contains("grants") || !detail["grants"].is_array()) return out;
  for (const json& grant : detail["grants"]) {
    if (grant.is_string()) out.push_back(grant.get<std::string>());
  }
  return sorted_grants(std::move(out));
}

}  // namespace

std::vector<std::string> sorted_grants(std::vector<std::string> grants) {
  std::ranges::sort(grants);
  const auto same = std::ranges::unique(grants);
  grants.erase(same.begin(), same.end());
  return grants;
}

Status record_operator_grants(platform::Store& store, const std::vector<std::string>& now) {
  const auto rows = store.audit_rows(kOperatorSubject, 1);
  if (!rows) return rows.error();
  const Texts before = grants_in(*rows);
  if (before == now) return {};
  platform::AuditRow row;
  row.actor = kOperatorSubject;
  row.action = kOperatorGrantsChanged;
  row.subject = kOperatorSubject;
  row.detail = dump_json(json{{"sha256", sha256_hex(dump_json(json(now)))},
                              {"added", without(now, before)},
                              {"removed", without(before, now)},
                              {"grants", now}});
  return store.audit(row);
}

}  // namespace holdfast::app
