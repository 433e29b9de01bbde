#include "refund/server_process.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace holdfast::demo {

namespace {

// "http://127.0.0.1:1234/" or "127.0.0.1:1234".
std::string authority(std::string text) {
  if (text.starts_with("http://")) text = text.substr(7);
  return text.substr(0, text.find('/'));
}

}  // namespace

ServerProcess::ServerProcess(const Clock& clock, std::string executable, std::vector<std::string> arguments,
                             std::filesystem::path log)
    : clock_(clock),
      executable_(std::move(executable)),
      arguments_(std::move(arguments)),
      log_(std::move(log)) {}

ServerProcess::~ServerProcess() {
  if (pid_ > 0) {
    kill_now();
    reap();
  }
  if (output_ >= 0) close(output_);
}

Status ServerProcess::start(std::chrono::seconds at_most) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return Status(Code::kInternal, fmt::format("pipe: {}", std::strerror(errno)));
  int log = open(log_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  // /proc/self/exe would be another program after the fork of a debugger or wrapper: resolve it here.
  std::error_code ignored;
  std::filesystem::path program = std::filesystem::read_symlink(executable_, ignored);
  const std::string path = program.empty() ? executable_ : program.string();
  std::vector<char*> argv{const_cast<char*>(path.c_str())};
  for (std::string& argument : arguments_) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const pid_t parent = getpid();
  pid_t child = fork();
  if (child == 0) {                    // only async-signal-safe calls from here on
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // a demo that is interrupted leaves no server behind
    if (getppid() != parent) _exit(1);
    dup2(ends[1], STDOUT_FILENO);
    if (log >= 0) dup2(log, STDERR_FILENO);
    execv(path.c_str(), argv.data());
    _exit(127);
  }
  close(ends[1]);
  if (log >= 0) close(log);
  if (output_ >= 0) close(output_);
  output_ = ends[0];
  if (child < 0) return Status(Code::kInternal, fmt::format("fork: {}", std::strerror(errno)));
  pid_ = child;
  std::string line;
  const MonotonicTime until = clock_.monotonic() + at_most;
  while (line.find('\n') == std::string::npos) {
    if (!wait_for_output(until)) {
      return Status(Code::kDeadlineExceeded,
                    fmt::format("the server was not ready after {} s\n{}", at_most.count(), log_tail()));
    }
    char buffer[4096];
    ssize_t got = read(output_, buffer, sizeof buffer);
    if (got <= 0)
      return Status(Code::kUnavailable, fmt::format("the server ended before it was ready\n{}", log_tail()));
    line.append(buffer, static_cast<std::size_t>(got));
  }
  auto ready = nlohmann::json::parse(line.substr(0, line.find('\n')), nullptr, false);
  if (ready.is_object() && ready.contains("http") && ready["http"].is_string()) {
    http_address_ = authority(ready["http"].get<std::string>());
    return {};
  }
  return Status(Code::kInternal, fmt::format("the server's readiness line is not understood: {}", line));
}

bool ServerProcess::wait_for_output(MonotonicTime until) {
  auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - clock_.monotonic()).count();
  pollfd waiting{output_, POLLIN, 0};
  return left > 0 && poll(&waiting, 1, static_cast<int>(left)) > 0;
}

void ServerProcess::kill_now() {
  pid_t pid = pid_;
  if (pid > 0) kill(pid, SIGKILL);
}

int ServerProcess::reap() {
  pid_t pid = pid_.exchange(0);
  if (pid <= 0) return 0;
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

void ServerProcess::stop() {
  pid_t pid = pid_;
  if (pid <= 0) return;
  kill(pid, SIGTERM);
  // Standard output ends when the process does.
  const MonotonicTime until = clock_.monotonic() + std::chrono::seconds(5);
  for (;;) {
    char buffer[4096];
    if (!wait_for_output(until)) {
      kill(pid, SIGKILL);
      break;
    }
    if (read(output_, buffer, sizeof buffer) <= 0) break;
  }
  reap();
}

std::string ServerProcess::log_tail() const {
  std::ifstream file(log_);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return text.size() > 2000 ? text.substr(text.size() - 2000) : text;
}

}  // namespace holdfast::demo
