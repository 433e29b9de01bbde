#pragma once

// Crowd: the connections of one server that wait for their client, and which of them goes first when there is
// room for no more. One that has not sent its request yet, or does not read its answer, must not keep out
// others that would. Owner: the server's SessionContext; its io thread only.

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>

namespace holdfast::net {

class SessionBase;

class Crowd {
  using Members = std::list<SessionBase*>;  // the longest waiting first

 public:
  // What a connection waits for. In the order in which they go.
  enum class For : std::uint8_t { kRequest, kReader, kNextRequest };

  // One connection's place, where it has one.
  class Place {
   public:
    Place(Crowd& crowd, SessionBase& session) : crowd_(crowd), session_(session) {}
    ~Place() { leave(); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    void wait(For what);
    void leave();
    // A client that waits between two requests has begun the next one.
    void begin_next();

   private:
    Crowd& crowd_;
    SessionBase& session_;
    std::optional<For> what_;
    Members::iterator at_;
  };

  // Null: all are being served.
  SessionBase* first_to_go() const;

 private:
  // An answer that is read is out in no time: where as many wait, the first of them is not.
  static constexpr std::size_t kReadersAtOnce = 32;

  std::array<Members, 3> waiting_;
};

}  // namespace holdfast::net
