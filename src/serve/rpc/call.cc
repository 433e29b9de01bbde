#include "rpc/call.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <utility>

#include "base/check.h"
#include "identity/gate.h"
#include "rpc/permission.h"
#include "rpc/reflection.h"
#include "rpc/session.h"

namespace holdfast::rpc {
namespace {

constexpr std::string_view kHealthCheck = "/grpc.health.v1.Health/Check";
constexpr std::size_t kMaxClientNameBytes = 128;
constexpr std::size_t kMaxHealthBytes = 4 << 10;
constexpr std::size_t kMaxReflectionBytes = 4 << 20;
// Whoever has waited for so long is no flood when he stops.
constexpr std::chrono::seconds kPatience{1};

// With messages of protobuf, which is what it means when it does not say.
bool is_grpc(std::string_view content_type) {
  const std::string_view type = content_type.substr(0, content_type.find(';'));
  return type == "application/grpc" || type == "application/grpc+proto";
}

// grpc.health.v1.HealthCheckRequest is {string service = 1}: small enough to read by hand.
std::optional<std::string> health_service(const std::string& bytes) {
  if (bytes.empty()) return std::string();
  if (bytes.size() < 2 || bytes[0] != 0x0A || static_cast<std::size_t>(bytes[1]) != bytes.size() - 2)
    return std::nullopt;
  return bytes.substr(2);
}

bool may_wait(api::Method method) {
  return api::is_long_poll(method) || method == api::Method::kQueryWorkflow ||
         method == api::Method::kExecuteMultiOperation;
}

bool hands_over_tasks(api::Method method) {
  return method == api::Method::kPollWorkflowTaskQueue || method == api::Method::kPollActivityTaskQueue;
}

// Nothing is lost when its answer is refused. Others changed something, and are told so in any case.
bool may_ask_again(api::Method method) {
  using enum api::Method;
  return hands_over_tasks(method) || method == kGetWorkflowExecutionHistory ||
         method == kGetWorkflowExecutionHistoryReverse || method == kDescribeWorkflowExecution ||
         method == kQueryWorkflow || method == kPollWorkflowExecutionUpdate || method == kListNamespaces ||
         method == kListWorkflowExecutions || method == kScanWorkflowExecutions ||
         method == kListOpenWorkflowExecutions || method == kListClosedWorkflowExecutions;
}

}  // namespace

Call::Call(ServerState& state, Session& session, std::int32_t stream)
    : state_(state), session_(&session), stream_(stream), began_(state.clock.monotonic()) {
  state_.open_calls.fetch_add(1);
}

Call::~Call() {
  state_.open_calls.fetch_sub(1);
}

// ---- the head

void Call::on_header(std::string_view name, std::string_view value) {
  if (!head_) return;  // trailers, of which gRPC's clients send none
  head_->bytes += name.size() + value.size() + 32;
  if (head_->bytes > kMaxHeadBytes) return;
  if (name == ":path") head_->path = value;
  if (name == ":method") head_->method = value;
  if (name == "content-type") head_->content_type = value;
  if (name == "grpc-encoding") head_->encoding = value;
  if (name == "grpc-timeout") head_->timeout = std::string(value);
  if (name == "authorization") head_->authorization = value;
  if (name == "client-name") head_->client_name = value.substr(0, kMaxClientNameBytes);
  if (name == "client-version") head_->client_version = value.substr(0, kMaxClientNameBytes);
}

void Call::on_head_end() {
  reading_ = true;
  Status wrong = read_head();
  if (wrong.ok()) wrong = find_caller();
  if (wrong.ok()) wrong = choose_kind();
  if (wrong.ok()) wrong = admit();
  if (!wrong.ok()) return refuse(wrong);
  state_.begin_transfer(*this, transfer_);
  if (deadline_) state_.deadlines.add(*deadline_, *this);
}

Status Call::read_head() {
  if (head_->bytes > kMaxHeadBytes)
    return exhausted(fmt::format("the call's metadata has more than {} bytes", kMaxHeadBytes), false);
  if (head_->method != "POST" || !is_grpc(head_->content_type)) {
    http_status_ = head_->method != "POST" ? "405" : "415";
    return {Code::kInternal, "this is a gRPC server: a call is a POST of application/grpc"};
  }
  if (!head_->encoding.empty() && head_->encoding != "identity" && head_->encoding != "gzip")
    return {Code::kUnimplemented,
            fmt::format("messages may be packed with gzip, not \"{}\"", head_->encoding.substr(0, 100))};
  if (!head_->timeout) return {};
  const auto timeout = read_timeout(*head_->timeout);
  if (!timeout) return {Code::kInternal, "grpc-timeout is not a number of at most 8 digits with a unit"};
  // A year is for ever.
  deadline_ =
      state_.clock.monotonic() + std::min<std::chrono::nanoseconds>(*timeout, std::chrono::hours(24 * 365));
  return {};
}

// Before anything else: what is not there and what is not allowed look alike from outside. Health says
// nothing about anybody, and is asked by what has no credential.
Status Call::find_caller() {
  if (state_.options.gate == nullptr || head_->path == kHealthCheck) return {};
  auto caller = state_.options.gate->admit({.authorization = head_->authorization,
                                            .session = {},
                                            .certificate = session_->certificate(),
                                            .user = session_->user()});
  head_->authorization.clear();
  if (!caller) return caller.error();
  caller_ = *std::move(caller);
  return state_.options.gate->check(caller_, identity::kEveryNamespace, identity::Permission::kKnown);
}

Status Call::check(const google::protobuf::Message& request) {
  if (state_.options.gate == nullptr) return {};
  return check_call(method_, request, [this](std::string_view where, identity::Permission what) {
    if (hands_over_tasks(method_)) namespace_ = where;
    return state_.options.gate->check(caller_, where, what);
  });
}

// A poll may wait for a minute, and a task is not for who may not have it any more.
Status Call::check_again() const {
  if (state_.options.gate == nullptr) return {};
  return state_.options.gate->check(caller_, namespace_, permission_of(method_));
}

Status Call::choose_kind() {
  const std::string& path = head_->path;
  if (const auto method = api::method_by_path(path)) {
    method_ = *method;
    return {};
  }
  if (const auto name = api::name_in_path(path))
    return {Code::kUnimplemented, fmt::format("method {} is not supported by this server", *name)};
  if (path == kHealthCheck) {
    kind_ = Kind::kHealth;
  } else if (is_reflection(path)) {
    kind_ = Kind::kReflection;
  } else {
    return {Code::kUnimplemented, fmt::format("unknown method \"{}\"", path.substr(0, 200))};
  }
  return {};
}

Status Call::admit() {
  if (state_.stopping) return {Code::kUnavailable, "the server is stopping"};
  const std::size_t most = state_.options.max_open_calls;
  // This one is counted already, on both sides.
  if (!ServerState::has_room(session_->calls() - 1, 1, state_.open_calls.load() - 1, most)) {
    return exhausted(fmt::format("{} calls of this connection, of {} of all, are open on this server, which "
                                 "serves {}; try again later",
                                 session_->calls() - 1, state_.open_calls.load() - 1, most),
                     true);
  }
  held_ = HeldMemory(budget());
  MemoryBudget& from = waits() ? state_.waiting : state_.memory;
  base_ = HeldMemory(from);
  return hold(base_, from, kCallBytes);
}

bool Call::waits() const {
  return kind_ == Kind::kMethod && may_wait(method_);
}

std::size_t Call::held_by_connection() const {
  return session_ != nullptr ? session_->held() : 0;
}

MemoryBudget& Call::budget() {
  return waits() ? state_.waiting : state_.bulk;
}

// ---- the message

void Call::on_data(std::string_view data) {
  while (reading_ && !answering_ && !data.empty()) {
    if (prefix_.size() < kPrefixBytes) {
      const std::size_t take = std::min(kPrefixBytes - prefix_.size(), data.size());
      prefix_.append(data.substr(0, take));
      data.remove_prefix(take);
      if (prefix_.size() < kPrefixBytes) return;
      if (Status wrong = begin_message(prefix_); !wrong.ok()) return refuse(wrong);
    }
    const std::size_t take = std::min(expected_ - request_.bytes.size(), data.size());
    request_.bytes.append(data.substr(0, take));
    data.remove_prefix(take);
    if (request_.bytes.size() == expected_) on_message();
  }
}

Status Call::begin_message(std::string_view five_bytes) {
  const auto prefix = read_prefix(five_bytes);
  if (!prefix) return {Code::kInternal, "what begins the message is not a prefix of gRPC's"};
  if (prefix->packed && head_->encoding != "gzip")
    return {Code::kInternal, "the message is packed, and grpc-encoding does not say how"};
  std::size_t most = state_.options.max_receive_bytes;
  if (kind_ == Kind::kHealth) most = kMaxHealthBytes;
  if (kind_ == Kind::kReflection) most = kSmallBytes;
  if (prefix->length > most)
    return exhausted(fmt::format("Received message larger than max ({} vs. {})", prefix->length, most),
                     false);
  request_.packed = prefix->packed;
  expected_ = prefix->length;
  if (expected_ <= kSmallBytes) return {};
  state_.transfers.end(transfer_);  // it makes no room for itself
  if (Status full = hold(held_, budget(), expected_); !full.ok()) return full;
  state_.begin_transfer(*this, transfer_);
  request_.bytes.reserve(expected_);
  session_->expect(stream_, expected_);
  return {};
}

// Of the server's memory, for what a client does; what others move slowly makes room.
Status Call::hold(HeldMemory& held, MemoryBudget& from, std::size_t bytes) {
  // Before others are refused what they need for their answers.
  if (from.used() + bytes > from.limit() / 16 * 15) state_.transfers.end_slow();
  Status full;
  do {
    if (!ServerState::has_room(session_->held(), bytes, from.used(), from.limit())) {
      full = Status(Code::kResourceExhausted,
                    fmt::format("{}: {} bytes of {} are used, {} of them by this connection; try again later",
                                from.what(), from.used(), from.limit(), session_->held()));
    } else {
      full = held.resize(bytes);
    }
  } while (!full.ok() && state_.transfers.make_room(session_->held() + bytes));
  if (!full.ok()) return exhausted(full.message(), false);
  const std::size_t all = base_.bytes() + held_.bytes();
  session_->change_held(share_, all);
  share_ = all;
  return {};
}

void Call::on_request_end() {
  if (kind_ == Kind::kReflection && !answering_) {
    answering_ = true;
    if (streaming_) return session_->resume(*this);
    return session_->reply(*this);
  }
  if (whole_ && !answering_) return begin_work();
  if (reading_ && !answering_) refuse({Code::kInvalidArgument, "the call carries no request message"});
}

void Call::on_message() {
  if (kind_ == Kind::kReflection) return answer_reflection();
  reading_ = false;
  whole_ = true;
}

// Not before the client has said that this is all: an answer that overtakes its end would reset the stream.
void Call::begin_work() {
  whole_ = false;
  state_.transfers.end(transfer_);
  if (kind_ == Kind::kHealth) return answer_health();
  if (request_.packed || request_.bytes.size() >= LargeLane::kLargeBytes)
    return state_.lane.add_request(session_, shared_from_this());
  parse();
  if (!message_) return refuse(message_.error());
  if (waits()) return start(*std::exchange(message_, api::MessagePtr()));
  state_.gate.enter(session_, shared_from_this());
}

void Call::parse() {
  message_ = take_request(method_, std::move(request_), state_.options.max_receive_bytes, held_);
  if (!message_) return;
  if (Status refused = check(**message_); !refused.ok()) message_ = fail(std::move(refused));
}

void Call::start_parsed() {
  inside_ = true;
  start(*std::exchange(message_, api::MessagePtr()));
}

void Call::work_in_lane() {
  try {
    if (replied_) return serialise((*result_)->ByteSizeLong());
    parse();
  } catch (const std::exception& error) {
    (replied_ ? result_ : message_) = fail(exhausted(error.what(), false));  // there is no memory for it
  }
}

void Call::leave_lane() {
  working_ = false;
  const bool is_over = over();
  if (is_over) let_go();
  if (!replied_) return take_parsed();
  if (is_over) return;
  result_ ? send_reply() : refuse(result_.error());
}

void Call::take_parsed() {
  large_ = true;
  const bool begins = !over() && message_;
  if (begins) {
    start(*std::exchange(message_, api::MessagePtr()));
  } else if (!over()) {
    refuse(message_.error());
  }
  // Those that wait leave the engine to others.
  if ((!begins || waits()) && std::exchange(large_, false)) state_.lane.left_engine();
}

void Call::start(api::MessagePtr request) {
  with_engine_ = true;
  handle_ = state_.connection.start(method_, std::move(request), call_options(),
                                    [self = shared_from_this()](Result<api::MessagePtr> result) mutable {
                                      self->result_ = std::move(result);
                                      Answers& answers = self->state_.answers;
                                      answers.add(std::move(self));
                                    });
  head_.reset();
}

api::CallOptions Call::call_options() {
  api::CallOptions options;
  options.deadline = deadline_;
  options.client_name = head_->client_name;
  options.client_version = head_->client_version;
  options.from_wire = true;
  options.memory = &held_;
  return options;
}

// ---- the answer

void Call::send_answer() {
  with_engine_ = false;
  replied_ = true;
  if (std::exchange(large_, false)) state_.lane.left_engine();
  if (std::exchange(inside_, false)) state_.gate.leave();
  // What has come by now may say that the caller has gone: the task is not for him then.
  if (!over() && hands_over_tasks(method_)) session_->hear();
  if (over()) return let_go();
  if (!result_) return refuse(result_.error());
  if (hands_over_tasks(method_)) {
    if (Status refused = check_again(); !refused.ok()) return refuse(refused);
  }
  HF_CHECK(*result_ != nullptr);
  const auto to_lane = [this] { state_.lane.add_reply(session_, shared_from_this()); };
  if (held_.bytes() > LargeLane::kLargeBytes) return to_lane();  // already the walk over it would take long
  const std::size_t length = (*result_)->ByteSizeLong();
  if (length > LargeLane::kLargeBytes) return to_lane();
  serialise(length);
  send_reply();
}

// A task is kept until it is delivered, anything else needs to be there once.
void Call::serialise(std::size_t length) {
  reply_ = framed(**result_, length);
  if (!hands_over_tasks(method_)) *result_ = nullptr;
}

void Call::send_reply() {
  const std::size_t most = state_.options.max_send_bytes;
  if (reply_.size() > most + kPrefixBytes) {
    give_back_answer();
    return refuse(
        exhausted(fmt::format("Sent message larger than max ({} vs. {})", reply_.size(), most), false));
  }
  std::size_t bytes = reply_.size() > kSmallBytes ? reply_.size() : 0;
  if (hands_over_tasks(method_)) bytes *= 2;
  Status full = held_.resize(bytes);
  if (!full.ok() && state_.transfers.make_room(session_->held() + bytes)) full = held_.resize(bytes);
  if (!full.ok() && may_ask_again(method_)) {
    give_back_answer();
    return refuse(exhausted(full.message(), false));
  }
  send_bytes(std::move(reply_));
}

void Call::send_bytes(std::string reply) {
  answering_ = true;
  reply_ = std::move(reply);
  state_.begin_transfer(*this, transfer_);
  session_->reply(*this);
}

void Call::answer_health() {
  const auto service = health_service(request_.bytes);
  if (!service)
    return refuse({Code::kInvalidArgument, "the request is not a valid grpc.health.v1.HealthCheckRequest"});
  if (!service->empty() && !api::is_service(*service))
    return refuse({Code::kNotFound, fmt::format("no service \"{}\" here", *service)});
  send_bytes(framed(std::string_view("\x08\x01", 2)));  // HealthCheckResponse{status = SERVING}
}

// The one method of ours that is a stream, in both directions: an answer for each message, until the client
// has sent the last.
void Call::answer_reflection() {
  auto answer = request_.packed
                    ? Result<std::string>(fail(Code::kUnimplemented, "questions must not be packed"))
                    : reflect(request_.bytes);
  request_.bytes.clear();
  prefix_.clear();
  reply_.erase(0, std::exchange(read_, 0));
  if (answer) reply_ += framed(*answer);
  Status wrong = answer ? held_.resize(reply_.size()) : answer.error();
  if (wrong.ok() && reply_.size() > kMaxReflectionBytes)
    wrong = exhausted("too many answers are not read", false);
  state_.begin_transfer(*this, transfer_);
  if (!wrong.ok()) {
    if (!streaming_) return refuse(wrong);
    status_ = wrong;
    answering_ = true;
  }
  if (std::exchange(streaming_, true)) return session_->resume(*this);
  session_->reply(*this);
}

Call::Piece Call::read_reply(char* into, std::size_t most) {
  const std::size_t bytes = std::min(most, reply_.size() - read_);
  std::memcpy(into, reply_.data() + read_, bytes);
  read_ += bytes;
  return {.bytes = bytes, .end = read_ == reply_.size() && answering_};
}

void Call::refuse(const Status& status) {
  answering_ = true;
  status_ = status;
  forget_waits();
  let_go();
  session_->refuse(*this);
}

void Call::give_up(const Status& reason) {
  gave_up_ = true;
  state_.transfers.end(transfer_);
  if (!answering_ && !streaming_) return refuse(reason);
  let_go();
  session_->reset(*this);
}

void Call::on_deadline() {
  deadline_.reset();  // it is out of the list
  end({Code::kDeadlineExceeded, "the call's time is over"});
}

void Call::end(const Status& reason) {
  if (with_engine_ && handle_) handle_->cancel();
  give_up(reason);
}

void Call::forget_waits() {
  state_.transfers.end(transfer_);
  if (deadline_) state_.deadlines.remove(*deadline_, *this);
  deadline_.reset();
}

// What the call has, unless the engine or the lane has it now.
void Call::let_go() {
  if (with_engine_ || working_) return;
  give_back_answer();
  request_ = {};
  message_ = api::MessagePtr();
  reply_ = {};
  read_ = 0;
  (void)held_.resize(0);
}

bool Call::wants_proof() const {
  return kind_ == Kind::kMethod && hands_over_tasks(method_) && result_ && *result_ != nullptr;
}

void Call::on_leaving() {
  leaving_ = true;
  reply_ = {};
  read_ = 0;
  if (!wants_proof()) (void)held_.resize(0);
}

// It reached nobody: what it hands over goes to others.
void Call::give_back_answer() {
  if (handle_ && result_ && *result_ != nullptr) handle_->undelivered(std::move(*result_));
}

void Call::on_close(bool was_reset) {
  // Neither we ended it nor its time, which the client's own clock sees a little earlier.
  const auto age = state_.clock.monotonic() - began_;
  const bool early = age < kPatience && (!deadline_ || *deadline_ - began_ > 2 * age);
  if (was_reset && !answering_ && !gave_up_ && early) session_->count_reset();
  forget_waits();
  session_->change_held(share_, 0);
  session_ = nullptr;
  if (with_engine_ && handle_) handle_->cancel();
  if (!leaving_) let_go();
}

}  // namespace holdfast::rpc
