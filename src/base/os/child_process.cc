#include "os/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>

#include <fmt/format.h>

#include "os/spawn.h"

namespace holdfast::os {

namespace {

using std::chrono::milliseconds;

void close_one(int& file) {
  if (file >= 0) ::close(file);
  file = -1;
}

Code code_of(int error) {
  if (error == ENOENT || error == ENOTDIR) return Code::kNotFound;
  if (error == EACCES || error == ENOEXEC) return Code::kPermissionDenied;
  return Code::kUnavailable;
}

// A write to a program that has ended must be an error and no signal, whatever the process does with SIGPIPE.
class WithoutSigpipe {
 public:
  WithoutSigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~WithoutSigpipe() {
    const timespec now{};
    if (sigismember(&before_, SIGPIPE) == 0) sigtimedwait(&pipe_, nullptr, &now);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t pipe_{};
  sigset_t before_{};
};

}  // namespace

// Both ends of the three streams, until the program has its own.
struct ChildProcess::Pipes {
  int input[2] = {-1, -1}, output[2] = {-1, -1}, errors[2] = {-1, -1};

  bool open() {
    return ::pipe2(input, O_CLOEXEC) == 0 && ::pipe2(output, O_CLOEXEC) == 0 &&
           ::pipe2(errors, O_CLOEXEC) == 0;
  }
  ~Pipes() {
    for (int* end : {&input[0], &input[1], &output[0], &output[1], &errors[0], &errors[1]}) close_one(*end);
  }
};

Result<std::unique_ptr<ChildProcess>> ChildProcess::start(const Options& options) {
  Pipes pipes;
  if (options.command.empty()) return fail(Code::kInvalidArgument, "there is no command");
  if (!pipes.open()) return fail(Code::kUnavailable, std::strerror(errno));
  pid_t pid = 0;
  const int error =
      spawn({options.command, options.environment, {pipes.input[0], pipes.output[1], pipes.errors[1]}}, pid);
  if (error != 0) {
    return fail(code_of(error),
                fmt::format("{} does not start: {}", options.command.front(), std::strerror(error)));
  }
  auto out = std::unique_ptr<ChildProcess>(new ChildProcess(pid, options.grace));
  out->input_ = std::exchange(pipes.input[1], -1);
  out->output_ = std::exchange(pipes.output[0], -1);
  out->errors_ = std::exchange(pipes.errors[0], -1);
  for (int file : {out->input_, out->output_, out->errors_}) ::fcntl(file, F_SETFL, O_NONBLOCK);
  return out;
}

ChildProcess::~ChildProcess() {
  close_one(input_);
  if (!reap(grace_)) {
    ::kill(-pid_, SIGTERM);
    reap(grace_);
  }
  // What it started and left behind, too.
  ::kill(-pid_, SIGKILL);
  if (!reaped_) ::waitpid(pid_, &wait_status_, 0);
  close_one(output_);
  close_one(errors_);
}

void ChildProcess::hear_complaints() {
  char piece[4096];
  while (errors_ >= 0) {
    const ssize_t got = ::read(errors_, piece, sizeof piece);
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) close_one(errors_);
    if (got <= 0) return;
    last_words_.append(piece, static_cast<std::size_t>(got));
    if (last_words_.size() > kLastWordsBytes) last_words_.erase(0, last_words_.size() - kLastWordsBytes);
    if (static_cast<std::size_t>(got) < sizeof piece) return;
  }
}

bool ChildProcess::turn(std::string_view& out, std::string& in, milliseconds at_most) {
  if (output_ < 0) return false;
  pollfd files[3] = {{output_, POLLIN, 0}, {errors_, POLLIN, 0}, {out.empty() ? -1 : input_, POLLOUT, 0}};
  if (::poll(files, 3, static_cast<int>(at_most.count())) <= 0) return true;
  if (files[1].revents != 0) hear_complaints();
  if (files[2].revents != 0) {
    const WithoutSigpipe guard;
    const ssize_t wrote = ::write(input_, out.data(), out.size());
    if (wrote > 0) {
      out.remove_prefix(static_cast<std::size_t>(wrote));
    } else if (errno != EAGAIN && errno != EINTR) {
      close_one(input_);  // it reads no more; what it still says is read
      out = {};
    }
  }
  if (files[0].revents != 0) {
    const std::size_t before = in.size();
    in.resize(before + kPieceBytes);
    const ssize_t got = ::read(output_, in.data() + before, kPieceBytes);
    in.resize(before + static_cast<std::size_t>(got > 0 ? got : 0));
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
      close_one(output_);
      return false;
    }
  }
  return true;
}

bool ChildProcess::reap(milliseconds at_most) {
  constexpr milliseconds kStep{5};
  for (auto left = at_most; !reaped_; left -= kStep) {
    if (::waitpid(pid_, &wait_status_, WNOHANG) == pid_) reaped_ = true;
    if (reaped_ || left.count() <= 0) break;
    hear_complaints();
    std::this_thread::sleep_for(kStep);
  }
  return reaped_;
}

std::optional<std::string> ChildProcess::ending() {
  if (!reap(milliseconds(200))) return std::nullopt;
  hear_complaints();
  if (WIFSIGNALED(wait_status_)) return fmt::format("was ended by signal {}", WTERMSIG(wait_status_));
  return fmt::format("exited with code {}", WEXITSTATUS(wait_status_));
}

}  // namespace holdfast::os
