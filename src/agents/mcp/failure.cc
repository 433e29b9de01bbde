#include "mcp/failure.h"

namespace holdfast::mcp {

using Kind = Failure::Kind;

Status Failure::status() const {
  switch (kind) {
    case Kind::kNotSent: return {cause, message};
    case Kind::kUnauthorized: return {Code::kUnauthenticated, message};
    case Kind::kBusy:
    case Kind::kUnreachable: return {Code::kUnavailable, message};
    case Kind::kCancelled: return {Code::kCancelled, message};
    case Kind::kTooLarge: return {Code::kResourceExhausted, message};
    default: return {Code::kFailedPrecondition, message};
  }
}

std::unexpected<Failure> failed(const Status& status) {
  switch (status.code()) {
    case Code::kUnavailable: return failed(Kind::kUnreachable, status.message());
    case Code::kUnauthenticated: return failed(Kind::kUnauthorized, status.message());
    default: break;
  }
  Failure out(Kind::kNotSent, status.message());
  out.cause = status.code();
  return std::unexpected(std::move(out));
}

std::unexpected<Failure> failed(const net::HttpError& error) {
  switch (error.failure) {
    case net::HttpFailure::kRefused:
    case net::HttpFailure::kBadRequest: return failed(Kind::kNotSent, error.message);
    case net::HttpFailure::kCancelled: return failed(Kind::kCancelled, error.message);
    case net::HttpFailure::kTooLarge: return failed(Kind::kTooLarge, error.message);
    default: return failed(Kind::kUnreachable, error.message);
  }
}

}  // namespace holdfast::mcp
