// /api/v1/memory: what agents remember, per subject: to look at, and to erase.

#include <fmt/format.h>

#include "base/json.h"
#include "http/api_context.h"
#include "http/problems.h"

namespace holdfast::http {

namespace {

constexpr std::uint32_t kMaxEntries = 100;
constexpr std::size_t kMaxReason = 4000;

Json entry_json(const platform::MemoryEntry& entry) {
  Json out = {{"name", entry.name}, {"version", entry.version}, {"text", entry.text}};
  if (entry.forgotten) out["forgotten"] = true;
  out["run"] = entry.run;
  out["stored_at"] = iso_time(entry.at);
  return out;
}

Json entries_json(const std::vector<platform::MemoryEntry>& entries) {
  Json out = Json::array();
  for (const platform::MemoryEntry& entry : entries) out.push_back(entry_json(entry));
  return out;
}

Response list_subjects(ApiContext& context, Request& request) {
  auto limit = number_parameter(request, "limit", kMaxEntries, 1, platform::kMaxPage);
  if (!limit) return limit.error().response();
  auto after = cursor_parameter(request);
  if (!after) return after.error().response();
  auto subjects = context.store().memory_subjects(*after, *limit);
  if (!subjects) return Problem::from(subjects.error()).response();
  Json rows = Json::array();
  for (const platform::MemorySubject& one : *subjects) {
    rows.push_back({{"subject", one.subject},
                    {"entries", one.entries},
                    {"bytes", one.bytes},
                    {"updated_at", iso_time(one.updated_at)}});
  }
  Json next = next_cursor(request.path, subjects->size() == *limit ? subjects->back().subject : "");
  return json_response({{"subjects", std::move(rows)}, {"next_cursor", std::move(next)}});
}

Response list_entries(ApiContext& context, Request& request) {
  const std::string subject(request.param("subject"));
  auto limit = number_parameter(request, "limit", kMaxEntries, 1, kMaxEntries);
  if (!limit) return limit.error().response();
  auto after = cursor_parameter(request);
  if (!after) return after.error().response();
  const std::string query(request.query_value("search").value_or(""));
  auto entries = query.empty() ? context.store().memories(subject, *after, *limit)
                               : context.store().search_memory(subject, query, *limit);
  if (!entries) return Problem::from(entries.error()).response();
  const bool more = query.empty() && entries->size() == *limit;
  Json next = next_cursor(request.path, more ? entries->back().name : "");
  return json_response(
      {{"subject", subject}, {"entries", entries_json(*entries)}, {"next_cursor", std::move(next)}});
}

Response show_entry(ApiContext& context, Request& request) {
  const std::string subject(request.param("subject"));
  const std::string name(request.param("name"));
  auto versions = context.store().memory_versions(subject, name);
  if (!versions) return Problem::from(versions.error()).response();
  if (versions->empty()) {
    return Problem(404, "entry_not_found", fmt::format("'{}' has no entry '{}'", subject, name)).response();
  }
  return json_response({{"subject", subject}, {"name", name}, {"versions", entries_json(*versions)}});
}

Response erase_subject(ApiContext& context, Request& request) {
  const std::string subject(request.param("subject"));
  const std::string by = actor_of(request, request.query_value("by").value_or(""));
  const std::string reason(request.query_value("reason").value_or(""));
  if (by.size() > runs::kMaxIdBytes || reason.size() > kMaxReason) {
    return Problem(400, "invalid_parameter",
                   fmt::format("'by' may have {} bytes and 'reason' {}", runs::kMaxIdBytes, kMaxReason))
        .response();
  }
  platform::AuditRow row;
  row.actor = by.empty() ? "api" : by;
  row.detail = dump_json(Json{{"reason", reason}});
  auto erased = context.store().erase_memory(subject, row);
  if (!erased) return Problem::from(erased.error()).response();
  return json_response({{"subject", subject}, {"erased", *erased}});
}

}  // namespace

void add_memory_routes(Router& router, ApiContext& context) {
  router.add("GET", "/api/v1/memory", Permission::kRead, context.answering(list_subjects),
             {"limit", "cursor"});
  router.add("GET", "/api/v1/memory/{subject}", Permission::kRead, context.answering(list_entries),
             {"search", "limit", "cursor"});
  router.add("GET", "/api/v1/memory/{subject}/{name}", Permission::kRead, context.answering(show_entry));
  router.add("DELETE", "/api/v1/memory/{subject}", Permission::kAdmin, context.answering(erase_subject),
             {"by", "reason"});
}

}  // namespace holdfast::http
