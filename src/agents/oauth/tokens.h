#pragma once

// Tokens: access tokens of OAuth 2 (RFC 6749) for HTTP tools and MCP servers. One is got with the client's
// credentials or a refresh token, kept in memory alone until shortly before it expires, and got by one caller
// at a time, for whom the others wait. What a token is used for is asked of the permits each time, whether it
// is kept or not: the variables and the host of the token's server.
//
// One object serves all threads. A token, and the refresh token that a server gives in place of the one it
// got, are stored nowhere; redact() takes them out of texts.

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>

#include "base/heartbeat.h"
#include "definition/auth_spec.h"
#include "grant/permits.h"
#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "net/http_client.h"

namespace holdfast::oauth {

inline constexpr std::size_t kMaxTokens = 256;
inline constexpr std::size_t kMaxAnswerBytes = 64 * 1024;
inline constexpr std::size_t kMaxTokenBytes = 16 * 1024;

// How getting one is paid for and ended.
struct TokenCall {
  net::HttpClient* http = nullptr;
  const grant::Permits* permits = nullptr;
  std::stop_token stop;
  Heartbeat heartbeat;
  std::chrono::milliseconds timeout{30'000};
};

class Tokens {
 public:
  explicit Tokens(const Clock& clock) : clock_(clock) {}

  // PERMISSION_DENIED and FAILED_PRECONDITION are the permits'; UNAUTHENTICATED: the server refuses the
  // client; UNAVAILABLE: it could not be asked, later it may.
  Result<std::string> get(const agent::AuthSpec& auth, const TokenCall& call);
  // The server that the token was for refused it: the next get() asks for another one.
  void refused(const std::string& token);
  // Every token that is kept, and of each the one before.
  std::string redact(std::string text) const;

 private:
  struct Entry {
    std::string token;
    std::string before;         // it may still stand in an answer that is under way
    std::string refresh_token;  // that the server gave; empty: the one of the variable
    MonotonicTime until{};      // the token is used before
    MonotonicTime used{};
    bool asking = false;
  };
  struct Granted;
  struct Credentials;

  Result<Credentials> credentials(const agent::AuthSpec& auth, const TokenCall& call) const;
  Result<Granted> ask(const agent::AuthSpec& auth, const Credentials& credentials,
                      const std::string& refresh_token, const TokenCall& call) const;
  void make_room();

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable answered_;
  std::map<std::string, Entry> entries_;  // by what is asked with; guarded by mutex_
};

}  // namespace holdfast::oauth
