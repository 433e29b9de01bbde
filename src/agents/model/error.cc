// What went wrong at the provider. The body's code decides before the status: a quota that is used up and a
// rate that is exceeded are both 429, and only one of them is worth a retry.

#include "model/error.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <initializer_list>
#include <nlohmann/json.hpp>

#include "base/ascii.h"
#include "base/json.h"
#include "base/json_member.h"
#include "base/kept_numbers.h"
#include "base/text.h"
#include "model/opaque.h"
#include "net/retry_after.h"

namespace holdfast::model {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kShownBodyBytes = 200;

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
    // Azure, Google, AWS, OpenRouter, vLLM, DeepSeek, Mistral, Groq in the same place.
    CodeMeaning{"quota_exceeded", ErrorKind::kQuotaExhausted},
    CodeMeaning{"quotaexceeded", ErrorKind::kQuotaExhausted},
    CodeMeaning{"insufficient_balance", ErrorKind::kQuotaExhausted},
    CodeMeaning{"insufficient_credits", ErrorKind::kQuotaExhausted},
    CodeMeaning{"payment_required", ErrorKind::kQuotaExhausted},
    CodeMeaning{"content_filter_error", ErrorKind::kContentFilter},
    CodeMeaning{"moderation_error", ErrorKind::kContentFilter},
    CodeMeaning{"unauthenticated", ErrorKind::kAuth},
    CodeMeaning{"unauthorized", ErrorKind::kAuth},
    CodeMeaning{"permission_denied", ErrorKind::kAuth},
    CodeMeaning{"accessdeniedexception", ErrorKind::kAuth},
    CodeMeaning{"rate_limited", ErrorKind::kRateLimited},
    CodeMeaning{"ratelimiterror", ErrorKind::kRateLimited},
    CodeMeaning{"too_many_requests", ErrorKind::kRateLimited},
    CodeMeaning{"toomanyrequests", ErrorKind::kRateLimited},
    CodeMeaning{"resource_exhausted", ErrorKind::kRateLimited},
    CodeMeaning{"throttlingexception", ErrorKind::kRateLimited},
    CodeMeaning{"engine_overloaded", ErrorKind::kOverloaded},
    CodeMeaning{"overloaded", ErrorKind::kOverloaded},
    CodeMeaning{"unavailable", ErrorKind::kOverloaded},
    CodeMeaning{"service_unavailable", ErrorKind::kOverloaded},
    CodeMeaning{"serviceunavailableexception", ErrorKind::kOverloaded},
    CodeMeaning{"internal", ErrorKind::kOverloaded},
    CodeMeaning{"internal_error", ErrorKind::kOverloaded},
    CodeMeaning{"internal_server_error", ErrorKind::kOverloaded},
    CodeMeaning{"internalservererror", ErrorKind::kOverloaded},
    CodeMeaning{"internalserverexception", ErrorKind::kOverloaded},
    CodeMeaning{"modelstreamerrorexception", ErrorKind::kOverloaded},
    CodeMeaning{"deadline_exceeded", ErrorKind::kTimeout},
    CodeMeaning{"timeout", ErrorKind::kTimeout},
    CodeMeaning{"modeltimeoutexception", ErrorKind::kTimeout},
    CodeMeaning{"invalid_argument", ErrorKind::kBadRequest},
    CodeMeaning{"failed_precondition", ErrorKind::kBadRequest},
    CodeMeaning{"validationexception", ErrorKind::kBadRequest},
    CodeMeaning{"badrequesterror", ErrorKind::kBadRequest},
    CodeMeaning{"model_not_found", ErrorKind::kBadRequest},
    // What a stored answer failed of.
    CodeMeaning{"image_content_policy_violation", ErrorKind::kContentFilter},
    CodeMeaning{"bio_policy", ErrorKind::kContentFilter},
    CodeMeaning{"misalignment_policy_violation", ErrorKind::kContentFilter},
    CodeMeaning{"data_residency_mismatch", ErrorKind::kBadRequest},
    CodeMeaning{"vector_store_timeout", ErrorKind::kTimeout},
    CodeMeaning{"invalid_image", ErrorKind::kBadRequest},
    CodeMeaning{"invalid_image_format", ErrorKind::kBadRequest},
    CodeMeaning{"invalid_base64_image", ErrorKind::kBadRequest},
    CodeMeaning{"invalid_image_url", ErrorKind::kBadRequest},
    CodeMeaning{"invalid_image_mode", ErrorKind::kBadRequest},
    CodeMeaning{"image_too_large", ErrorKind::kBadRequest},
    CodeMeaning{"image_too_small", ErrorKind::kBadRequest},
    CodeMeaning{"image_parse_error", ErrorKind::kBadRequest},
    CodeMeaning{"image_file_too_large", ErrorKind::kBadRequest},
    CodeMeaning{"image_file_not_found", ErrorKind::kBadRequest},
    CodeMeaning{"empty_image_file", ErrorKind::kBadRequest},
    CodeMeaning{"unsupported_image_media_type", ErrorKind::kBadRequest},
    CodeMeaning{"failed_to_download_image", ErrorKind::kBadRequest},
    CodeMeaning{"deploymentnotfound", ErrorKind::kBadRequest},
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

// The first of these members that says anything, as text: a code may be a number, a message a list.
std::string text_of(const Json& object, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const auto found = object.find(name);
    if (found == object.end() || !says_something(*found) || found->is_boolean()) continue;
    return found->is_string() ? found->get<std::string>() : dump_kept(*found);
  }
  return {};
}

// vLLM, OpenRouter and Google say the status of the response that they would have sent.
int status_in(const Json& object, int otherwise) {
  for (const char* name : {"code", "status", "status_code", "statusCode"}) {
    const auto found = object.find(name);
    if (found == object.end()) continue;
    std::int64_t status = 0;
    if (found->is_number_integer()) status = integer_member(object, name).value_or(0);
    if (found->is_string() && found->get_ref<const std::string&>().size() == 3)
      status = std::atoi(found->get_ref<const std::string&>().c_str());
    if (status >= 400 && status <= 599) return static_cast<int>(status);
  }
  return otherwise;
}

// `object` is the error itself; proxies wrap one into another.
Error error_of_object(const Json& object, int status, int depth = 0) {
  if (const auto inner = object.find("error");
      inner != object.end() && inner->is_object() && !inner->empty() && depth < 4) {
    return error_of_object(*inner, status_in(object, status), depth + 1);
  }
  std::string code = text_of(object, {"code", "__type", "Code"});
  std::string type = text_of(object, {"type", "status", "error_type"});
  std::string message =
      text_of(object, {"message", "msg", "Message", "detail", "error", "errorMessage", "title"});
  if (message.empty()) message = dump_kept(object);
  return error_of_code(status == 0 ? status_in(object, 0) : status, std::move(code), std::move(type),
                       std::move(message));
}

bool has_answer(const Json& document) {
  return document.contains("choices") || document.contains("content") || document.contains("delta") ||
         document.contains("content_block") || document.contains("message_start");
}

// Documents that are an error as a whole, and not an answer.
bool is_error_object(const Json& document) {
  const std::string type = ascii_lower(text_of(document, {"type"}));
  const std::string object = text_of(document, {"object"});
  if (type == "error" || object == "error") return true;
  if (has_answer(document)) return false;
  if (document.contains("detail") || document.contains("__type")) return true;
  const bool says = document.contains("message") && document["message"].is_string();
  return says && (document.contains("code") || document.contains("status") ||
                  document.contains("statusCode") || document.size() == 1);
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
    case ErrorKind::kNotGranted: return "NotGrantedError";
    case ErrorKind::kBadRequest: return "BadRequestError";
    case ErrorKind::kUnknownStop: return "UnknownStopReasonError";
    case ErrorKind::kInvalidOutput: return "InvalidOutputError";
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
    case ErrorKind::kInvalidOutput:
    case ErrorKind::kStreamCut:
    case ErrorKind::kTimeout:
    case ErrorKind::kConnection: return true;
    case ErrorKind::kQuotaExhausted:
    case ErrorKind::kContentFilter:
    case ErrorKind::kInvalidPrompt:
    case ErrorKind::kAuth:
    case ErrorKind::kNotGranted:
    case ErrorKind::kBadRequest:
    case ErrorKind::kUnknownStop:
    case ErrorKind::kCancelled: return false;
  }
  return false;
}

Error error_of_code(int status, std::string code, std::string type, std::string message) {
  Error error(kind_of(status, code, type, message), {});
  error.http_status = status;
  error.code = code.empty() ? std::move(type) : std::move(code);
  if (message.empty()) message = error.code;
  message = to_utf8(message);
  error.message = status == 0 ? "the model's stream reported: " + message
                              : "the model answered " + std::to_string(status) + ": " + message;
  return error;
}

std::optional<Error> error_in(const Json& document, int status) {
  if (document.is_array()) {
    if (document.empty()) return std::nullopt;
    return error_in(document.front(), status);
  }
  if (!document.is_object()) return std::nullopt;
  const auto inner = document.find("error");
  if (inner != document.end() && !inner->is_null() && *inner != false && *inner != "") {
    if (inner->is_object()) {
      Error error = error_of_object(*inner, status_in(document, status));
      if (inner->empty()) error.message += " (without a word)";
      return error;
    }
    Json wrapped = document;
    if (inner->is_boolean() || wrapped.contains("message")) {
      wrapped.erase("error");
    }
    return error_of_object(wrapped, status);
  }
  if (const auto list = document.find("errors");
      list != document.end() && list->is_array() && !list->empty() && !has_answer(document)) {
    const Json& first = list->front();
    return first.is_object() ? error_of_object(first, status)
                             : error_of_code(status, {}, {},
                                             first.is_string() ? first.get<std::string>() : dump_kept(first));
  }
  if (const auto base = document.find("base_resp"); base != document.end() && base->is_object()) {
    if (integer_member(*base, "status_code").value_or(0) != 0)
      return error_of_code(status, text_of(*base, {"status_code"}), {}, text_of(*base, {"status_msg"}));
  }
  if (is_error_object(document)) return error_of_object(document, status);
  return std::nullopt;
}

Error error_of_response(const net::HttpHead& head, std::string_view body, WallTime now) {
  const Json json = parse_json<Json>(body, kMaxForeignJsonDepth);
  std::optional<Error> said;
  if (!json.is_discarded()) said = error_in(json, head.status);
  if (!said && json.is_object()) said = error_of_object(json, head.status);
  Error error = said ? std::move(*said)
                     : error_of_code(head.status, {}, {}, std::string(body.substr(0, kShownBodyBytes)));
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
