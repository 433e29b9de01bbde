#pragma once

// WireFormat: one provider's way to write a request and stream an answer. Pure: bytes in, bytes out. Private
// to this module; client.cc joins it with HTTP.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "model/client.h"
#include "net/sse_parser.h"

namespace holdfast::model {

// Turns the events of one stream into deltas and a response.
class Decoder {
 public:
  using OnDelta = std::move_only_function<void(const Delta&)>;

  virtual ~Decoder() = default;
  // Nothing happens after there is an error.
  virtual void event(const net::SseEvent& event, OnDelta& on_delta) = 0;
  // The provider has said that this is all.
  virtual bool complete() const = 0;

  const std::optional<Error>& error() const { return error_; }
  Response take() { return std::move(response_); }

 protected:
  void add_text(std::string_view text, OnDelta& on_delta);
  // Returns the position of the new call.
  std::size_t begin_call(std::string id, std::string name, OnDelta& on_delta);
  void add_arguments(std::size_t call, std::string_view fragment, OnDelta& on_delta);
  void fail_with(ErrorKind kind, std::string message, std::string code = {});
  void fail_with(Error error) { error_ = std::move(error); }

  Response response_;

 private:
  std::optional<Error> error_;
};

class WireFormat {
 public:
  virtual ~WireFormat() = default;
  virtual std::string_view default_base_url() const = 0;
  // Behind the base URL.
  virtual std::string_view path() const = 0;
  virtual net::Headers headers(const std::string& api_key) const = 0;
  // INVALID_ARGUMENT: the request cannot be written, because a schema is not JSON.
  virtual Result<std::string> body(const Request& request, std::string_view base_url) const = 0;
  virtual std::unique_ptr<Decoder> decoder() const = 0;
};

std::unique_ptr<WireFormat> openai_chat_format();
std::unique_ptr<WireFormat> anthropic_messages_format();

// What a response other than 200 means. `body` may be anything.
Error error_of_response(const net::HttpHead& head, std::string_view body, WallTime now);
// What a provider's error code, type and words mean; `http_status` 0 inside a stream.
Error error_of_code(int http_status, std::string code, std::string type, std::string message);
bool is_retryable(ErrorKind kind);

}  // namespace holdfast::model
