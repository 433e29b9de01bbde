#pragma once

// Errors as RFC 9457 problem documents: {type, title, status, detail, code, hint}. `code` is stable and meant
// for programs, `detail` says what is wrong with this request, `hint` what to do about it.

#include <string>
#include <string_view>

#include "holdfast/status.h"
#include "net/message.h"

namespace holdfast::net {

class Problem {
 public:
  Problem(int status, std::string code, std::string detail)
      : status_(status), code_(std::move(code)), detail_(std::move(detail)) {}
  // From an engine's or store's status: NOT_FOUND -> 404 and so on.
  static Problem from(const Status& status);

  Problem&& hint(std::string text) && { return hint_ = std::move(text), std::move(*this); }
  // An additional member of the document; `json` is a serialised JSON value.
  Problem&& member(std::string name, std::string json) && {
    return members_.push_back({std::move(name), std::move(json)}), std::move(*this);
  }
  Problem&& header(std::string name, std::string value) && {
    return headers_.push_back({std::move(name), std::move(value)}), std::move(*this);
  }

  int status() const { return status_; }
  const std::string& code() const { return code_; }
  const std::string& detail() const { return detail_; }

  Response response() const;

 private:
  int status_;
  std::string code_;
  std::string detail_;
  std::string hint_;
  std::vector<Header> members_;
  std::vector<Header> headers_;
};

// "Not Found"
std::string_view reason_phrase(int status);

}  // namespace holdfast::net
