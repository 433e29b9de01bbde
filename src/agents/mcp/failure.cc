#include "mcp/failure.h"

namespace holdfast::mcp {

using enum Failure::Kind;

Status Failure::status() const {
  switch (kind) {
    case kNotSent: return {cause, message};
    case kUnauthorized: return {Code::kUnauthenticated, message};
    case kBusy:
    case kUnreachable: return {Code::kUnavailable, message};
    case kCancelled: return {Code::kCancelled, message};
    case kTooLarge: return {Code::kResourceExhausted, message};
    default: return {Code::kFailedPrecondition, message};
  }
}

std::unexpected<Failure> failed(const Status& status) {
  switch (status.code()) {
    case Code::kUnavailable: return failed(kUnreachable, status.message());
    case Code::kUnauthenticated: return failed(kUnauthorized, status.message());
    default: break;
  }
  Failure out(kNotSent, status.message());
  out.cause = status.code();
  return std::unexpected(std::move(out));
}

std::unexpected<Failure> failed(const net::HttpError& error) {
  switch (error.failure) {
    case net::HttpFailure::kRefused:
    case net::HttpFailure::kBadRequest: return failed(kNotSent, error.message);
    case net::HttpFailure::kCancelled: return failed(kCancelled, error.message);
    case net::HttpFailure::kTooLarge: return failed(kTooLarge, error.message);
    default: return failed(kUnreachable, error.message);
  }
}

}  // namespace holdfast::mcp
