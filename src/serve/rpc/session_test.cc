// HTTP/2 and gRPC as a session speaks them, without a socket: a client of nghttp2 on the other side of two
// strings. Who gets a task and who does not, what a client may hold, and what each wrong beginning is told.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include <map>
#include <thread>

#include "api/messages.h"
#include "fixture/manual_clock.h"
#include "rpc/session.h"

namespace holdfast::rpc {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::size_t kMiB = 1 << 20;

std::string framed(const google::protobuf::Message& message) {
  return rpc::framed(message, message.ByteSizeLong());
}

// Polls and signals wait until they are told what to answer; anything else is answered at once.
class Engine final : public api::Connection {
 public:
  struct Poll final : api::CallHandle {
    explicit Poll(api::Completion completion) : done(std::move(completion)) {}
    void cancel() override {
      if (auto run = std::exchange(done, nullptr)) run(fail(Code::kCancelled, "cancelled"));
    }
    void undelivered(api::MessagePtr answer) override { given_back = std::move(answer); }
    api::Completion done;
    api::MessagePtr given_back;
  };
  std::shared_ptr<api::CallHandle> start(api::Method method, api::MessagePtr request, api::CallOptions,
                                         api::Completion done) override {
    requests.push_back(std::move(request));
    if (api::is_long_poll(method) || method == api::Method::kSignalWorkflowExecution)
      return polls.emplace_back(std::make_shared<Poll>(std::move(done)));
    done(api::new_response(method));
    return nullptr;
  }
  std::vector<api::MessagePtr> requests;
  std::vector<std::shared_ptr<Poll>> polls;
};

struct Answer {
  std::map<std::string, std::string> headers;
  std::string body;
  bool closed = false;
  std::uint32_t code = 0;
};

class Client {
 public:
  Client() {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(
        callbacks,
        [](nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
           const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user) {
          static_cast<Client*>(user)->answers[frame->hd.stream_id].headers.emplace(
              std::string(reinterpret_cast<const char*>(name), name_size),
              std::string(reinterpret_cast<const char*>(value), value_size));
          return 0;
        });
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
        callbacks, [](nghttp2_session*, std::uint8_t, std::int32_t stream, const std::uint8_t* data,
                      std::size_t size, void* user) {
          static_cast<Client*>(user)->answers[stream].body.append(reinterpret_cast<const char*>(data), size);
          return 0;
        });
    nghttp2_session_callbacks_set_on_stream_close_callback(
        callbacks, [](nghttp2_session*, std::int32_t stream, std::uint32_t code, void* user) {
          Answer& answer = static_cast<Client*>(user)->answers[stream];
          answer.closed = true;
          answer.code = code;
          return 0;
        });
    nghttp2_session_client_new(&http2, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(http2, NGHTTP2_FLAG_NONE, nullptr, 0);
  }
  ~Client() { nghttp2_session_del(http2); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  using Fields = std::map<std::string, std::string>;
  // `body` is all of it, or its beginning.
  std::int32_t call(const std::string& path, std::string body, bool whole = true,
                    const Fields& changed = {}) {
    Fields fields{{":method", "POST"},
                  {":path", path},
                  {":scheme", "http"},
                  {":authority", "test"},
                  {"content-type", "application/grpc"},
                  {"te", "trailers"}};
    for (const auto& [name, value] : changed) fields[name] = value;
    std::vector<nghttp2_nv> nv;
    for (const auto& [name, value] : fields) {
      nv.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                    reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(),
                    value.size(), NGHTTP2_NV_FLAG_NONE});
    }
    auto& source = *bodies.emplace_back(std::make_unique<Body>(Body{std::move(body), whole, 0}));
    nghttp2_data_provider provider{{.ptr = &source}, Body::read};
    return nghttp2_submit_request(http2, nullptr, nv.data(), nv.size(), &provider, nullptr);
  }
  void reset(std::int32_t stream) {
    nghttp2_submit_rst_stream(http2, NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL);
  }
  std::string take() {
    std::string all;
    const std::uint8_t* data = nullptr;
    for (ssize_t size = 0; (size = nghttp2_session_mem_send(http2, &data)) > 0;)
      all.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
    return all;
  }
  void give(std::string_view bytes) {
    nghttp2_session_mem_recv(http2, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  }

  nghttp2_session* http2 = nullptr;
  std::map<std::int32_t, Answer> answers;

 private:
  struct Body {
    std::string bytes;
    bool whole;
    std::size_t sent;
    static ssize_t read(nghttp2_session*, std::int32_t, std::uint8_t* into, std::size_t most,
                        std::uint32_t* flags, nghttp2_data_source* source, void*) {
      Body& body = *static_cast<Body*>(source->ptr);
      const std::size_t size = std::min(most, body.bytes.size() - body.sent);
      if (size == 0 && !body.whole) return NGHTTP2_ERR_DEFERRED;
      std::memcpy(into, body.bytes.data() + body.sent, size);
      body.sent += size;
      if (body.whole && body.sent == body.bytes.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
      return static_cast<ssize_t>(size);
    }
  };
  std::vector<std::unique_ptr<Body>> bodies;
};

class SessionTest : public ::testing::Test, public Wire {
 protected:
  void hear() override { to_server(); }
  void has_output() override {}
  void TearDown() override {
    session_.reset();
    settle();
    EXPECT_EQ(memory_.used(), 0U);
    EXPECT_EQ(state_.open_calls.load(), 0U);
  }
  ServerOptions options() {
    ServerOptions options;
    options.memory = &memory_;
    options.clock = &clock_;
    options.connections = {.resets_at_once = 3, .resets_per_second = 1};
    return options;
  }
  void to_server(std::size_t piece = std::string::npos) {
    const std::string bytes = client_.take();
    for (std::size_t at = 0; at < bytes.size(); at += std::min(piece, bytes.size() - at))
      session_->receive(std::string_view(bytes).substr(at, piece));
  }
  // As the io thread would, the completions and the lane's work included.
  void settle() {
    state_.io.restart();
    state_.io.poll();
  }
  std::string from_server() {
    settle();
    std::string bytes;
    session_->take(bytes, 64 * kMiB);
    session_->on_written();
    return bytes;
  }
  void talk() {
    for (int i = 0; i < 6; ++i) {
      to_server();
      client_.give(from_server());
    }
  }
  static std::string path(api::Method method) { return std::string(api::method_path(method)); }
  std::int32_t poll(api::Method method) {
    return client_.call(path(method), framed(*api::new_request(method)));
  }
  void answer_poll(std::size_t which, const std::string& token) {
    api::MessagePtr task = std::make_unique<ws::PollActivityTaskQueueResponse>();
    static_cast<ws::PollActivityTaskQueueResponse&>(*task).set_task_token(token);
    std::exchange(engine_.polls.at(which)->done, nullptr)(std::move(task));
    settle();
  }
  const Answer& answer(std::int32_t stream) { return client_.answers[stream]; }
  std::string status(std::int32_t stream) {
    const auto& headers = answer(stream).headers;
    const auto found = headers.find("grpc-status");
    const auto message = headers.find("grpc-message");
    return (found == headers.end() ? "none" : found->second) +
           (message == headers.end() ? "" : " " + message->second);
  }

  fixture::ManualClock clock_;
  MemoryBudget memory_{"the test", 8 * kMiB};
  Engine engine_;
  ServerState state_{engine_, options()};
  Client client_;
  std::unique_ptr<Session> session_ = std::make_unique<Session>(state_, *this);
};

constexpr auto kStart = api::Method::kStartWorkflowExecution;
constexpr auto kSignal = api::Method::kSignalWorkflowExecution;
constexpr auto kPoll = api::Method::kPollActivityTaskQueue;

TEST_F(SessionTest, AMessageMayComeInPiecesOfAnySize) {
  ws::StartWorkflowExecutionRequest request;
  request.set_workflow_id(std::string(500, 'w'));
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::string::npos}) {
    const auto stream = client_.call(path(kStart), framed(request));
    to_server(piece);
    client_.give(from_server());
    client_.give(from_server());
    EXPECT_EQ(status(stream), "0");
    EXPECT_EQ(answer(stream).body, framed(ws::StartWorkflowExecutionResponse()));
    EXPECT_TRUE(answer(stream).closed);
  }
  ASSERT_EQ(engine_.requests.size(), 3U);
  for (const auto& got : engine_.requests) EXPECT_EQ(got->SerializeAsString(), request.SerializeAsString());
}

TEST_F(SessionTest, EachWrongBeginningIsToldWhatItIs) {
  const std::string body = framed(ws::StartWorkflowExecutionRequest());
  const struct {
    Client::Fields changed;
    std::string body;
    std::string status;
    std::string http_status = "200";
  } rows[] = {
      {{{":method", "GET"}}, body, "13 this is a gRPC server: a call is a POST of application/grpc", "405"},
      {{{"content-type", "text/html"}},
       body,
       "13 this is a gRPC server: a call is a POST of application/grpc",
       "415"},
      {{{"content-type", "application/grpc-web"}},
       body,
       "13 this is a gRPC server: a call is a POST of application/grpc",
       "415"},
      {{{"grpc-encoding", "snappy"}}, body, "12 messages may be packed with gzip, not \"snappy\""},
      {{{"grpc-timeout", "1 week"}}, body, "13 grpc-timeout is not a number of at most 8 digits with a unit"},
      {{{":path", "/no.such/Thing"}}, body, "12 unknown method \"/no.such/Thing\""},
      {{{"long", std::string(17'000, 'x')}}, body, "8 the call's metadata has more than 16384 bytes"},
      {{}, "", "3 the call carries no request message"},
      {{}, body.substr(0, 3), "3 the call carries no request message"},
      {{}, std::string("\0\0\0\0\5abc", 8), "3 the call carries no request message"},
      {{}, std::string("\2\0\0\0\0", 5), "13 what begins the message is not a prefix of gRPC's"},
      {{}, std::string("\1\0\0\0\0", 5), "13 the message is packed, and grpc-encoding does not say how"},
      {{},
       std::string("\0\x7F\xFF\xFF\xFFz", 6),
       "8 Received message larger than max (2147483647 vs. 16777216)"},
  };
  for (const auto& row : rows) {
    const auto stream = client_.call(path(kStart), row.body, true, row.changed);
    talk();
    EXPECT_EQ(status(stream), row.status);
    EXPECT_EQ(answer(stream).headers.at(":status"), row.http_status);
    EXPECT_TRUE(answer(stream).closed) << row.status;
  }
  EXPECT_THAT(engine_.requests, IsEmpty());
}

TEST_F(SessionTest, ATaskWhoseStreamIsResetBeforeItWasReadIsGivenBack) {
  const auto stream = poll(kPoll);
  talk();
  answer_poll(0, "token");
  const std::string written = from_server();  // to a client that is about to go
  ASSERT_THAT(written, HasSubstr("token"));
  EXPECT_EQ(engine_.polls[0]->given_back, nullptr);
  client_.reset(stream);
  to_server();
  ASSERT_NE(engine_.polls[0]->given_back, nullptr);
}

TEST_F(SessionTest, ATaskThatWasReadIsNotGivenBack) {
  const auto stream = poll(kPoll);
  talk();
  answer_poll(0, "token");
  talk();  // the ping that follows it is answered
  EXPECT_EQ(status(stream), "0");
  client_.reset(stream);
  talk();
  session_.reset();
  EXPECT_EQ(engine_.polls[0]->given_back, nullptr);
}

// An activity may have begun; a workflow task does no harm twice.
TEST_F(SessionTest, AWorkflowTaskThatMayNotHaveBeenReadGoesToOthers) {
  (void)poll(kPoll);
  (void)poll(api::Method::kPollWorkflowTaskQueue);
  talk();
  answer_poll(0, "activity");
  answer_poll(1, "workflow");
  ASSERT_THAT(from_server(), HasSubstr("workflow"));
  session_.reset();
  EXPECT_EQ(engine_.polls[0]->given_back, nullptr);
  EXPECT_NE(engine_.polls[1]->given_back, nullptr);
}

// It may hold the task, and what the task takes here, no longer than any other transfer.
TEST_F(SessionTest, WhoNeverAnswersThePingBehindATaskIsLeft) {
  auto options = this->options();
  options.transfer_timeout = std::chrono::milliseconds(1);
  ServerState state(engine_, options);
  Session session(state, *this);
  (void)poll(kPoll);
  session.receive(client_.take());
  answer_poll(0, "token");
  const auto settle_all = [&state] {
    state.io.restart();
    state.io.poll();
  };
  settle_all();
  std::string written;
  session.take(written, kMiB);
  session.on_written();
  EXPECT_FALSE(session.ended());
  while (!session.ended()) settle_all();
}

TEST_F(SessionTest, ATaskThatWasNotWrittenIsGivenBack) {
  (void)poll(kPoll);
  talk();
  answer_poll(0, "token");
  session_.reset();
  EXPECT_NE(engine_.polls[0]->given_back, nullptr);
}

TEST_F(SessionTest, AResetThatHasArrivedIsHeardBeforeATaskIsSent) {
  const auto stream = poll(kPoll);
  talk();
  client_.reset(stream);
  answer_poll(0, "token");  // the reset lies in the socket
  EXPECT_NE(engine_.polls[0]->given_back, nullptr);
}

TEST_F(SessionTest, WhatIsPromisedIsHeldAndGivenBackWhenItIsSlow) {
  const std::size_t before = memory_.used();
  const auto stream = client_.call(path(kStart), std::string("\0\0\x30\0\0", 5) + "begin", false);
  talk();
  EXPECT_GE(memory_.used() - before, 3 * kMiB);
  EXPECT_FALSE(state_.transfers.make_room(1 * kMiB));  // it has just begun
  clock_.ns += 1'000'000'000;
  EXPECT_TRUE(state_.transfers.end_slow());
  talk();
  EXPECT_THAT(status(stream), HasSubstr("8 memory is short"));
  EXPECT_EQ(memory_.used(), before);
}

TEST_F(SessionTest, AConnectionThatHoldsMuchMakesRoomForOneThatHoldsLittle) {
  const auto stream = client_.call(path(kStart), std::string("\0\0\x30\0\0", 5) + "begin", false);
  talk();
  EXPECT_FALSE(state_.transfers.make_room(1 * kMiB));
  EXPECT_TRUE(state_.transfers.make_room(1000));
  talk();
  EXPECT_THAT(status(stream), HasSubstr("8 memory is short"));
}

TEST_F(SessionTest, AConnectionThatResetsCallsIsNotCalmForAWhile) {
  EXPECT_TRUE(session_->is_calm());
  const auto stream = poll(kPoll);
  talk();
  client_.reset(stream);
  talk();
  EXPECT_FALSE(session_->is_calm());
  clock_.ns += 1'000'000'000;
  EXPECT_TRUE(session_->is_calm());
}

TEST_F(SessionTest, WhatDoesNotComeThroughInItsTimeEnds) {
  const auto stream = client_.call(path(kStart), "", false);
  talk();
  clock_.ns += 29'000'000'000;
  state_.transfers.end_overdue();
  talk();
  EXPECT_EQ(status(stream), "none");
  clock_.ns += 1'000'000'000;
  state_.transfers.end_overdue();
  talk();
  EXPECT_EQ(status(stream), "4 the call's bytes were not through after 30000 ms");
}

TEST_F(SessionTest, AnAnswerThatIsNotReadIsDropped) {
  const nghttp2_settings_entry none{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0};
  nghttp2_submit_settings(client_.http2, NGHTTP2_FLAG_NONE, &none, 1);
  talk();
  const std::size_t before = memory_.used();
  const auto stream = client_.call(path(kStart), framed(ws::StartWorkflowExecutionRequest()));
  talk();
  EXPECT_FALSE(answer(stream).closed);
  EXPECT_GT(memory_.used(), before);
  clock_.ns += 30'000'000'000;
  state_.transfers.end_overdue();
  talk();
  EXPECT_TRUE(answer(stream).closed);
  EXPECT_EQ(answer(stream).code, static_cast<std::uint32_t>(NGHTTP2_CANCEL));
  EXPECT_EQ(memory_.used(), before);
}

TEST_F(SessionTest, ResetsOfCallsThatHaveJustBegunAreCounted) {
  const auto open_and_reset = [this] {
    const auto stream = poll(kPoll);
    talk();
    client_.reset(stream);
    talk();
  };
  for (int i = 0; i < 3; ++i) open_and_reset();
  EXPECT_FALSE(session_->ended());
  clock_.ns += 2'000'000'000;  // and are forgiven
  open_and_reset();
  open_and_reset();
  EXPECT_FALSE(session_->ended());
  open_and_reset();
  EXPECT_TRUE(session_->ended());
}

TEST_F(SessionTest, ResetsOfCallsThatWaitedAreNot) {
  std::vector<std::int32_t> streams;
  for (int i = 0; i < 50; ++i) streams.push_back(poll(kPoll));
  talk();
  clock_.ns += 2'000'000'000;
  for (const auto stream : streams) client_.reset(stream);
  talk();
  EXPECT_FALSE(session_->ended());
}

// The engine is busy with the calls of one; the first of another is the next one all the same.
TEST_F(SessionTest, ConnectionsHaveTheirTurnsWithTheEngine) {
  talk();
  for (int i = 0; i < 200; ++i)
    (void)client_.call(path(kSignal), framed(ws::SignalWorkflowExecutionRequest()));
  talk();
  EXPECT_EQ(engine_.polls.size(), static_cast<std::size_t>(Gate::kMost));
  Client other;
  Session second(state_, *this);
  ws::SignalWorkflowExecutionRequest request;
  request.set_signal_name("of another");
  (void)other.call(path(kSignal), framed(request));
  second.receive(other.take());
  const auto answer_next = [&](std::size_t which) {
    std::exchange(engine_.polls.at(which)->done, nullptr)(api::new_response(kSignal));
    settle();
  };
  answer_next(0);
  answer_next(1);
  EXPECT_EQ(engine_.polls.size(), static_cast<std::size_t>(Gate::kMost) + 2);
  EXPECT_EQ(static_cast<const ws::SignalWorkflowExecutionRequest&>(*engine_.requests.back()).signal_name(),
            "of another");
  for (std::size_t i = 2; i < 201; ++i) answer_next(i);
}

TEST_F(SessionTest, AClientThatDoesNotReadIsNotHeard) {
  talk();
  for (int i = 0; i < 2000; ++i) {
    (void)client_.call("/no.such/Thing", "");
    if (i % 100 == 99) to_server();
  }
  to_server();
  EXPECT_TRUE(session_->is_backed_up());
  for (int i = 0; i < 10; ++i) client_.give(from_server());
  EXPECT_FALSE(session_->is_backed_up());
}

TEST_F(SessionTest, BytesThatAreNoHttp2EndIt) {
  session_->receive("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(session_->ended());
}

TEST_F(SessionTest, ACallEndsWhenItsTimeIsOverWhoeverIsThere) {
  const auto stream =
      client_.call(path(kPoll), framed(ws::PollActivityTaskQueueRequest()), true, {{"grpc-timeout", "0m"}});
  to_server();
  settle();
  while (engine_.polls.empty() || engine_.polls[0]->done) settle();
  talk();
  EXPECT_EQ(status(stream), "4 the call's time is over");
}

TEST(Frame, Timeouts) {
  using namespace std::chrono_literals;
  const struct {
    std::string text;
    std::optional<std::chrono::nanoseconds> time;
  } rows[] = {{"1H", 1h},         {"2M", 2min},
              {"3S", 3s},         {"4m", 4ms},
              {"5u", 5us},        {"99999999n", 99999999ns},
              {"0S", 0s},         {"99999999H", 1'000'000h},
              {"", {}},           {"5", {}},
              {"S", {}},          {"-1S", {}},
              {"+1S", {}},        {"1.5S", {}},
              {"999999999S", {}}, {"1s", {}},
              {" 1S", {}},        {"1SS", {}}};
  for (const auto& row : rows) EXPECT_EQ(read_timeout(row.text), row.time) << row.text;
}

TEST(Frame, StatusesAreWrittenSoThatTheyCanBeRead) {
  const auto headers = status_headers(Status(Code::kNotFound, "50% of \xC3\xA4\n"));
  EXPECT_EQ(headers, (Headers{{"grpc-status", "5"}, {"grpc-message", "50%25 of %C3%A4%0A"}}));
  EXPECT_EQ(status_headers(Status()), (Headers{{"grpc-status", "0"}}));
  const auto detailed = status_headers(Status(Code::kNotFound, "").with_detail("type/t", "v"));
  ASSERT_EQ(detailed.size(), 3U);
  EXPECT_EQ(detailed[2].second, "CAUaCwoGdHlwZS90EgF2");
  // What no peer would take is left out, the rest stays.
  EXPECT_EQ(status_headers(Status(Code::kNotFound, "").with_detail("t", std::string(40'000, 'x'))).size(),
            2U);
}

TEST(Room, TheMoreThereAreTheLessForEach) {
  EXPECT_TRUE(ServerState::has_room(0, 1, 0, 1));
  EXPECT_FALSE(ServerState::has_room(0, 1, 1, 1));
  EXPECT_FALSE(ServerState::has_room(1, 1, 2, 1));
  EXPECT_TRUE(ServerState::has_room(799, 1, 800, 1000));
  EXPECT_FALSE(ServerState::has_room(800, 1, 800, 1000));
  EXPECT_TRUE(ServerState::has_room(0, 200, 800, 1000));
}

}  // namespace
}  // namespace holdfast::rpc
