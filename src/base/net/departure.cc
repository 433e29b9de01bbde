#include "net/departure.h"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace holdfast::net {

void Departure::watch(Socket& socket, std::shared_ptr<void> session) {
  if (std::exchange(watching_, true)) return;
  socket.async_wait(Socket::wait_read,
                    [this, &socket, kept = std::move(session)](boost::system::error_code error) {
                      watching_ = false;
                      if (!error) look(socket);
                    });
}

void Departure::look(Socket& socket) {
  if (!socket.is_open()) return;
  char byte = 0;
  const auto seen = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (seen == 0 || (seen < 0 && errno != EAGAIN && errno != EINTR)) *gone_ = true;
}

}  // namespace holdfast::net
