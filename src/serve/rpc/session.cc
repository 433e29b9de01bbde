#include "rpc/session.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>
#include <utility>

#include "base/check.h"

namespace holdfast::rpc {
namespace {

// Of all streams together; what arrives is taken at once, so it bounds what one read can bring.
constexpr std::int32_t kConnectionWindow = 1 << 20;
// Frames that wait to be written, beyond which a client that does not read is not heard.
constexpr std::size_t kMaxOutboundFrames = 1000;

using Nv = std::vector<nghttp2_nv>;

void add(Nv& to, std::string_view name, std::string_view value) {
  to.push_back({.name = reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                .value = reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())),
                .namelen = name.size(),
                .valuelen = value.size(),
                .flags = NGHTTP2_NV_FLAG_NONE});
}

void add(Nv& to, const Headers& headers) {
  for (const auto& [name, value] : headers) add(to, name, value);
}

Nv head(std::string_view http_status = "200") {
  Nv result;
  add(result, ":status", http_status);
  add(result, "content-type", "application/grpc");
  add(result, "grpc-accept-encoding", "identity,gzip");
  return result;
}

}  // namespace

// What nghttp2 calls. The user data is the session; that of a stream, its call.
struct Session::Callbacks {
  static Session& session(void* user) { return *static_cast<Session*>(user); }
  // No exception goes through nghttp2: the connection ends.
  template <typename Body>
  static int guarded(Body&& body) {
    try {
      body();
      return 0;
    } catch (const std::exception&) {
      return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
  }

  static int on_begin_headers(nghttp2_session* http2, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    return guarded([&] {
      Session& self = session(user);
      const std::int32_t stream = frame->hd.stream_id;
      auto call = std::make_shared<Call>(self.state_, self, stream);
      nghttp2_session_set_stream_user_data(http2, stream, call.get());
      self.calls_.emplace(stream, std::move(call));
      self.opened_a_call_ = true;
    });
  }
  static int on_header(nghttp2_session* /*http2*/, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                       std::uint8_t /*flags*/, void* user) {
    return guarded([&] {
      if (Call* call = session(user).find(frame->hd.stream_id)) {
        call->on_header({reinterpret_cast<const char*>(name), name_size},
                        {reinterpret_cast<const char*>(value), value_size});
      }
    });
  }
  static int on_frame_recv(nghttp2_session* /*http2*/, const nghttp2_frame* frame, void* user) {
    return guarded([&] { session(user).on_frame(*frame); });
  }
  static int on_data(nghttp2_session* http2, std::uint8_t /*flags*/, std::int32_t stream,
                     const std::uint8_t* data, std::size_t size, void* user) {
    return guarded([&] {
      nghttp2_session_consume_connection(http2, size);
      Call* const call = session(user).find(stream);
      if (call == nullptr) return;
      // Its window was made as large as its message; a stream of messages goes on.
      if (call->is_stream()) nghttp2_session_consume_stream(http2, stream, size);
      call->on_data({reinterpret_cast<const char*>(data), size});
    });
  }
  static int on_stream_close(nghttp2_session* /*http2*/, std::int32_t stream, std::uint32_t /*code*/,
                             void* user) {
    return guarded([&] { session(user).on_stream_closed(stream); });
  }
  static int on_frame_send(nghttp2_session* /*http2*/, const nghttp2_frame* frame, void* user) {
    return guarded([&] { session(user).on_frame_sent(*frame); });
  }
  static ssize_t read(nghttp2_session* http2, std::int32_t stream, std::uint8_t* into, std::size_t most,
                      std::uint32_t* flags, nghttp2_data_source* source, void* /*user*/) {
    Call& call = *static_cast<Call*>(source->ptr);
    Call::Piece piece;
    const int failed = guarded([&] {
      piece = call.read_reply(reinterpret_cast<char*>(into), most);
      if (!piece.end) return;
      *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
      const Headers status = status_headers(call.status());
      Nv trailers;
      add(trailers, status);
      nghttp2_submit_trailer(http2, stream, trailers.data(), trailers.size());
    });
    if (failed != 0) return failed;
    if (!piece.end && piece.bytes == 0) return NGHTTP2_ERR_DEFERRED;
    return static_cast<ssize_t>(piece.bytes);
  }

  static nghttp2_session* make(Session& session) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_option* option = nullptr;
    nghttp2_session* http2 = nullptr;
    HF_CHECK(nghttp2_session_callbacks_new(&callbacks) == 0 && nghttp2_option_new(&option) == 0);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_no_closed_streams(option, 1);
    HF_CHECK(nghttp2_session_server_new2(&http2, callbacks, &session, option) == 0);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return http2;
  }
};

Session::Session(ServerState& state, Wire& wire)
    : state_(state),
      wire_(wire),
      http2_(Callbacks::make(*this)),
      ping_timer_(state.io),
      resets_left_(state.options.connections.resets_at_once),
      resets_counted_(state.clock.monotonic()) {
  const std::array settings = {
      nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
                             static_cast<std::uint32_t>(state_.options.max_streams)},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, Call::kMaxHeadBytes},
  };
  nghttp2_submit_settings(http2_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  nghttp2_session_set_local_window_size(http2_, NGHTTP2_FLAG_NONE, 0, kConnectionWindow);
}

Session::~Session() {
  lose();
  nghttp2_session_del(http2_);
}

void Session::lose() {
  ended_ = true;
  lost_ = true;
  for (const auto& call : std::exchange(leaving_, {})) call->on_unsent();
  // Whoever took a task and went with it may be at work; a workflow task does no harm twice.
  for (const auto& [stream, unproved] : std::exchange(unproved_, {})) {
    if (unproved.call->is_workflow_task()) unproved.call->on_undelivered();
  }
  for (const auto& [stream, call] : std::exchange(calls_, {})) call->on_close(false);
}

void Session::receive(std::string_view bytes) {
  if (ended_) return;
  const ssize_t taken =
      nghttp2_session_mem_recv(http2_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  // It is not HTTP/2, or breaks its rules so that nothing more can be said.
  if (taken < 0) ended_ = true;
}

void Session::take(std::string& into, std::size_t most) {
  while (!lost_ && into.size() < most) {
    const std::uint8_t* data = nullptr;
    const ssize_t size = nghttp2_session_mem_send(http2_, &data);
    if (size <= 0) {
      if (size < 0) ended_ = true;
      return;
    }
    into.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
  }
}

void Session::on_written() {
  for (const auto& call : std::exchange(leaving_, {})) {
    if (call->wants_proof()) unproved_[call->stream()] = {.call = call};
  }
  ask_for_proof();
}

bool Session::ended() const {
  return ended_ || (nghttp2_session_want_read(http2_) == 0 && nghttp2_session_want_write(http2_) == 0);
}

bool Session::is_backed_up() const {
  return nghttp2_session_get_outbound_queue_size(http2_) > kMaxOutboundFrames;
}

void Session::shut_down() {
  nghttp2_submit_goaway(http2_, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(http2_),
                        NGHTTP2_NO_ERROR, nullptr, 0);
  wire_.has_output();
}

void Session::end_calls() {
  std::vector<std::shared_ptr<Call>> open;
  for (const auto& [stream, call] : calls_) open.push_back(call);
  for (const auto& call : open) call->end({Code::kUnavailable, "the server is stopping"});
}

// ---- of its calls

// Its memory is taken, so all of it may come without waiting for us again.
void Session::expect(std::int32_t stream, std::size_t bytes) {
  const auto window = static_cast<std::int32_t>(bytes + kPrefixBytes);
  if (window > nghttp2_session_get_stream_effective_local_window_size(http2_, stream))
    nghttp2_session_set_local_window_size(http2_, NGHTTP2_FLAG_NONE, stream, window);
}

void Session::reply(Call& call) {
  const Nv headers = head();
  nghttp2_data_provider provider{.source = {.ptr = &call}, .read_callback = Callbacks::read};
  nghttp2_submit_response(http2_, call.stream(), headers.data(), headers.size(), &provider);
  wire_.has_output();
}

void Session::resume(Call& call) {
  nghttp2_session_resume_data(http2_, call.stream());
  wire_.has_output();
}

void Session::refuse(Call& call) {
  const Headers status = status_headers(call.status());
  Nv headers = head(call.http_status());
  add(headers, status);
  nghttp2_submit_response(http2_, call.stream(), headers.data(), headers.size(), nullptr);
  wire_.has_output();
}

void Session::reset(Call& call) {
  nghttp2_submit_rst_stream(http2_, NGHTTP2_FLAG_NONE, call.stream(), NGHTTP2_CANCEL);
  wire_.has_output();
}

double Session::resets_left(MonotonicTime now) const {
  const double seconds = std::chrono::duration<double>(now - resets_counted_).count();
  const ConnectionLimits& limits = state_.options.connections;
  return std::min(limits.resets_at_once, resets_left_ + seconds * limits.resets_per_second);
}

bool Session::is_calm() const {
  constexpr double kOfAllThatItMay = 0.9;
  return resets_left(state_.clock.monotonic()) >= kOfAllThatItMay * state_.options.connections.resets_at_once;
}

void Session::count_reset() {
  const auto now = state_.clock.monotonic();
  resets_left_ = resets_left(now);
  resets_counted_ = now;
  if ((resets_left_ -= 1) >= 0 || ended_) return;
  nghttp2_session_terminate_session(http2_, NGHTTP2_ENHANCE_YOUR_CALM);
  ended_ = true;
  wire_.has_output();
}

// ---- frames

Call* Session::find(std::int32_t stream) {
  return static_cast<Call*>(nghttp2_session_get_stream_user_data(http2_, stream));
}

void Session::on_frame(const nghttp2_frame& frame) {
  const std::int32_t stream = frame.hd.stream_id;
  switch (frame.hd.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_DATA: {
      Call* call = find(stream);
      if (call == nullptr) return;
      if (frame.hd.type == NGHTTP2_HEADERS && frame.headers.cat == NGHTTP2_HCAT_REQUEST) call->on_head_end();
      if ((frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) call->on_request_end();
      return;
    }
    case NGHTTP2_RST_STREAM:
      if (const auto found = unproved_.find(stream); found != unproved_.end()) {
        // Any other code says that the client is through with the stream, not that it did not want it.
        if (frame.rst_stream.error_code == NGHTTP2_CANCEL) found->second.call->on_undelivered();
        unproved_.erase(found);
      }
      return;
    case NGHTTP2_PING:
      if ((frame.hd.flags & NGHTTP2_FLAG_ACK) != 0) {
        std::uint64_t ping = 0;
        std::memcpy(&ping, frame.ping.opaque_data, sizeof ping);
        on_ping_answered(ping);
      }
      return;
    default: return;
  }
}

void Session::on_frame_sent(const nghttp2_frame& frame) {
  if (frame.hd.type != NGHTTP2_HEADERS || (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return;
  const std::int32_t stream = frame.hd.stream_id;
  const auto found = calls_.find(stream);
  if (found == calls_.end()) return;
  found->second->on_leaving();
  leaving_.push_back(found->second);
  // What the client still sends is of no use to anybody.
  if (nghttp2_session_get_stream_remote_close(http2_, stream) == 0)
    nghttp2_submit_rst_stream(http2_, NGHTTP2_FLAG_NONE, stream, NGHTTP2_NO_ERROR);
}

void Session::on_stream_closed(std::int32_t stream) {
  const auto found = calls_.find(stream);
  if (found == calls_.end()) return;
  const std::shared_ptr<Call> call = std::move(found->second);
  calls_.erase(found);
  call->on_close(true);
}

// ---- tasks that were written, but read?

void Session::ask_for_proof() {
  if (ping_is_out_ || unproved_.empty() || ended_) return;
  ping_is_out_ = true;
  ++pings_;
  for (auto& [stream, unproved] : unproved_) unproved.ping = pings_;
  std::array<std::uint8_t, 8> data{};
  std::memcpy(data.data(), &pings_, sizeof pings_);
  nghttp2_submit_ping(http2_, NGHTTP2_FLAG_NONE, data.data());
  wire_.has_output();
  // A client answers pings; what does not holds its tasks no longer than any other transfer.
  ping_timer_.expires_after(state_.options.transfer_timeout);
  ping_timer_.async_wait([this](boost::system::error_code cancelled) {
    if (cancelled) return;
    ended_ = true;
    wire_.has_output();
  });
}

void Session::on_ping_answered(std::uint64_t ping) {
  if (!ping_is_out_ || ping != pings_) return;
  ping_is_out_ = false;
  ping_timer_.cancel();
  std::erase_if(unproved_, [ping](const auto& entry) { return entry.second.ping == ping; });
  ask_for_proof();
}

}  // namespace holdfast::rpc
