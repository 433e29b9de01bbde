#include "http/repeats.h"

#include <algorithm>

namespace holdfast::http {

namespace {

constexpr std::string_view kKeyed[] = {"/api/v1/approvals/{id}/decision",
                                       "/api/v1/conversations/{id}/messages",
                                       "/api/v1/flows/{name}/runs",
                                       "/api/v1/runs",
                                       "/api/v1/runs/{id}/fail",
                                       "/api/v1/runs/{id}/fork",
                                       "/api/v1/runs/{id}/messages",
                                       "/api/v1/runs/{id}/pause",
                                       "/api/v1/runs/{id}/resume",
                                       "/api/v1/schedules",
                                       "/api/v1/schedules/{name}/trigger",
                                       "/mcp",
                                       "/v1/chat/completions",
                                       "/v1/responses"};

constexpr std::string_view kRepeatable[] = {"/api/v1/agents",  // a version is its text, as of a flow
                                            "/api/v1/approvals/{id}/files",
                                            "/api/v1/completions/{token}",
                                            "/api/v1/conversations/{id}/cancel",
                                            "/api/v1/flows",
                                            "/api/v1/mail/replies",  // its link is used once
                                            "/api/v1/runs/{id}/cancel",
                                            "/api/v1/runs/{id}/retry",  // under one id
                                            "/api/v1/runs/{id}/terminate",
                                            "/api/v1/runs/{id}/undo",
                                            "/api/v1/schedules/{name}/pause",
                                            "/api/v1/schedules/{name}/resume",
                                            "/api/v1/slack/actions",
                                            "/decide/{token}",
                                            "/v1/responses/{id}/cancel"};

bool among(std::span<const std::string_view> list, std::string_view pattern) {
  return std::ranges::find(list, pattern) != list.end();
}

}  // namespace

std::span<const std::string_view> keyed_posts() {
  return kKeyed;
}

std::span<const std::string_view> repeatable_posts() {
  return kRepeatable;
}

bool refuses_keys(std::string_view method, std::string_view pattern) {
  return method == "POST" && !among(kKeyed, pattern) && !among(kRepeatable, pattern);
}

std::optional<Problem> refused_key(const Request& request) {
  if (request.header("idempotency-key").empty()) return std::nullopt;
  return Problem(400, "invalid_header",
                 "there is no Idempotency-Key here: the same request again is another one")
      .hint("leave the header out, and look what is there before you repeat the request");
}

}  // namespace holdfast::http
