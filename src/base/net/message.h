#pragma once

// What an HTTP handler sees and answers: plain values, no Boost. A handler gets a Request and a Responder and
// must use the responder exactly once, on any thread; one that is dropped unused answers 500.

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "holdfast/seams.h"

namespace holdfast::net {

struct Header {
  std::string name;
  std::string value;
};

struct Request {
  std::string method;           // "GET"
  std::string path;             // as sent, percent-encoding kept, without the query
  std::vector<Header> query;    // decoded
  std::vector<Header> headers;  // names in lower case
  std::string body;
  std::string peer;  // the address of who sent it; behind a trusted proxy, of whom that names
  // Of who sent it over a Unix socket; none: it came another way.
  std::optional<std::uint32_t> user;
  bool secure = false;  // by TLS: of ours, or the proxy's
  // What whoever serves it found out about the sender; none: nothing was asked.
  std::shared_ptr<const void> sender;
  std::shared_ptr<void> memory;  // the body's bytes in the server's budget, until the last copy of it goes
  // Filled by the router: decoded path segments by name, "/runs/{id}" -> {"id", ...}.
  std::vector<Header> params;

  // "" when absent. Names of headers in lower case.
  std::string_view header(std::string_view name) const;
  std::string_view param(std::string_view name) const;
  std::optional<std::string_view> query_value(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body{};
  std::vector<Header> headers{};
};

// A response that stays open, fed by pulling: when the connection can take more, its source is asked, so a
// slow reader costs one batch of memory and nothing queues up behind it. Thread-safe.
class Stream {
 public:
  // Runs on the executor given with it, never twice at once. Bytes: sent, and asked again. Empty: nothing
  // now, asked again after wake(). None: the stream ends. Destroyed on that executor when the connection
  // ends.
  using Source = std::move_only_function<std::optional<std::string>()>;

  virtual ~Stream() = default;
  virtual void wake() = 0;
};

// What a Source throws to break the connection off, so that its reader does not take what it has for all
// there is.
struct StreamCut : std::exception {
  const char* what() const noexcept override { return "the stream is cut"; }
};

// The answering side of one request; implemented by the connection.
class ResponseWriter {
 public:
  virtual ~ResponseWriter() = default;
  virtual void drop() = 0;
  virtual void reply(Response response) = 0;
  virtual std::shared_ptr<Stream> stream(Response head, Executor& executor, Stream::Source source) = 0;
  // The client has closed its side: nobody is expected to read an answer. False as long as that is not known.
  virtual bool gone() const = 0;
};

class Responder {
 public:
  explicit Responder(std::shared_ptr<ResponseWriter> writer) : writer_(std::move(writer)) {}
  Responder(Responder&&) = default;
  Responder& operator=(Responder&&) = delete;
  Responder(const Responder&) = delete;
  Responder& operator=(const Responder&) = delete;
  ~Responder();

  void reply(Response response);
  // Sends `head` without a body and then what the source gives. `executor` must outlive the server.
  std::shared_ptr<Stream> stream(Response head, Executor& executor, Stream::Source source);
  // Closes the connection without an answer, as a server that dies would.
  void drop();
  // As ResponseWriter::gone(): for whoever is about to do much for one answer. A client that has shut down its
  // sending side alone counts as gone, too; other servers take it so as well. Thread-safe.
  bool gone() const { return writer_ == nullptr || writer_->gone(); }

 private:
  std::shared_ptr<ResponseWriter> writer_;
};

using Handler = std::function<void(Request, Responder)>;

// "a=1&b=x%20y" -> pairs, broken escapes kept as they are.
std::vector<Header> parse_query(std::string_view query);

}  // namespace holdfast::net
