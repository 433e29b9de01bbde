#pragma once

// What keeps other programs' pages away from a server of this machine, and requests of two readings away from
// everybody. Pure functions of a request's head. Internal to the module.

#include <boost/beast/http/message.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/problem.h"

namespace holdfast::net {

// Where the head ends in what has arrived: behind its empty line; 0: not yet. Lines end with CRLF, none
// begins with a blank (RFC 9112, section 5.2: a folded line is refused), none holds NUL or a lone CR or LF:
// proxies and servers differ on what such a request means.
struct HeadBytes {
  std::size_t end = 0;
  std::string wrong;  // what is; empty: nothing
};

// Looks for it while the head arrives; each byte is looked at once, in however many pieces they come.
class HeadScan {
 public:
  // `bytes`: all that has arrived, those of the calls before at its beginning.
  HeadBytes find(std::string_view bytes);

 private:
  std::size_t line_ = 0;   // where the line begins that is being read
  std::size_t first_ = 0;  // where the first line begins
  std::size_t seen_ = 0;   // no line ends before it
};

// Whether a request is for us and may come from where it comes. A browser that was lured elsewhere must not
// reach us, neither under a name that resolves to this machine (DNS rebinding) nor by a form, fetch, image or
// frame of a page that is not ours:
//  - Host decides first, and alone where a browser sends nothing else (a rebound name sends no Sec-Fetch-*):
//  it must name
//    this machine, or one of the names under which it is known;
//  - Origin, where it is sent, must be that very host;
//  - Sec-Fetch-Site, where it is sent, must say same-origin or none. The one thing that another site may do
//  is send a
//    person to one of the `pages`: a GET that is a navigation of a whole tab.
// None: it may pass.
struct Places {
  std::span<const std::string> pages;
  // For whom it answers besides the names of this machine: "holdfast.example", "holdfast.example:8443".
  std::span<const std::string> hosts = {};
  bool numbers = false;  // for addresses written as numbers, too: no name was asked, so none was rebound
};
std::optional<Problem> guard(const boost::beast::http::request_header<>& head, const Places& places);

// "localhost", "127.0.0.1:8233", "[::1]": is this the value of a Host header that can only mean this machine?
bool is_loopback_authority(std::string_view authority);

}  // namespace holdfast::net
