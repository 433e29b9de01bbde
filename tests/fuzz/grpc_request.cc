// Requests to the engine, as they come over gRPC: bytes that are parsed, or bytes from which a message of the
// method's type is made. Whatever comes, the engine answers or refuses, what it stores is right by the law of
// history/rebuild.h, and the next process opens it and goes on.
//
//   call: method (1 byte) | form and time that passes (1) | length (2, little endian) | bytes

#include "api/messages.h"
#include "engine/stored_law.h"
#include "engine_under_fuzz.h"
#include "fuzz.h"
#include "message_filler.h"

namespace holdfast::fuzz {
namespace {

constexpr int kMaxCalls = 16;

std::uint8_t take_byte(std::string_view& input) {
  const auto byte = static_cast<std::uint8_t>(input.front());
  input.remove_prefix(1);
  return byte;
}

void pass_time(EngineUnderFuzz& engine, int how_much) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  constexpr std::int64_t kTimes[] = {0, 0, kSecond, 11 * kSecond, 61 * kSecond, 3600 * kSecond};
  if (const std::int64_t time = kTimes[how_much % std::size(kTimes)]; time > 0) engine.advance(time);
}

}  // namespace

FUZZ(input) {
  EngineUnderFuzz engine;
  REQUIRE(engine.open().ok());
  engine.begin_workflow();
  for (int i = 0; i < kMaxCalls && input.size() >= 4; ++i) {
    const auto method = static_cast<api::Method>(take_byte(input) % api::kMethodCount);
    const std::uint8_t form = take_byte(input);
    const std::size_t low = take_byte(input);
    const std::size_t length = low + (static_cast<std::size_t>(take_byte(input)) << 8);
    const std::string_view bytes = input.substr(0, length);
    input.remove_prefix(bytes.size());
    if (form % 4 == 0) {
      engine.call(method, std::string(bytes));
    } else {
      const auto request = api::new_request(method);
      MessageFiller(bytes, engine.workflow_token, engine.activity_token).fill(*request);
      (void)engine.ask(method, *request);
    }
    pass_time(engine, form / 4);
  }
  int executions = 0;
  for (const std::string& wrong : engine::testing::StoredLaw(engine.store).look_at_all(&executions)) {
    std::fprintf(stderr, "%s\n", wrong.c_str());
    REQUIRE(wrong.empty());
  }
  REQUIRE(executions > 0);
  REQUIRE(engine.open().ok());
  engine.advance(3600'000'000'000);
}

}  // namespace holdfast::fuzz
