#pragma once

// ControlSocket: how a command of the same user reaches the server that has a data directory open. A Unix
// socket in that directory, so whoever may open the directory may ask, and nobody else: no page, no client of
// the API and no other user gets here. One question a connection, one connection at a time: a line of JSON
// in, a line out.
//
// Owner: Node. The handler runs on the socket's own thread; `give_up` turns true when the asker has gone or
// the server stops. The destructor waits for it.

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "holdfast/status.h"

namespace holdfast::app {

class ControlSocket {
 public:
  using GiveUp = std::function<bool()>;
  using Handler = std::function<std::string(const std::string& question, const GiveUp& give_up)>;
  // A longer question is not answered, nor one that does not come within kQuestionMs.
  static constexpr std::size_t kMaxQuestionBytes = 64 << 10;
  static constexpr int kQuestionMs = 5000;

  static Result<std::unique_ptr<ControlSocket>> open(const std::filesystem::path& data, Handler handler);
  ~ControlSocket();
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;

 private:
  struct Impl;
  explicit ControlSocket(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Asks the server on `data` and waits, however long it takes. kUnavailable: nobody answers, or it went away.
Result<std::string> ask_server(const std::filesystem::path& data, const std::string& question);

}  // namespace holdfast::app
