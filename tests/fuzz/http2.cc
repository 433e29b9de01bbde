// A connection to the gRPC server, as it comes: bytes for its HTTP/2 session, cut anywhere, with the preface
// of a client before them or not. Polls wait, anything else is answered. Whatever comes, the session says no
// more than it was asked, and nothing is held when the connection has gone.
//
//   form (1 byte: 1 no preface, 2 tasks are handed out between the pieces) | pieces: length (1) | bytes

#include <vector>

#include "api/connection.h"
#include "api/messages.h"
#include "fixture/manual_clock.h"
#include "fuzz.h"
#include "rpc/session.h"

namespace holdfast::fuzz {
namespace {

// What one piece may make the session say: small frames are answered by small frames.
constexpr std::size_t kMostAnswer = 8 << 20;

class Engine final : public api::Connection {
 public:
  struct Poll final : api::CallHandle {
    Poll(api::Method asked, api::Completion completion) : method(asked), done(std::move(completion)) {}
    void cancel() override { answer(fail(Code::kCancelled, "cancelled")); }
    void answer(Result<api::MessagePtr> result) {
      if (auto run = std::exchange(done, nullptr)) run(std::move(result));
    }
    const api::Method method;
    api::Completion done;
  };
  std::shared_ptr<api::CallHandle> start(api::Method method, api::MessagePtr, api::CallOptions,
                                         api::Completion done) override {
    if (api::is_long_poll(method)) return polls.emplace_back(std::make_shared<Poll>(method, std::move(done)));
    done(api::new_response(method));
    return nullptr;
  }
  void hand_out() {
    for (const auto& poll : std::exchange(polls, {})) poll->answer(api::new_response(poll->method));
  }
  std::vector<std::shared_ptr<Poll>> polls;
};

class NoWire final : public rpc::Wire {
  void hear() override {}
  void has_output() override {}
};

rpc::ServerOptions options(const Clock& clock, MemoryBudget& memory) {
  rpc::ServerOptions options;
  options.clock = &clock;
  options.memory = &memory;
  return options;
}

std::uint8_t take_byte(std::string_view& input) {
  const auto byte = static_cast<std::uint8_t>(input.empty() ? 0 : input.front());
  input.remove_prefix(input.empty() ? 0 : 1);
  return byte;
}

}  // namespace

FUZZ(input) {
  fixture::ManualClock clock;
  MemoryBudget memory("fuzzing", 4 << 20);
  Engine engine;
  rpc::ServerState state(engine, options(clock, memory));
  const auto settle = [&state] {
    state.io.restart();
    state.io.poll();
  };
  NoWire wire;
  auto session = std::make_unique<rpc::Session>(state, wire);
  const std::uint8_t form = take_byte(input);
  if ((form & 1) == 0)
    session->receive(std::string_view("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33));
  while (!input.empty() && !session->ended()) {
    const std::size_t length = take_byte(input) + 1U;
    const std::string_view piece = input.substr(0, length);
    input.remove_prefix(piece.size());
    session->receive(piece);
    settle();
    if ((form & 2) != 0) engine.hand_out();
    settle();
    std::string answer;
    session->take(answer, kMostAnswer);
    REQUIRE(answer.size() < kMostAnswer);
    session->on_written();
    clock.ns += 10'000'000;
    state.transfers.end_overdue();
  }
  session.reset();
  while (state.open_calls.load() > 0) settle();
  REQUIRE(memory.used() == 0);
}

}  // namespace holdfast::fuzz
