// What went wrong at the provider. The body's code decides before the status: a quota that is used up and a
// rate that is exceeded are both 429, and only one of them is worth a retry.

#include "model/error.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/ascii.h"
#include "base/json.h"
#include "base/json_member.h"
#include "base/text.h"
#include "net/retry_after.h"

namespace holdfast::model {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxMessageBytes = 2000;

struct CodeMeaning {
  std::string_view code;
  ErrorKind kind;
};
// Codes and types, of OpenAI, Azure and Anthropic.
constexpr std::array kMeanings = {
    CodeMeaning{"insufficient_quota", ErrorKind::kQuotaExhausted},
    CodeMeaning{"credit_balance_exhausted", ErrorKind::kQuotaExhausted},
    CodeMeaning{"enforced_spend_limit_reached", ErrorKind::kQuotaExhausted},
    CodeMeaning{"billing_hard_limit_reached", ErrorKind::kQuotaExhausted},
    CodeMeaning{"billing_not_active", ErrorKind::kQuotaExhausted},
    CodeMeaning{"billing_error", ErrorKind::kQuotaExhausted},
    CodeMeaning{"content_filter", ErrorKind::kContentFilter},
    CodeMeaning{"content_policy_violation", ErrorKind::kContentFilter},
    CodeMeaning{"responsibleaipolicyviolation", ErrorKind::kContentFilter},
    CodeMeaning{"invalid_prompt", ErrorKind::kInvalidPrompt},
    CodeMeaning{"invalid_api_key", ErrorKind::kAuth},
    CodeMeaning{"authentication_error", ErrorKind::kAuth},
    CodeMeaning{"permission_error", ErrorKind::kAuth},
    CodeMeaning{"rate_limit_exceeded", ErrorKind::kRateLimited},
    CodeMeaning{"rate_limit_error", ErrorKind::kRateLimited},
    CodeMeaning{"slow_down", ErrorKind::kRateLimited},
    CodeMeaning{"overloaded_error", ErrorKind::kOverloaded},
    CodeMeaning{"server_is_overloaded", ErrorKind::kOverloaded},
    CodeMeaning{"server_error", ErrorKind::kOverloaded},
    CodeMeaning{"api_error", ErrorKind::kOverloaded},
    CodeMeaning{"timeout_error", ErrorKind::kTimeout},
    CodeMeaning{"invalid_request_error", ErrorKind::kBadRequest},
    CodeMeaning{"not_found_error", ErrorKind::kBadRequest},
    CodeMeaning{"request_too_large", ErrorKind::kBadRequest},
    CodeMeaning{"context_length_exceeded", ErrorKind::kBadRequest},
};

std::optional<ErrorKind> meaning_of(const std::string& code) {
  const auto found = std::find_if(kMeanings.begin(), kMeanings.end(),
                                  [&](const CodeMeaning& row) { return row.code == code; });
  if (found == kMeanings.end()) return std::nullopt;
  return found->kind;
}

ErrorKind kind_of_status(int status) {
  if (status == 0) return ErrorKind::kStreamCut;
  if (status == 401 || status == 403) return ErrorKind::kAuth;
  if (status == 402) return ErrorKind::kQuotaExhausted;
  if (status == 408 || status == 504) return ErrorKind::kTimeout;
  if (status == 429) return ErrorKind::kRateLimited;
  if (status == 409 || status >= 500) return ErrorKind::kOverloaded;
  return ErrorKind::kBadRequest;
}

// Code first, then words, then status, and the type last: "invalid_request_error" covers nearly everything.
ErrorKind kind_of(int status, const std::string& code, const std::string& type, const std::string& message) {
  if (auto kind = meaning_of(ascii_lower(type)); kind && *kind == ErrorKind::kQuotaExhausted) return *kind;
  if (auto kind = meaning_of(ascii_lower(code)); kind && *kind != ErrorKind::kBadRequest) return *kind;
  // Anthropic reports an empty account as a bad request.
  if (message.find("credit balance is too low") != std::string::npos) return ErrorKind::kQuotaExhausted;
  if (status == 401 || status == 402 || status == 403 || status == 429) return kind_of_status(status);
  if (auto kind = meaning_of(ascii_lower(type))) return *kind;
  if (auto kind = meaning_of(ascii_lower(code))) return *kind;
  return kind_of_status(status);
}

// A code may be a number.
std::string text_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number() ? dump_json(*found) : string_member(object, name);
}

}  // namespace

std::string_view error_type(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kRateLimited: return "RateLimitedError";
    case ErrorKind::kOverloaded: return "OverloadedError";
    case ErrorKind::kQuotaExhausted: return "QuotaExhaustedError";
    case ErrorKind::kContentFilter: return "ContentFilterError";
    case ErrorKind::kInvalidPrompt: return "InvalidPromptError";
    case ErrorKind::kAuth: return "AuthError";
    case ErrorKind::kBadRequest: return "BadRequestError";
    case ErrorKind::kStreamCut: return "StreamCutError";
    case ErrorKind::kTimeout: return "TimeoutError";
    case ErrorKind::kConnection: return "ConnectionError";
    case ErrorKind::kCancelled: return "CancelledError";
  }
  return "UnknownError";
}

bool is_retryable(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kRateLimited:
    case ErrorKind::kOverloaded:
    case ErrorKind::kStreamCut:
    case ErrorKind::kTimeout:
    case ErrorKind::kConnection: return true;
    case ErrorKind::kQuotaExhausted:
    case ErrorKind::kContentFilter:
    case ErrorKind::kInvalidPrompt:
    case ErrorKind::kAuth:
    case ErrorKind::kBadRequest:
    case ErrorKind::kCancelled: return false;
  }
  return false;
}

Error error_of_code(int status, std::string code, std::string type, std::string message) {
  Error error(kind_of(status, code, type, message), {});
  error.http_status = status;
  error.code = code.empty() ? std::move(type) : std::move(code);
  if (message.empty()) message = error.code;
  message = to_utf8(cut_text(message, kMaxMessageBytes));
  error.message = status == 0 ? "the model's stream reported: " + message
                              : "the model answered " + std::to_string(status) + ": " + message;
  return error;
}

Error error_of_response(const net::HttpHead& head, std::string_view body, WallTime now) {
  std::string code;
  std::string type;
  std::string message;
  const Json json = parse_json(body, kMaxForeignJsonDepth);
  if (json.is_object()) {
    const auto inner = json.find("error");
    if (inner != json.end() && inner->is_object()) {
      code = text_of(*inner, "code");
      type = text_of(*inner, "type");
      message = text_of(*inner, "message");
    } else {
      message = inner != json.end() ? text_of(json, "error") : text_of(json, "message");
      code = text_of(json, "code");
    }
  }
  if (message.empty()) message = std::string(body.substr(0, 200));
  Error error = error_of_code(head.status, std::move(code), std::move(type), std::move(message));
  error.retry_after = net::retry_after(head, now);
  // The provider's own word on whether it is worth it; what the content caused stays final.
  const std::string_view should = head.header("x-should-retry");
  const bool final_by_content = error.kind == ErrorKind::kQuotaExhausted ||
                                error.kind == ErrorKind::kContentFilter ||
                                error.kind == ErrorKind::kInvalidPrompt;
  if (should == "false") error.retryable = false;
  if (should == "true" && !final_by_content) error.retryable = true;
  return error;
}

}  // namespace holdfast::model
