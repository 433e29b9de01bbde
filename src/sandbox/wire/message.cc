#include "wire/message.h"

#include <array>

namespace holdfast::sandbox {

namespace {

class Writer {
 public:
  void byte(std::uint8_t value) { out_ += static_cast<char>(value); }
  void number(std::uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8) byte(static_cast<std::uint8_t>(value >> shift));
  }
  void text(std::string_view value) {
    number(static_cast<std::uint32_t>(value.size()));
    out_ += value;
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

// After the first thing that is missing it gives nothing but zeros, and fine() says so.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  std::uint8_t byte() {
    if (!has(1)) return 0;
    const auto value = static_cast<std::uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return value;
  }
  std::uint32_t number() {
    if (!has(4)) return 0;
    std::uint32_t value = 0;
    for (int shift = 0; shift < 32; shift += 8) value |= std::uint32_t{byte()} << shift;
    return value;
  }
  std::string text() {
    const std::size_t size = number();
    if (!has(size)) return {};
    std::string value(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
    return value;
  }
  bool flag() {
    const std::uint8_t value = byte();
    if (value > 1) fine_ = false;
    return value == 1;
  }
  bool whole() const { return fine_ && bytes_.empty(); }

 private:
  bool has(std::size_t size) {
    if (bytes_.size() < size) fine_ = false;
    return fine_;
  }
  std::string_view bytes_;
  bool fine_ = true;
};

constexpr std::array kFaultNames = {"",
                                    "syntax_error",
                                    "exception",
                                    "time_limit",
                                    "memory_limit",
                                    "stack_limit",
                                    "output_limit",
                                    "no_clock",
                                    "no_randomness",
                                    "no_json_result",
                                    "invalid_input",
                                    "never_settles",
                                    "sandbox_died"};

Status too_much(std::string_view what, std::uint64_t is, std::uint64_t least, std::uint64_t most) {
  return {Code::kInvalidArgument, std::string(what) + " is " + std::to_string(is) + "; it may be " +
                                      std::to_string(least) + " to " + std::to_string(most)};
}

}  // namespace

Status check_request(const Request& request) {
  struct Bound {
    std::string_view what;
    std::uint64_t is, least, most;
  };
  const Limits& limits = request.limits;
  for (const Bound& bound : {Bound{"time_ms", limits.time_ms, 1, kMostTimeMs},
                             Bound{"memory_bytes", limits.memory_bytes, 1U << 20, kMostMemoryBytes},
                             Bound{"stack_bytes", limits.stack_bytes, 16U << 10, kMostStackBytes},
                             Bound{"output_bytes", limits.output_bytes, 1, kMostOutputBytes},
                             Bound{"log_bytes", limits.log_bytes, 0, kMostLogBytes},
                             Bound{"the size of the code", request.code.size(), 0, kMostCodeBytes},
                             Bound{"the size of the inputs", request.inputs.size(), 0, kMostInputBytes}}) {
    if (bound.is < bound.least || bound.is > bound.most)
      return too_much(bound.what, bound.is, bound.least, bound.most);
  }
  return {};
}

std::string_view fault_name(Fault fault) {
  return kFaultNames[static_cast<std::size_t>(fault)];
}

std::string encode(const Request& request) {
  Writer out;
  out.byte(static_cast<std::uint8_t>(request.kind));
  out.byte(request.decimals_as_text ? 1 : 0);
  out.number(request.limits.time_ms);
  out.number(request.limits.memory_bytes);
  out.number(request.limits.stack_bytes);
  out.number(request.limits.output_bytes);
  out.number(request.limits.log_bytes);
  out.text(request.code);
  out.text(request.inputs);
  return out.take();
}

std::string encode(const Reply& reply) {
  Writer out;
  out.byte(reply.failure ? static_cast<std::uint8_t>(reply.failure->fault) : 0);
  out.byte(reply.last ? 1 : 0);
  out.text(reply.result);
  out.text(reply.log);
  out.number(reply.log_left_out);
  if (reply.failure) {
    out.text(reply.failure->name);
    out.text(reply.failure->message);
    out.number(reply.failure->line);
    out.number(reply.failure->column);
  }
  return out.take();
}

Result<Request> decode_request(std::string_view bytes) {
  Reader in(bytes);
  Request request;
  const std::uint8_t kind = in.byte();
  request.kind = static_cast<Kind>(kind);
  request.decimals_as_text = in.flag();
  request.limits.time_ms = in.number();
  request.limits.memory_bytes = in.number();
  request.limits.stack_bytes = in.number();
  request.limits.output_bytes = in.number();
  request.limits.log_bytes = in.number();
  request.code = in.text();
  request.inputs = in.text();
  const bool known = (kind >= 1 && kind <= static_cast<std::uint8_t>(Kind::kPython)) || request.kind == Kind::kCalls;
  if (!in.whole() || !known) {
    return fail(Code::kInvalidArgument, "the request of the sandbox is malformed");
  }
  if (Status status = check_request(request); !status.ok()) return fail(std::move(status));
  return request;
}

Result<Reply> decode_reply(std::string_view bytes) {
  Reader in(bytes);
  Reply reply;
  const std::uint8_t fault = in.byte();
  reply.last = in.flag();
  reply.result = in.text();
  reply.log = in.text();
  reply.log_left_out = in.number();
  if (fault != 0) {
    reply.failure.emplace();
    reply.failure->fault = static_cast<Fault>(fault);
    reply.failure->name = in.text();
    reply.failure->message = in.text();
    reply.failure->line = in.number();
    reply.failure->column = in.number();
  }
  if (!in.whole() || fault >= static_cast<std::uint8_t>(Fault::kDied)) {
    return fail(Code::kDataLoss, "the sandbox answered with what is no answer");
  }
  return reply;
}

}  // namespace holdfast::sandbox
