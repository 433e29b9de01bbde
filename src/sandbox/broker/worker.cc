#include "broker/worker.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "monty/conversation.h"
#include "wire/frame.h"

namespace holdfast::sandbox {

Worker::~Worker() {
  if (socket_ >= 0) ::close(socket_);
}

Worker::Worker(Worker&& other) noexcept : pid_(other.pid_), socket_(std::exchange(other.socket_, -1)) {}

Worker& Worker::operator=(Worker&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(socket_, other.socket_);
  return *this;
}

bool Worker::quiet() const {
  char byte = 0;
  return ::recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

Status Worker::wait_for(short events, MonotonicTime deadline, const Clock& clock) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock.monotonic()).count();
    if (left <= 0) return {Code::kDeadlineExceeded, "the sandbox did not answer in time"};
    pollfd file{socket_, events, 0};
    const int ready = ::poll(&file, 1, static_cast<int>(std::min<long long>(left, 60'000)));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return {Code::kInternal, std::strerror(errno)};
  }
}

Status Worker::send_all(std::string_view bytes, MonotonicTime deadline, const Clock& clock) {
  while (!bytes.empty()) {
    const ssize_t put = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (put > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(put));
    } else if (errno == EAGAIN) {
      if (Status status = wait_for(POLLOUT, deadline, clock); !status.ok()) return status;
    } else if (errno != EINTR) {
      return {Code::kUnavailable, "the sandbox has ended"};
    }
  }
  return {};
}

Result<std::string> Worker::receive(std::size_t size, MonotonicTime deadline, const Clock& clock) {
  // A length is only said: memory grows with what comes.
  constexpr std::size_t kPieceBytes = 256 * 1024;
  std::string bytes;
  while (bytes.size() < size) {
    const std::size_t before = bytes.size();
    bytes.resize(std::min(size, before + kPieceBytes));
    const ssize_t got = ::recv(socket_, bytes.data() + before, bytes.size() - before, MSG_DONTWAIT);
    const int error = errno;
    bytes.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got > 0) continue;
    if (got == 0 || (error != EAGAIN && error != EINTR))
      return fail(Code::kUnavailable, "the sandbox has ended");
    if (Status status = wait_for(POLLIN, deadline, clock); !status.ok()) return fail(std::move(status));
  }
  return bytes;
}

Result<Reply> Worker::ask(const Request& request, MonotonicTime deadline, const Clock& clock) {
  if (Status sent = send_all(frame(encode(request)), deadline, clock); !sent.ok())
    return fail(std::move(sent));
  const auto head = receive(kFrameHeadBytes, deadline, clock);
  if (!head) return fail(head.error());
  const std::size_t size = frame_size(*head);
  // Names and messages of a failure have their own bounds, far below this.
  const std::size_t most = std::size_t{request.limits.output_bytes} + request.limits.log_bytes + (64U << 10);
  if (size > most) return fail(Code::kDataLoss, "the sandbox answered with more than it may");
  const auto bytes = receive(size, deadline, clock);
  if (!bytes) return fail(bytes.error());
  return decode_reply(*bytes);
}

Result<Reply> Worker::ask_monty(const Request& request, HeldMemory& memory, MonotonicTime deadline,
                                const Clock& clock) {
  // An answer as it came, what it holds, and where in that each value begins.
  constexpr std::size_t kCopies = 3;
  Conversation conversation(request);
  const std::size_t before = memory.bytes();
  const auto first = conversation.begin();
  if (!first) {
    Reply refused;
    refused.failure = first.error();
    return refused;
  }
  if (Status sent = send_all(*first, deadline, clock); !sent.ok()) return fail(std::move(sent));
  while (!conversation.is_over()) {
    const auto head = receive(kFrameHeadBytes, deadline, clock);
    if (!head) return fail(head.error());
    const std::size_t size = frame_size(*head);
    if (size > conversation.most_event_bytes()) {
      Reply too_long = conversation.take();
      too_long.failure = Failure{Fault::kOutput, "", "what it answered is longer than it may be"};
      too_long.last = true;
      return too_long;
    }
    if (Status status = memory.resize(before + kCopies * size); !status.ok()) return fail(std::move(status));
    const auto event = receive(size, deadline, clock);
    if (!event) return fail(event.error());
    const auto next = conversation.hear(*event);
    if (!next) return fail(next.error());
    if (next->empty()) continue;
    if (Status sent = send_all(*next, deadline, clock); !sent.ok()) return fail(std::move(sent));
  }
  return conversation.take();
}

}  // namespace holdfast::sandbox
