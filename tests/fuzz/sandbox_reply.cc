// What a process in the sandbox answers, by whoever has taken it over. What is read is what was said: written
// again it is the same bytes.

#include "fuzz.h"
#include "wire/message.h"

namespace holdfast::sandbox {

FUZZ(input) {
  if (const auto reply = decode_reply(input)) REQUIRE(encode(*reply) == input);
  if (const auto request = decode_request(input)) REQUIRE(encode(*request) == input);
}

}  // namespace holdfast::sandbox
