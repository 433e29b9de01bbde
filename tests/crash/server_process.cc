#include "server_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>

extern char** environ;

namespace holdfast::crash {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPollInterval = std::chrono::milliseconds(1);

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

bool accepts_connections(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  const bool connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return connected;
}

std::uint16_t port_of(const std::string& address) {
  return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
}

}  // namespace

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  ::bind(fd, reinterpret_cast<const sockaddr*>(&address), size);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(fd);
  return ntohs(address.sin_port);
}

ServerProcess::ServerProcess(std::vector<std::string> command, std::string address, std::string log)
    : command_(std::move(command)), address_(std::move(address)), log_(std::move(log)) {}

ServerProcess::~ServerProcess() {
  if (pid_ != 0) (void)kill();
}

Status ServerProcess::start() {
  std::vector<char*> argv;
  for (std::string& argument : command_) argv.push_back(argument.data());
  argv.push_back(nullptr);
  std::vector<char*> environment;
  for (char** variable = environ; *variable != nullptr; ++variable) environment.push_back(*variable);
  for (std::string& variable : environment_) environment.push_back(variable.data());
  environment.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log_.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                     0600);
  ::posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  const int error = ::posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environment.data());
  ::posix_spawn_file_actions_destroy(&actions);
  if (error == 0) return {};
  pid_ = 0;
  return {Code::kInternal, fmt::format("cannot start {}: {}", command_[0], std::strerror(error))};
}

Status ServerProcess::ended(int wait_status) {
  pid_ = 0;
  const std::string how = WIFSIGNALED(wait_status) ? fmt::format("signal {}", WTERMSIG(wait_status))
                                                   : fmt::format("exit code {}", WEXITSTATUS(wait_status));
  return {Code::kInternal, fmt::format("the server ended by itself with {}; its output is in {}", how, log_)};
}

Status ServerProcess::kill() {
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == pid_) return ended(status);
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, &status, 0);
  pid_ = 0;
  return {};
}

Status ServerProcess::terminate(std::chrono::milliseconds patience) {
  ::kill(pid_, SIGTERM);
  const auto until = Clock::now() + patience;
  int status = 0;
  while (::waitpid(pid_, &status, WNOHANG) != pid_) {
    if (Clock::now() > until) return {Code::kInternal, "the server did not stop when asked to"};
    std::this_thread::sleep_for(kPollInterval);
  }
  pid_ = 0;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM) return {};
  return ended(status);
}

Status ServerProcess::wait_until_listening(std::chrono::milliseconds patience) {
  const auto until = Clock::now() + patience;
  while (!accepts_connections(port_of(address_))) {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) return ended(status);
    if (Clock::now() > until) {
      return {Code::kInternal, fmt::format("the server does not listen after {} ms; its output is in {}",
                                           patience.count(), log_)};
    }
    std::this_thread::sleep_for(kPollInterval);
  }
  return {};
}

}  // namespace holdfast::crash
