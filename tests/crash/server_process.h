#pragma once

// The server under test: a real process on one data directory, killed with SIGKILL and started again on the
// same port.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "holdfast/status.h"

namespace holdfast::crash {

class ServerProcess {
 public:
  // `command`: program and arguments. Output is appended to `log`.
  ServerProcess(std::vector<std::string> command, std::string address, std::string log);
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  // Variables added to the environment of the next start.
  void set_environment(std::vector<std::string> variables) { environment_ = std::move(variables); }

  Status start();
  // SIGKILL, and waits until the process is gone. An error if it had ended by itself.
  Status kill();
  // Ends it with SIGTERM; an error if it does not go cleanly within the time.
  Status terminate(std::chrono::milliseconds patience);
  // Waits until its gRPC port accepts a connection; an error when it ends or the time is over.
  Status wait_until_listening(std::chrono::milliseconds patience);
  const std::string& log() const { return log_; }

 private:
  Status ended(int wait_status);

  std::vector<std::string> command_;
  std::string address_;
  std::string log_;
  std::vector<std::string> environment_;
  int pid_ = 0;
};

// A port nobody listens on at the moment.
std::uint16_t free_port();

}  // namespace holdfast::crash
