#pragma once

// Decoder: the events of one provider's stream become deltas and a completion. Pure: what a provider's file
// derives.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "model/completion.h"
#include "model/error.h"
#include "net/sse_parser.h"

namespace holdfast::model {

class Decoder {
 public:
  using OnDelta = std::move_only_function<void(const Delta&)>;

  virtual ~Decoder() = default;
  // Nothing happens after there is an error.
  virtual void event(const net::SseEvent& event, OnDelta& on_delta) = 0;
  // The provider has said that this is all.
  virtual bool complete() const = 0;

  const std::optional<Error>& error() const { return error_; }
  Completion take() { return std::move(completion_); }

 protected:
  void add_text(std::string_view text, OnDelta& on_delta);
  // Returns the position of the new call.
  std::size_t begin_call(std::string id, std::string name, OnDelta& on_delta);
  void add_arguments(std::size_t call, std::string_view fragment, OnDelta& on_delta);
  void fail_with(ErrorKind kind, std::string message, std::string code = {});
  void fail_with(Error error) { error_ = std::move(error); }

  Completion completion_;

 private:
  std::optional<Error> error_;
};

}  // namespace holdfast::model
