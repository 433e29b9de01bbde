#include "jail/first_process.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "jail/landlock.h"
#include "wire/control.h"

namespace holdfast::sandbox {

namespace {

struct Made {
  pid_t pid = 0;
  int socket = -1;  // the broker's end
};

class FirstProcess {
 public:
  FirstProcess(int control, FirstProcessOf lives)
      : control_(control), lives_(std::move(lives)), self_(::getpid()) {}

  int run() {
    ahead_ = make();
    for (Ask ask; ::read(control_, &ask, sizeof ask) == sizeof ask;) {
      const bool said = ask.what == Ask::kNew ? give_one() : end_one(ask.pid, ask.what == Ask::kEnd);
      if (!said) break;
      if (ahead_.socket < 0) ahead_ = make();
    }
    for (const pid_t pid : workers_) ::kill(pid, SIGKILL);
    for (const pid_t pid : workers_) ::waitpid(pid, nullptr, 0);
    return 0;
  }

 private:
  // Its socket is negative: `pid` is the negative error number.
  Made make() {
    if (workers_.size() >= kMostWorkers) return {-EAGAIN, -1};
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return {-errno, -1};
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::close(control_);
      ::close(ends[0]);
      if (ahead_.socket >= 0) ::close(ahead_.socket);
      if (lives_.shut_in_worker(self_).empty()) lives_.serve(ends[1]);
      ::_exit(0);
    }
    const int error = errno;
    ::close(ends[1]);
    if (pid < 0) {
      ::close(ends[0]);
      return {-error, -1};
    }
    workers_.push_back(pid);
    return {pid, ends[0]};
  }

  bool give_one() {
    if (ahead_.socket < 0) ahead_ = make();
    Answer answer{ahead_.pid, 0};
    iovec bytes{&answer, sizeof answer};
    alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    if (ahead_.socket >= 0) {
      message.msg_control = space;
      message.msg_controllen = sizeof space;
      cmsghdr* head = CMSG_FIRSTHDR(&message);
      head->cmsg_level = SOL_SOCKET;
      head->cmsg_type = SCM_RIGHTS;
      head->cmsg_len = CMSG_LEN(sizeof(int));
      std::memcpy(CMSG_DATA(head), &ahead_.socket, sizeof(int));
    }
    const bool said = ::sendmsg(control_, &message, MSG_NOSIGNAL) == sizeof answer;
    if (ahead_.socket >= 0) ::close(ahead_.socket);
    ahead_ = {};
    return said;
  }

  bool end_one(pid_t pid, bool told) {
    Answer answer{pid, 0};
    const auto known = std::ranges::find(workers_, pid);
    if (known == workers_.end()) {
      answer.pid = -ESRCH;
    } else {
      ::kill(pid, SIGKILL);
      while (::waitpid(pid, &answer.status, 0) < 0 && errno == EINTR) continue;
      workers_.erase(known);
    }
    return !told || ::write(control_, &answer, sizeof answer) == sizeof answer;
  }

  const int control_;
  const FirstProcessOf lives_;
  const pid_t self_;
  Made ahead_{0, -1};
  std::vector<pid_t> workers_;
};

}  // namespace

int first_process(int control, FirstProcessOf lives) {
  Hello hello;
  hello.landlock = static_cast<std::uint32_t>(landlock_version());
  const std::string why = lives.shut_in();
  hello.ready = why.empty() ? 1 : 0;
  std::strncpy(hello.why, why.c_str(), sizeof hello.why - 1);
  if (::write(control, &hello, sizeof hello) != sizeof hello || !why.empty()) return 1;
  return FirstProcess(control, std::move(lives)).run();
}

int first_process(Level level, int control, void (*serve)(int socket)) {
  // Both filters exist before either holds.
  const auto first = Filter::of_first_process();
  const auto worker = Filter::of_worker();
  return first_process(
      control, {[&] { return first && worker ? shut_in(level, control, *first) : std::string(kNoFilter); },
                [&](pid_t parent) { return shut_in_worker(parent, *worker); }, serve});
}

}  // namespace holdfast::sandbox
