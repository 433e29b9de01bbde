#pragma once

// One e-mail, handed to an SMTP server and waited for: libcurl speaks it. Within a reach, as HTTP is: the
// host is asked about before its name is resolved, each address before it is connected to. Blocks; any
// thread. Never repeats anything, as nobody but the receiver could tell a repeated mail.

#include <chrono>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/heartbeat.h"
#include "net/reach.h"

namespace holdfast::net {

enum class MailSecurity : std::uint8_t {
  kStartTls,  // nothing is said before the connection is encrypted
  kTls,       // from the first byte
  kNone,
};

struct Mail {
  Mail() = default;
  std::string host;  // a name or an address
  std::uint16_t port = 587;
  MailSecurity security = MailSecurity::kStartTls;
  std::string user;  // empty: nobody logs in
  std::string password;
  std::string from;  // addresses without names and brackets
  std::vector<std::string> to;
  std::string message;  // headers and body, lines ended by CRLF
  std::chrono::milliseconds timeout{30'000};
  std::shared_ptr<const Reach> reach;  // none: it goes nowhere
};

enum class MailEnd : std::uint8_t {
  kSent,
  kNotSent,  // surely: refused, or it never got that far
  kUnknown,  // all of it was said, and no answer came
};

struct MailOutcome {
  MailOutcome() = default;
  MailEnd end = MailEnd::kNotSent;
  std::string message;  // why not; names the server, never what was sent
};

// Where it leads, as a grant sees it: https stands for a connection that is encrypted.
Result<Origin> mail_origin(const std::string& host, std::uint16_t port, MailSecurity security);

MailOutcome send_mail(const Mail& mail, const std::stop_token& stop = {}, const Heartbeat& heartbeat = {});

}  // namespace holdfast::net
