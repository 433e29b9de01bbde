#include "net/problem.h"

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace holdfast::net {

namespace {

struct Mapping {
  Code code;
  int status;
  std::string_view name;
};

constexpr Mapping kMappings[] = {
    {Code::kCancelled, 499, "cancelled"},
    {Code::kInvalidArgument, 400, "invalid_argument"},
    {Code::kDeadlineExceeded, 504, "timeout"},
    {Code::kNotFound, 404, "not_found"},
    {Code::kAlreadyExists, 409, "already_exists"},
    {Code::kPermissionDenied, 403, "permission_denied"},
    {Code::kResourceExhausted, 429, "resource_exhausted"},
    {Code::kFailedPrecondition, 409, "failed_precondition"},
    {Code::kAborted, 409, "aborted"},
    {Code::kOutOfRange, 400, "out_of_range"},
    {Code::kUnimplemented, 501, "not_implemented"},
    {Code::kUnavailable, 503, "unavailable"},
    {Code::kDataLoss, 500, "data_loss"},
    {Code::kUnauthenticated, 401, "unauthenticated"},
};

}  // namespace

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100: return "Continue";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 421: return "Misdirected Request";
    case 422: return "Unprocessable Content";
    case 428: return "Precondition Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 499: return "Client Closed Request";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "Status";
  }
}

Problem Problem::from(const Status& status) {
  for (const Mapping& mapping : kMappings) {
    if (mapping.code == status.code())
      return Problem(mapping.status, std::string(mapping.name), status.message());
  }
  return Problem(500, "internal", status.message());
}

Response Problem::response() const {
  nlohmann::ordered_json document = {
      {"type", "urn:holdfast:problem:" + code_},
      {"title", reason_phrase(status_)},
      {"status", status_},
      {"detail", detail_},
      {"code", code_},
  };
  if (!hint_.empty()) document["hint"] = hint_;
  for (const Header& member : members_) {
    document[member.name] = parse_json<nlohmann::ordered_json>(member.value);
  }
  Response response;
  response.status = status_;
  response.content_type = "application/problem+json";
  response.body = dump_json(document);
  response.headers = headers_;
  return response;
}

}  // namespace holdfast::net
