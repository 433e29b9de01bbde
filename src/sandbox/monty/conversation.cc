#include "monty/conversation.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "base/text_place.h"
#include "holdfast/monty/v1/worker.pb.h"
#include "monty/arena.h"
#include "monty/literals.h"
#include "monty/result.h"
#include "wire/frame.h"

namespace holdfast::sandbox {

namespace {

namespace pb = holdfast::monty::v1;

constexpr std::uint32_t kProtocolVersion = 6;
constexpr std::string_view kScriptName = "code";
constexpr std::string_view kCodeFile = "<python-input-0>";  // how Monty calls the code
constexpr std::uint32_t kMostPauses = 1000;
constexpr std::size_t kMostName = 256;
constexpr std::size_t kMostMessage = 4096;

std::string framed(const pb::Request& request) {
  return frame(request.SerializeAsString());
}

// Characters to bytes: a column of the wire.
std::uint32_t byte_column(std::string_view code, std::uint32_t line, std::uint32_t column) {
  for (std::uint32_t n = 1; n < line; ++n) {
    const std::size_t end = code.find('\n');
    if (end == std::string_view::npos) return column;
    code.remove_prefix(end + 1);
  }
  std::size_t at = 0;
  for (std::uint32_t n = 1; n < column && at < code.size() && code[at] != '\n'; ++n) {
    ++at;
    while (at < code.size() && (static_cast<unsigned char>(code[at]) & 0xC0U) == 0x80U) ++at;
  }
  return static_cast<std::uint32_t>(at) + 1;
}

// What Monty does not have, Debian's Python has.
std::string hint_of(const pb::Raised& raised, Fault fault) {
  if (raised.exc_type() == "NotImplementedError" && fault == Fault::kSyntax)
    return "; `language: python` has it";
  if (raised.exc_type() == "ModuleNotFoundError")
    return "; Monty has a part of Python's library, `language: python` all of it";
  return "";
}

Fault fault_of(const pb::Raised& raised, bool begun) {
  if (raised.exc_type() == "TimeoutError" && raised.message().starts_with("feed time limit exceeded"))
    return Fault::kTime;
  if (raised.exc_type() == "MemoryError") return Fault::kMemory;
  if (raised.exc_type() == "RecursionError") return Fault::kStack;
  return begun ? Fault::kThrown : Fault::kSyntax;
}

Failure failure_of(const pb::Raised& raised, const Request& request) {
  Failure out;
  bool begun = raised.exc_type() != "SyntaxError";  // which may have no place
  for (const pb::Frame& frame : raised.traceback()) {
    if (frame.filename() != kCodeFile) continue;
    out.line = frame.start().line();
    out.column = frame.start().column();
    begun = frame.has_frame_name();
  }
  if (out.line > 0) out.column = byte_column(request.code, out.line, out.column);
  out.fault = fault_of(raised, begun);
  out.name = cut_text(to_utf8(raised.exc_type()), kMostName);
  if (out.fault == Fault::kTime) {
    out.name.clear();
    out.message = fmt::format("it ran longer than {} ms", request.limits.time_ms);
  } else if (out.fault == Fault::kMemory) {
    out.message = fmt::format("it needs more than {} bytes of memory", request.limits.memory_bytes);
  } else {
    out.message = to_utf8(cut_text(raised.message(), kMostMessage)) + hint_of(raised, out.fault);
    if (out.fault == Fault::kStack) out.message += ": a recursion without end?";
  }
  return out;
}

void raise(pb::Raised& raised, const char* type, std::string message) {
  raised.set_exc_type(type);
  raised.set_message(std::move(message));
}

std::optional<Failure> half_a_pair(std::string_view code) {
  const std::size_t at = half_a_pair_in(code);
  if (at == std::string_view::npos) return std::nullopt;
  const TextPlace place = place_in(code, at);
  return Failure{Fault::kSyntax, "SyntaxError",
                 "half a surrogate pair, which no text of JSON has: Monty would take it for U+FFFD",
                 place.line, place.column};
}

}  // namespace

std::expected<std::string, Failure> Conversation::begin() {
  if (auto half = half_a_pair(request_.code)) return std::unexpected(*std::move(half));
  auto inputs = inputs_of(request_.inputs, request_.decimals_as_text);
  if (!inputs) return std::unexpected(std::move(inputs.error()));
  pb::Request first;
  pb::Configure& configure = *first.mutable_configure();
  configure.set_script_name(std::string(kScriptName));
  configure.set_protocol_version(kProtocolVersion);
  configure.mutable_limits()->set_max_memory_bytes(request_.limits.memory_bytes);
  configure.mutable_limits()->set_max_feed_duration_micros(std::uint64_t{request_.limits.time_ms} * 1000 *
                                                           kMontyTimeFactor);
  // Sleeping is asked for like everything outside, and refused.
  configure.mutable_os_policy()->mutable_sleep()->mutable_call_host();
  std::string out = framed(first);
  pb::Request second;
  pb::Feed& feed = *second.mutable_feed();
  // What the code returns is its result, and not, as Monty has it, the value of its last line.
  feed.set_code(to_utf8(request_.code) + "\nNone");
  for (const auto& [name, node] : inputs->names) {
    pb::NamedRef& input = *feed.add_inputs();
    input.set_name(name);
    input.set_value(node);
  }
  feed.set_values(std::move(inputs->arena));
  return out + framed(second);
}

std::size_t Conversation::most_event_bytes() const {
  // Of a list of numbers, whose nodes are eight bytes for two of JSON; or of one text that is printed.
  return std::size_t{request_.limits.output_bytes} * 8 + request_.limits.memory_bytes + (1U << 20);
}

Result<std::string> Conversation::hear(std::string_view bytes) {
  pb::Event event;
  if (!event.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return fail(Code::kDataLoss, "Monty answered with what is no event");
  if (event.kind_case() == pb::Event::kFatalError) {
    reply_.failure = Failure{
        Fault::kDied, "",
        fmt::format("Monty gave up: {}", to_utf8(cut_text(event.fatal_error().message(), kMostMessage)))};
    reply_.result.clear();
    reply_.last = true;
    stage_ = Stage::kOver;
    return std::string();
  }
  if (stage_ == Stage::kRunning) return hear_run(event);
  if (event.kind_case() != pb::Event::kOk || stage_ == Stage::kOver)
    return fail(Code::kDataLoss, "Monty answered with what it was not asked");
  stage_ = stage_ == Stage::kConfiguring ? Stage::kRunning : Stage::kOver;
  return std::string();
}

Result<std::string> Conversation::hear_run(const pb::Event& event) {
  switch (event.kind_case()) {
    case pb::Event::kPrint:
      for (const pb::Segment& segment : event.print().segments()) keep_log(to_utf8(segment.text()));
      return std::string();
    case pb::Event::kComplete: {
      const pb::Complete& complete = event.complete();
      if (Status status =
              write_result(complete.values(), complete.value(), request_.limits.output_bytes, reply_);
          !status.ok())
        return fail(std::move(status));
      return finish();
    }
    case pb::Event::kError: reply_.failure = failure_of(event.error().exception(), request_); return finish();
    case pb::Event::kFunctionCall:
    case pb::Event::kOsCall:
    case pb::Event::kNameLookup: return answer_pause(event);
    default: return fail(Code::kDataLoss, "Monty answered with what it was not asked");
  }
}

// Nothing is outside. Each is an error in the code, where it asked.
std::string Conversation::answer_pause(const pb::Event& event) {
  pb::Request answer;
  if (++pauses_ > kMostPauses) {
    raise(*answer.mutable_abort_feed()->mutable_exception(), "RuntimeError",
          fmt::format("it asked {} times for what is not there", kMostPauses));
  } else if (event.kind_case() == pb::Event::kNameLookup) {
    answer.mutable_resume_name_lookup()->mutable_undefined();
  } else if (event.kind_case() == pb::Event::kFunctionCall) {
    answer.mutable_resume_call()->set_call_id(event.function_call().call_id());
    answer.mutable_resume_call()->mutable_result()->set_not_found(event.function_call().function_name());
  } else {
    const pb::OsCall& call = event.os_call();
    answer.mutable_resume_call()->set_call_id(call.call_id());
    pb::CallResult& result = *answer.mutable_resume_call()->mutable_result();
    if (call.call_case() == pb::OsCall::CALL_NOT_SET) {
      result.mutable_not_handled();
    } else {
      raise(*result.mutable_error(), "RuntimeError",
            "code does not sleep here: put a block of type `wait` before it");
    }
  }
  return framed(answer);
}

// What finds room is kept, the lines behind that are counted.
void Conversation::keep_log(std::string_view text) {
  const std::size_t most = request_.limits.log_bytes;
  if (!log_is_full_ && reply_.log.size() + text.size() <= most) {
    reply_.log += text;
    return;
  }
  if (text.empty()) return;
  const std::string_view fits = log_is_full_ ? "" : cut_text(text, most - reply_.log.size());
  reply_.log += fits;
  log_is_full_ = true;
  log_lines_ += static_cast<std::uint32_t>(std::ranges::count(text.substr(fits.size()), '\n'));
  log_has_tail_ = !text.ends_with('\n');
}

std::string Conversation::finish() {
  stage_ = Stage::kResetting;
  reply_.log_left_out = log_lines_ + (log_has_tail_ ? 1 : 0);
  pb::Request reset;
  reset.mutable_reset();
  return framed(reset);
}

}  // namespace holdfast::sandbox
