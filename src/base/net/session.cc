#include "net/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include "base/ascii.h"
#include "net/departure.h"
#include "net/guard.h"
#include "net/problem.h"
#include "net/response_head.h"
#include "net/sender.h"
#include "net/socket.h"

namespace holdfast::net {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using Protocol = asio::generic::stream_protocol;
using Parser = beast::http::request_parser<beast::http::string_body>;
using error_code = boost::system::error_code;

class Session;

// Handlers may answer from any thread and may outlive the connection.
class SessionWriter final : public ResponseWriter {
 public:
  SessionWriter(std::shared_ptr<SessionContext> context, std::weak_ptr<Session> session, Departure::Flag gone)
      : context_(std::move(context)), session_(std::move(session)), gone_(std::move(gone)) {}
  void reply(Response response) override;
  void drop() override;
  std::shared_ptr<Stream> stream(Response head, Executor& executor, Stream::Source source) override;
  // Never locks the session: its last owner has to be the io thread.
  bool gone() const override { return *gone_ || session_.expired(); }

 private:
  std::shared_ptr<SessionContext> context_;
  std::weak_ptr<Session> session_;
  const Departure::Flag gone_;
};

// The source lives on its executor: called there, destroyed there.
class SessionStream final : public Stream, public std::enable_shared_from_this<SessionStream> {
 public:
  SessionStream(std::shared_ptr<SessionContext> context, std::weak_ptr<Session> session, Executor& executor,
                Source source)
      : context_(std::move(context)),
        session_(std::move(session)),
        executor_(executor),
        source_(std::make_shared<Source>(std::move(source))) {}

  void wake() override {
    if (woken_.exchange(true)) return;
    asio::post(context_->io, [self = shared_from_this()] { self->on_wake(); });
  }

  // Io thread, from the session.
  void on_wake();
  void on_written() { sending_ = false, pull(); }
  void end();

 private:
  void pull();
  void deliver(std::optional<std::string> bytes);
  // Without the last chunk: the reader must not take what it has for all there is.
  void break_off();

  std::shared_ptr<SessionContext> context_;
  std::weak_ptr<Session> session_;
  Executor& executor_;
  std::shared_ptr<Source> source_;
  std::atomic<bool> woken_ = false;
  // Io thread only.
  bool pulling_ = false;
  bool sending_ = false;
  bool again_ = false;
  std::atomic<bool> ended_ = false;  // written by the io thread
};

class Session final : public SessionBase, public std::enable_shared_from_this<Session> {
 public:
  Session(std::shared_ptr<SessionContext> context, Protocol::socket socket)
      : context_(std::move(context)),
        place_(context_->crowd, *this),
        stream_(std::move(socket), context_->options.tls ? context_->options.tls->context() : nullptr),
        timer_(context_->io),
        buffer_(context_->options.max_header_bytes + 64 * 1024),
        arriving_(context_->bodies()),
        leaving_(context_->memory()) {}

  void start(bool refused);
  void send(Response response);
  void open_stream(const Response& head, std::shared_ptr<SessionStream> stream);
  void send_chunk(std::string bytes, bool of_source = false);
  void end_stream();
  void finish() override;
  void close() override;

 private:
  void begin(bool refused);
  void read_header(bool first);
  void read_head();
  void on_head(error_code error);
  void read_body();
  void read_more_body();
  void on_body(error_code error);
  void dispatch();
  void refuse(const Problem& problem);
  Problem headers_too_large() const;
  Problem body_too_large() const;
  Problem out_of_memory() const;
  void write(std::string bytes, bool closing);
  void on_written(error_code error, bool closing);
  void watch_for_close();
  void arm_heartbeat();
  void linger();

  std::shared_ptr<SessionContext> context_;
  Crowd::Place place_;
  Socket stream_;
  asio::steady_timer timer_;  // of the body that is arriving, or of the stream's heartbeat
  beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  HeadScan scan_;
  HeldMemory arriving_;  // the body
  HeldMemory leaving_;   // what is being written
  Sender sender_;
  std::shared_ptr<SessionStream> active_;
  std::string_view beat_;  // what a silent stream sends; of a document: blanks, until it begins
  std::string out_;
  char probe_ = 0;
  Departure departure_;
  std::size_t lingered_ = 0;
  bool refused_ = false;
  bool timed_out_ = false;
  bool head_only_ = false;
  bool keep_alive_ = false;
  bool chunked_ = false;
  bool writing_ = false;
  bool waiting_ = false;  // a handler owes an answer
  bool last_chunk_ = false;
  bool closed_ = false;
};

// ---- writer

void SessionWriter::reply(Response response) {
  asio::post(context_->io, [session = session_, response = std::move(response)]() mutable {
    if (auto open = session.lock()) open->send(std::move(response));
  });
}

void SessionWriter::drop() {
  asio::post(context_->io, [session = session_] {
    if (auto open = session.lock()) open->close();
  });
}

std::shared_ptr<Stream> SessionWriter::stream(Response head, Executor& executor, Stream::Source source) {
  auto stream = std::make_shared<SessionStream>(context_, session_, executor, std::move(source));
  asio::post(context_->io, [session = session_, head = std::move(head), stream] {
    if (auto open = session.lock()) {
      open->open_stream(head, stream);
    } else {
      stream->end();
    }
  });
  return stream;
}

// ---- stream

void SessionStream::on_wake() {
  woken_ = false;
  if (pulling_ || sending_) {
    again_ = true;
  } else {
    pull();
  }
}

void SessionStream::pull() {
  if (ended_ || pulling_ || sending_) return;
  pulling_ = true;
  again_ = false;
  executor_.post([self = shared_from_this(), source = source_] {
    if (self->ended_) return;  // while the job stood in line: its page is for nobody
    std::optional<std::string> bytes;
    try {
      bytes = (*source)();
    } catch (const StreamCut&) {
      return asio::post(self->context_->io, [self] { self->break_off(); });
    } catch (const std::exception& error) {
      fmt::print(stderr, "holdfast: a stream of the HTTP server failed: {}\n", error.what());
      return asio::post(self->context_->io, [self] { self->break_off(); });
    }
    asio::post(self->context_->io,
               [self, bytes = std::move(bytes)]() mutable { self->deliver(std::move(bytes)); });
  });
}

void SessionStream::deliver(std::optional<std::string> bytes) {
  pulling_ = false;
  auto session = session_.lock();
  if (ended_ || !session) return end();
  if (!bytes) {
    session->end_stream();
  } else if (!bytes->empty()) {
    sending_ = true;
    session->send_chunk(std::move(*bytes), true);
  } else if (again_) {
    pull();
  }
}

void SessionStream::break_off() {
  end();
  if (auto session = session_.lock()) session->close();
}

void SessionStream::end() {
  if (ended_.exchange(true)) return;
  executor_.post([source = std::move(source_)] {});
}

// ---- session: reading

void Session::start(bool refused) {
  auto sender = Sender::of(stream_.socket(), context_->options, context_->beyond_loopback, stream_.is_tls());
  if (!sender) return close();
  sender_ = *std::move(sender);
  place_.wait(Crowd::For::kRequest);
  stream_.expires_after(context_->options.header_timeout);
  stream_.shake_hands([self = shared_from_this(), refused](error_code failed) {
    failed || self->closed_ ? self->close() : self->begin(refused);
  });
}

void Session::begin(bool refused) {
  if (refused) {
    place_.leave();
    keep_alive_ = false;
    waiting_ = true;
    send(Problem(503, "too_many_connections", "the server holds as many connections as it may")
             .hint("close some, or try again in a moment")
             .header("Retry-After", "1")
             .response());
    return;
  }
  read_header(true);
}

void Session::read_header(bool first) {
  place_.wait(first ? Crowd::For::kRequest : Crowd::For::kNextRequest);
  keep_alive_ = false;
  head_only_ = false;
  parser_.emplace();
  scan_ = {};
  parser_->header_limit(static_cast<std::uint32_t>(context_->options.max_header_bytes));
  parser_->body_limit(context_->options.max_body_bytes);
  stream_.expires_after(first ? context_->options.header_timeout : context_->options.idle_timeout);
  read_head();
}

// The head is looked at as it came before it is parsed: the parser joins folded lines.
void Session::read_head() {
  const HeadBytes head = scan_.find({static_cast<const char*>(buffer_.data().data()), buffer_.size()});
  if (!head.wrong.empty()) return refuse(Problem(400, "malformed_request", head.wrong));
  const std::size_t limit = context_->options.max_header_bytes;
  if (head.end > limit || (head.end == 0 && buffer_.size() >= limit)) return refuse(headers_too_large());
  if (head.end > 0) {
    error_code error;
    buffer_.consume(parser_->put(asio::buffer(buffer_.data(), head.end), error));
    return on_head(error);
  }
  stream_.async_read_some(buffer_.prepare(std::min<std::size_t>(4096, limit - buffer_.size())),
                          [self = shared_from_this()](error_code error, std::size_t bytes) {
                            if (error) return self->close();
                            self->place_.begin_next();
                            self->buffer_.commit(bytes);
                            self->read_head();
                          });
}

Problem Session::headers_too_large() const {
  return Problem(431, "headers_too_large",
                 fmt::format("the request's headers exceed {} bytes", context_->options.max_header_bytes));
}

void Session::on_head(error_code error) {
  namespace http = beast::http;
  if (error == http::error::header_limit) return refuse(headers_too_large());
  if (error == http::error::body_limit) return refuse(body_too_large());
  if (error)
    return refuse(Problem(400, "malformed_request", "this is not an HTTP/1.1 request: " + error.message()));
  head_only_ = parser_->get().method() == http::verb::head;
  if (std::optional<Problem> problem = guard(parser_->get(), {.pages = context_->options.pages,
                                                              .hosts = context_->options.hosts,
                                                              .numbers = context_->beyond_loopback}))
    return refuse(*problem);
  keep_alive_ = parser_->get().keep_alive() && !context_->stopping;
  if (beast::iequals(parser_->get()[http::field::expect], "100-continue")) {
    out_ = "HTTP/1.1 100 Continue\r\n\r\n";
    asio::async_write(stream_, asio::buffer(out_),
                      [self = shared_from_this()](error_code failed, std::size_t) {
                        failed ? self->close() : self->read_body();
                      });
    return;
  }
  read_body();
}

// The stream's own timeout would close the socket and leave no way to say why.
void Session::read_body() {
  stream_.expires_never();
  timer_.expires_after(context_->options.body_timeout);
  timer_.async_wait([self = shared_from_this()](error_code error) {
    if (error || self->closed_) return;
    self->timed_out_ = true;
    self->keep_alive_ = false;
    self->waiting_ = true;
    self->send(Problem(408, "request_timeout", "the body did not arrive in time").response());
  });
  read_more_body();
}

// In pieces, so that a body counts as it arrives: a client that only says that it will send much takes
// nothing.
void Session::read_more_body() {
  if (parser_->is_done()) return on_body({});
  beast::http::async_read_some(stream_, buffer_, *parser_,
                               [self = shared_from_this()](error_code error, std::size_t) {
                                 if (error || self->closed_ || self->timed_out_) return self->on_body(error);
                                 if (!self->arriving_.resize(self->parser_->get().body().size()).ok())
                                   return self->on_body(asio::error::no_memory);
                                 self->read_more_body();
                               });
}

void Session::on_body(error_code error) {
  namespace http = beast::http;
  if (timed_out_ || closed_) return;
  timer_.cancel();
  if (error == http::error::body_limit) {
    return refuse(body_too_large());
  }
  if (error == http::error::end_of_stream || error == http::error::partial_message) return close();
  if (error == asio::error::no_memory) return refuse(out_of_memory());
  if (error) return refuse(Problem(400, "malformed_request", "the body cannot be read: " + error.message()));
  dispatch();
}

Problem Session::body_too_large() const {
  return Problem(
      413, "body_too_large",
      fmt::format("the body exceeds the {} bytes that are accepted", context_->options.max_body_bytes));
}

Problem Session::out_of_memory() const {
  return Problem(503, "out_of_memory", "the server holds as many bytes of requests and replies as it may")
      .hint("try again in a moment")
      .header("Retry-After", "1");
}

void Session::dispatch() {
  place_.leave();
  auto message = parser_->release();
  Request request;
  request.method = std::string(message.method_string());
  std::string_view target(message.target().data(), message.target().size());
  // The absolute form, as sent to a proxy (RFC 9112, section 3.2.2). The Host header was looked at before.
  if (target.starts_with("http://") || target.starts_with("https://")) {
    target.remove_prefix(std::min(target.find('/', 8), target.size()));
    if (target.empty()) target = "/";
  }
  std::size_t question = std::min(target.find('?'), target.size());
  request.path = std::string(target.substr(0, question));
  if (question < target.size()) {
    std::string_view query = target.substr(question + 1);
    request.query = parse_query(query.substr(0, query.find('#')));
  }
  for (const auto& field : message) {
    request.headers.push_back({ascii_lower(field.name_string()), std::string(field.value())});
  }
  request.peer = sender_.asks_for(message.base());
  request.user = sender_.user;
  request.secure = stream_.is_tls() || sender_.is_proxy;
  request.body = std::move(message.body());
  // With the context, which may hold the budget.
  request.memory = std::make_shared<std::pair<std::shared_ptr<SessionContext>, HeldMemory>>(
      context_, std::exchange(arriving_, HeldMemory(context_->bodies())));
  chunked_ = message.version() == 11;
  waiting_ = true;
  stream_.expires_never();
  try {
    context_->handler(std::move(request), Responder(std::make_shared<SessionWriter>(
                                              context_, weak_from_this(), departure_.flag())));
  } catch (const std::exception& error) {  // the responder, dropped, has answered 500
    fmt::print(stderr, "holdfast: a handler of the HTTP server failed: {}\n", error.what());
  }
  if (!closed_) departure_.watch(stream_.socket(), shared_from_this());
}

void Session::refuse(const Problem& problem) {
  keep_alive_ = false;
  refused_ = true;
  waiting_ = true;
  send(problem.response());
}

// ---- session: writing

void Session::send(Response response) {
  if (closed_ || !std::exchange(waiting_, false)) return;
  if (!head_only_ && !leaving_.resize(response.body.size()).ok()) {
    keep_alive_ = false;
    response = out_of_memory().response();
  }
  std::string bytes = head_text(
      response, response.status == 204 ? "" : fmt::format("Content-Length: {}\r\n", response.body.size()),
      keep_alive_);
  if (!head_only_) bytes += response.body;
  write(std::move(bytes), !keep_alive_);
}

void Session::open_stream(const Response& head, std::shared_ptr<SessionStream> stream) {
  if (closed_ || context_->stopping || !std::exchange(waiting_, false)) {
    stream->end();
    if (context_->stopping) close();
    return;
  }
  keep_alive_ = false;
  if (head_only_) {
    stream->end();
    return write(head_text(head, "", keep_alive_), true);
  }
  active_ = std::move(stream);
  beat_ = head.content_type == "text/event-stream"  ? ": heartbeat\n\n"
          : head.content_type == "application/json" ? "\n"
                                                    : "";
  watch_for_close();
  arm_heartbeat();
  write(head_text(head, chunked_ ? "Transfer-Encoding: chunked\r\n" : "", keep_alive_), false);
}

void Session::send_chunk(std::string bytes, bool of_source) {
  if (closed_) return;
  if (of_source && beat_ == "\n") beat_ = {};
  // Readers of streams come back to where they were.
  if (!leaving_.resize(out_.size() + bytes.size()).ok()) return close();
  if (chunked_) bytes = fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes);
  if (writing_) {  // a heartbeat is on its way
    out_ += bytes;
    return;
  }
  write(std::move(bytes), false);
}

void Session::end_stream() {
  if (closed_ || last_chunk_) return;
  last_chunk_ = true;
  std::string tail = chunked_ ? "0\r\n\r\n" : "";
  if (writing_) {
    out_ += tail;
  } else {
    write(std::move(tail), true);
  }
}

// `out_` collects what comes while a write runs: at most one batch, a heartbeat and the tail of a stream.
void Session::write(std::string bytes, bool closing) {
  writing_ = true;
  place_.wait(Crowd::For::kReader);
  stream_.expires_after(context_->options.write_timeout);
  auto data = std::make_shared<std::string>(std::move(bytes));
  out_.clear();
  asio::async_write(stream_, asio::buffer(*data),
                    [self = shared_from_this(), data, closing](error_code error, std::size_t) {
                      self->on_written(error, closing);
                    });
}

void Session::on_written(error_code error, bool closing) {
  writing_ = false;
  place_.leave();
  if (error || closed_) return close();
  (void)leaving_.resize(out_.size());  // less than before
  if (closing) return refused_ ? linger() : close();
  if (!out_.empty()) return write(std::exchange(out_, {}), last_chunk_);
  if (last_chunk_) return close();
  if (active_) {
    stream_.expires_never();
    arm_heartbeat();
    active_->on_written();
    return;
  }
  read_header(false);
}

// A reader that went away is noticed at once, not with the next write.
void Session::watch_for_close() {
  stream_.socket().async_read_some(asio::buffer(&probe_, 1),
                                   [self = shared_from_this()](error_code, std::size_t) { self->close(); });
}

void Session::arm_heartbeat() {
  if (beat_.empty()) return;
  timer_.expires_after(context_->options.heartbeat);
  timer_.async_wait([self = shared_from_this()](error_code error) {
    if (error || self->closed_ || self->writing_) return;
    self->send_chunk(std::string(self->beat_));
  });
}

// Closing a socket that has unread bytes resets it, and the client would never see why it was refused.
void Session::linger() {
  constexpr std::size_t kMaxLingerBytes = 16 << 20;
  if (lingered_ == 0) {
    error_code ignored;
    stream_.socket().shutdown(asio::socket_base::shutdown_send, ignored);
    stream_.expires_after(std::chrono::seconds(2));
  }
  buffer_.clear();
  stream_.async_read_some(buffer_.prepare(16 * 1024),
                          [self = shared_from_this()](error_code error, std::size_t bytes) {
                            self->lingered_ += bytes;
                            error || self->lingered_ > kMaxLingerBytes ? self->close() : self->linger();
                          });
}

void Session::finish() {
  keep_alive_ = false;
  if (active_) return end_stream();
  if (!writing_ && !waiting_) close();
}

void Session::close() {
  if (std::exchange(closed_, true)) return;
  place_.leave();
  timer_.cancel();
  arriving_ = HeldMemory();
  leaving_ = HeldMemory();
  if (active_) active_->end();
  active_.reset();
  error_code ignored;
  stream_.socket().shutdown(asio::socket_base::shutdown_both, ignored);
  stream_.close();
  context_->sessions.erase(shared_from_this());
}

}  // namespace

void start_session(std::shared_ptr<SessionContext> context, Protocol::socket socket) {
  bool refused = context->sessions.size() >= context->options.max_connections;
  if (SessionBase* other = refused ? context->crowd.first_to_go() : nullptr) {
    other->close();
    refused = false;
  }
  auto session = std::make_shared<Session>(context, std::move(socket));
  context->sessions.insert(session);
  session->start(refused);
}

}  // namespace holdfast::net
