#pragma once

// Session: HTTP/2 on one connection, as a server of gRPC speaks it. nghttp2 reads and writes the frames; here
// are the streams, what they may hold, and the bounds on what a client may do to the connection itself.
// Bytes go in and come out: the socket is somebody else's (peer.h), so that a test needs none.
//
// Owner: the peer; io thread only. No function of it throws.

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "rpc/call.h"
#include "rpc/state.h"

namespace holdfast::rpc {

// The connection below a session.
class Wire {
 public:
  virtual ~Wire() = default;
  // Gives the session what has arrived by now; it may be told of ends of calls meanwhile.
  virtual void hear() = 0;
  // The session has something to write that it was not asked for.
  virtual void has_output() = 0;
};

class Session {
 public:
  Session(ServerState& state, Wire& wire);
  // As lose().
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void receive(std::string_view bytes);
  // The common name in the client's certificate, which was verified.
  void show_certificate(std::string name) { certificate_ = std::move(name); }
  const std::string& certificate() const { return certificate_; }
  // Of this machine, as the kernel says; none: it came over TCP.
  void show_user(std::uint32_t user) { user_ = user; }
  std::optional<std::uint32_t> user() const { return user_; }
  // Adds what is to be written, up to about `most` bytes. Empty: nothing now.
  void take(std::string& into, std::size_t most);
  // All that was taken is written.
  void on_written();
  // Both sides are through, or the client was shown the door: close it when take() has nothing more.
  bool ended() const;
  // The connection is gone.
  void lose();
  // So much is waiting to be written that the client must read before it is heard again.
  bool is_backed_up() const;
  bool opened_a_call() const { return opened_a_call_; }
  // No new calls.
  void shut_down();
  // Ends what is open: UNAVAILABLE.
  void end_calls();

  // ---- of its calls
  void expect(std::int32_t stream, std::size_t bytes);
  void reply(Call& call);
  void resume(Call& call);
  void refuse(Call& call);
  void reset(Call& call);
  void hear() { wire_.hear(); }
  void count_reset();
  void change_held(std::size_t from, std::size_t to) { held_ += to - from; }
  std::size_t held() const { return held_; }
  // False once it resets calls faster than a client has reason to.
  bool is_calm() const;
  std::size_t calls() const { return calls_.size(); }

 private:
  struct Callbacks;
  struct Unproved {
    std::shared_ptr<Call> call;
    std::uint64_t ping = 0;  // whose answer proves it; 0: not asked yet
  };

  void on_frame(const nghttp2_frame& frame);
  void on_frame_sent(const nghttp2_frame& frame);
  void on_stream_closed(std::int32_t stream);
  void on_ping_answered(std::uint64_t ping);
  void ask_for_proof();
  Call* find(std::int32_t stream);
  double resets_left(MonotonicTime now) const;

  ServerState& state_;
  Wire& wire_;
  nghttp2_session* http2_ = nullptr;
  std::unordered_map<std::int32_t, std::shared_ptr<Call>> calls_;
  std::vector<std::shared_ptr<Call>> leaving_;  // their last frame is being written
  // Tasks that were written and may not have been read, until a ping that followed them is answered: a client
  // that resets such a stream did not get its task.
  std::unordered_map<std::int32_t, Unproved> unproved_;
  std::uint64_t pings_ = 0;
  bool ping_is_out_ = false;
  boost::asio::steady_timer ping_timer_;
  std::string certificate_;
  std::optional<std::uint32_t> user_;
  std::size_t held_ = 0;  // by its calls' messages
  double resets_left_;
  MonotonicTime resets_counted_;
  bool opened_a_call_ = false;
  bool ended_ = false;
  bool lost_ = false;
};

}  // namespace holdfast::rpc
