#pragma once

// Files: what a server needs for TLS, read from files of PEM and read again when they change, so that a
// renewed certificate needs no restart. What cannot be read leaves what was there in use, and is said once.
//
// Thread-safe. Connections that are open keep the context with which they began.

#include <openssl/ssl.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "holdfast/seams.h"
#include "holdfast/status.h"

namespace holdfast::tls {

struct FilesOptions {
  std::string certificate;  // of the server, then those between it and the root
  std::string key;
  std::string client_ca;         // who may sign certificates of clients; empty: none are asked for
  std::string protocol;          // of ALPN: "http/1.1", "h2"
  const Clock* clock = nullptr;  // outlives it
  std::function<void(const std::string&)> complain;
};

class Files {
 public:
  // INVALID_ARGUMENT names the file and what is wrong with it.
  static Result<std::shared_ptr<Files>> open(FilesOptions options);

  // Of a connection that begins now. Looks at the files at most once a second.
  std::shared_ptr<SSL_CTX> context();
  // Reads them in any case.
  Status reload();

 private:
  explicit Files(FilesOptions options) : options_(std::move(options)) {}
  std::vector<std::filesystem::file_time_type> times() const;

  const FilesOptions options_;
  std::mutex mutex_;
  std::shared_ptr<SSL_CTX> context_;                      // guarded by mutex_
  std::vector<std::filesystem::file_time_type> read_at_;  // guarded by mutex_
  MonotonicTime looked_at_{};                             // guarded by mutex_
};

}  // namespace holdfast::tls
