// /api/v1/audit: the record, from its beginning, for who exports it.

#include <fmt/format.h>

#include <charconv>

#include "http/api_context.h"
#include "platform/audit_store.h"

namespace holdfast::http {

namespace {

constexpr std::uint32_t kMostRows = 1000;
constexpr std::size_t kMaxFilterBytes = 1024;

std::expected<std::optional<WallTime>, Problem> time_parameter(const Request& request,
                                                               std::string_view name) {
  const auto text = request.query_value(name);
  if (!text) return std::optional<WallTime>();
  const auto time = parse_iso_time(*text);
  if (time) return time;
  return std::unexpected(Problem(400, "invalid_parameter",
                                 fmt::format("'{}' must be a time such as 2026-11-21T09:00:00Z", name)));
}

std::expected<std::string, Problem> text_parameter(const Request& request, std::string_view name) {
  std::string text(request.query_value(name).value_or(""));
  if (text.size() <= kMaxFilterBytes) return text;
  return std::unexpected(
      Problem(400, "invalid_parameter", fmt::format("'{}' has at most {} bytes", name, kMaxFilterBytes)));
}

std::expected<std::int64_t, Problem> place_of(const std::string& cursor) {
  std::int64_t out = 0;
  if (cursor.empty()) return out;
  const auto [end, error] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), out);
  if (error == std::errc() && end == cursor.data() + cursor.size() && out >= 0) return out;
  return std::unexpected(Problem(400, "invalid_cursor", "the cursor is not one of ours"));
}

std::expected<platform::AuditFilter, Problem> filter_of(const Request& request) {
  platform::AuditFilter out;
  auto limit = number_parameter(request, "limit", kMostRows, 1, kMostRows);
  if (!limit) return std::unexpected(limit.error());
  out.limit = *limit;
  auto cursor = cursor_parameter(request);
  if (!cursor) return std::unexpected(cursor.error());
  auto after = place_of(*cursor);
  if (!after) return std::unexpected(after.error());
  out.after = *after;
  for (const auto& [name, into] : {std::pair("from", &out.from), std::pair("until", &out.until)}) {
    auto time = time_parameter(request, name);
    if (!time) return std::unexpected(time.error());
    *into = *time;
  }
  for (const auto& [name, into] : {std::pair("principal", &out.actor), std::pair("kind", &out.kind),
                                   std::pair("subject", &out.subject)}) {
    auto text = text_parameter(request, name);
    if (!text) return std::unexpected(text.error());
    *into = *std::move(text);
  }
  return out;
}

Response show_audit(ApiContext& context, Request& request) {
  if (auto problem = not_everywhere(context, request)) return problem->response();
  const auto filter = filter_of(request);
  if (!filter) return filter.error().response();
  const auto page = context.deps.audit->audit_page(*filter);
  if (!page) return Problem::from(page.error()).response();
  Json rows = Json::array();
  for (const platform::AuditRow& row : page->rows) {
    rows.push_back({{"id", row.id},
                    {"at", iso_time(row.at)},
                    {"principal", row.actor},
                    {"kind", row.action},
                    {"subject", row.subject},
                    {"detail", parse_or_string<Json>(row.detail)}});
  }
  return json_response({{"rows", std::move(rows)},
                        {"next_cursor", cursor_of(request.path, std::to_string(page->next))},
                        {"end", page->end}});
}

}  // namespace

void add_audit_routes(Router& router, ApiContext& context) {
  router.add("GET", "/api/v1/audit", Permission::kAdmin, context.answering(show_audit),
             {"from", "until", "principal", "kind", "subject", "limit", "cursor"});
}

}  // namespace holdfast::http
