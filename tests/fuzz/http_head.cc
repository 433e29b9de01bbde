// The head of an HTTP request: where it ends does not depend on how it arrives, and what the parser takes is
// guarded.

#include "fuzz.h"
#include "net/guard.h"

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace holdfast::net {

FUZZ(input) {
  const HeadBytes whole = HeadScan().find(input);
  REQUIRE(whole.end <= input.size());
  REQUIRE(whole.end == 0 || whole.wrong.empty());
  const std::string_view part = input.substr(0, input.size() / 2);
  HeadScan scan;
  const HeadBytes half = scan.find(part);
  // A verdict stays.
  REQUIRE(half.end == 0 || half.end == whole.end);
  REQUIRE(half.wrong.empty() || half.wrong == whole.wrong);
  if (half.end == 0 && half.wrong.empty()) {
    const HeadBytes then = scan.find(input);
    REQUIRE(then.end == whole.end && then.wrong == whole.wrong);
  }
  if (whole.end == 0) return;
  boost::beast::http::request_parser<boost::beast::http::string_body> parser;
  boost::system::error_code error;
  parser.put(boost::asio::buffer(input.data(), whole.end), error);
  static const std::string kPages[] = {"/"};
  if (!error) (void)guard(parser.get(), {.pages = kPages});
}

}  // namespace holdfast::net
