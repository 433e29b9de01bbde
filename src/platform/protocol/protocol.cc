#include "protocol/protocol.h"

#include "base/json.h"
#include "protocol/digest.h"

namespace holdfast::protocol {

namespace {

// Writes or reads one field; defaults are left out, absent fields keep theirs.
class Writer {
 public:
  explicit Writer(Json& out) : out_(out) { out_ = Json::object(); }
  template <typename T>
  Writer& operator()(const char* name, const T& value) {
    if constexpr (requires { value.has_value(); }) {
      if (value) out_[name] = *value;
    } else if constexpr (std::is_same_v<T, Json>) {
      if (!value.is_null()) out_[name] = value;
    } else if constexpr (std::is_arithmetic_v<T>) {
      if (value != T{}) out_[name] = value;
    } else if constexpr (requires { value.empty(); }) {
      if (!value.empty()) out_[name] = value;
    } else {
      out_[name] = value;
    }
    return *this;
  }

 private:
  Json& out_;
};

class Reader {
 public:
  explicit Reader(const Json& in) : in_(in) {}
  template <typename T>
  Reader& operator()(const char* name, T& value) {
    auto found = in_.find(name);
    if (found == in_.end()) return *this;
    if constexpr (requires { value.has_value(); }) {
      value = found->template get<typename T::value_type>();
    } else if constexpr (std::is_same_v<T, Json>) {
      value = *found;
    } else {
      found->get_to(value);
    }
    return *this;
  }

 private:
  const Json& in_;
};

// One list of fields per type serves both directions.
template <typename Archive, typename T>
void fields(Archive& a, T& v) {
  using V = std::remove_const_t<T>;
  if constexpr (std::is_same_v<V, ConversationRef>) {
    a("conversation", v.conversation)("branch", v.branch)("sequence", v.sequence)("sha256", v.sha256);
  } else if constexpr (std::is_same_v<V, CallRef>) {
    a("message", v.message)("ordinal", v.ordinal)("id", v.id)("tool", v.tool)("key", v.key)(
        "approval", v.approval)("step", v.step);
  } else if constexpr (std::is_same_v<V, Caller>) {
    a("run", v.run)("agent", v.agent)("version", v.version)("call", v.call)("depth", v.depth);
  } else if constexpr (std::is_same_v<V, Usage>) {
    a("input_tokens", v.input_tokens)("output_tokens", v.output_tokens);
  } else if constexpr (std::is_same_v<V, Answer>) {
    a("ordinal", v.ordinal)("id", v.id)("source", v.source)("key", v.key)("text", v.text)("step", v.step);
  } else if constexpr (std::is_same_v<V, Plan>) {
    a("agent", v.agent)("version", v.version)("flags", v.flags)("max_iterations", v.max_iterations)(
        "max_parallel_tools", v.max_parallel_tools)("run_timeout_ms", v.run_timeout_ms)(
        "model_timeout_ms", v.model_timeout_ms)("model_retry", v.model_retry);
  } else if constexpr (std::is_same_v<V, Progress>) {
    a("plan", v.plan)("head", v.head)("answers", v.answers)("iteration", v.iteration)("step", v.step)(
        "usage", v.usage)("deadline_ms", v.deadline_ms);
  } else if constexpr (std::is_same_v<V, RunInput>) {
    a("agent", v.agent)("version", v.version)("input", v.input)("conversation", v.conversation)(
        "caller", v.caller)("progress", v.progress);
  } else if constexpr (std::is_same_v<V, RunResult>) {
    a("output", v.output)("iterations", v.iterations)("usage", v.usage)("max_iterations_reached",
                                                                        v.max_iterations_reached);
  } else if constexpr (std::is_same_v<V, BeginInput>) {
    a("run", v.run);
  } else if constexpr (std::is_same_v<V, Begun>) {
    a("plan", v.plan)("head", v.head);
  } else if constexpr (std::is_same_v<V, ModelInput>) {
    a("agent", v.agent)("version", v.version)("head", v.head)("answers", v.answers)("iteration", v.iteration)(
        "step", v.step);
  } else if constexpr (std::is_same_v<V, PlannedCall>) {
    a("call", v.call)("kind", v.kind)("verdict", v.verdict)("reason", v.reason)(
        "arguments_sha256", v.arguments_sha256)("expires_after_ms", v.expires_after_ms)(
        "approve_on_expiry", v.approve_on_expiry)("timeout_ms", v.timeout_ms)("retry", v.retry)("sub_agent",
                                                                                                v.sub_agent);
  } else if constexpr (std::is_same_v<V, ModelTurn>) {
    a("head", v.head)("calls", v.calls)("usage", v.usage)("stop", v.stop);
  } else if constexpr (std::is_same_v<V, ToolInput>) {
    a("agent", v.agent)("version", v.version)("call", v.call);
  } else if constexpr (std::is_same_v<V, ToolResult>) {
    a("status", v.status)("source", v.source)("key", v.key)("note", v.note);
  } else if constexpr (std::is_same_v<V, ApprovalInput>) {
    a("id", v.id)("agent", v.agent)("version", v.version)("call", v.call)(
        "arguments_sha256", v.arguments_sha256)("reason", v.reason)("expires_at_ms", v.expires_at_ms);
  } else if constexpr (std::is_same_v<V, SettleInput>) {
    a("id", v.id)("outcome", v.outcome)("agent", v.agent)("version", v.version)("call", v.call)(
        "edited_arguments", v.edited_arguments)("decided_by", v.decided_by)("comment", v.comment)(
        "decided_at_ms", v.decided_at_ms);
  } else if constexpr (std::is_same_v<V, Settled>) {
    a("verdict", v.verdict)("reason", v.reason)("key", v.key)("arguments_sha256", v.arguments_sha256);
  } else if constexpr (std::is_same_v<V, FinishInput>) {
    a("agent", v.agent)("status", v.status)("head", v.head)("answers", v.answers)("error_type", v.error_type)(
        "error", v.error)("iterations", v.iterations)("usage", v.usage)("caller", v.caller);
  } else if constexpr (std::is_same_v<V, Finished>) {
    a("output", v.output);
  } else {
    static_assert(std::is_same_v<V, Decision>);
    a("approval", v.approval)("decision", v.decision)("arguments_sha256", v.arguments_sha256)(
        "edited_arguments", v.edited_arguments)("decided_by", v.decided_by)("comment", v.comment);
  }
}

}  // namespace

std::string idempotency_key(std::string_view namespace_name, const ConversationRef& message,
                            std::uint32_t ordinal, std::string_view tool,
                            std::string_view canonical_arguments) {
  // A JSON array keeps the parts apart. The layout is part of the stored format: it never changes.
  Json parts = {"holdfast.call.v1", namespace_name, message.conversation, message.branch,
                message.sequence,   ordinal,        std::string(tool),    std::string(canonical_arguments)};
  return sha256_hex(dump_json(parts));
}

#define HOLDFAST_PROTOCOL_JSON(Type)            \
  void to_json(Json& out, const Type& value) {  \
    Writer writer(out);                         \
    fields(writer, value);                      \
  }                                             \
  void from_json(const Json& in, Type& value) { \
    Reader reader(in);                          \
    fields(reader, value);                      \
  }

HOLDFAST_PROTOCOL_JSON(ConversationRef)
HOLDFAST_PROTOCOL_JSON(CallRef)
HOLDFAST_PROTOCOL_JSON(Caller)
HOLDFAST_PROTOCOL_JSON(Usage)
HOLDFAST_PROTOCOL_JSON(Answer)
HOLDFAST_PROTOCOL_JSON(Plan)
HOLDFAST_PROTOCOL_JSON(Progress)
HOLDFAST_PROTOCOL_JSON(RunInput)
HOLDFAST_PROTOCOL_JSON(RunResult)
HOLDFAST_PROTOCOL_JSON(BeginInput)
HOLDFAST_PROTOCOL_JSON(Begun)
HOLDFAST_PROTOCOL_JSON(ModelInput)
HOLDFAST_PROTOCOL_JSON(PlannedCall)
HOLDFAST_PROTOCOL_JSON(ModelTurn)
HOLDFAST_PROTOCOL_JSON(ToolInput)
HOLDFAST_PROTOCOL_JSON(ToolResult)
HOLDFAST_PROTOCOL_JSON(ApprovalInput)
HOLDFAST_PROTOCOL_JSON(SettleInput)
HOLDFAST_PROTOCOL_JSON(Settled)
HOLDFAST_PROTOCOL_JSON(FinishInput)
HOLDFAST_PROTOCOL_JSON(Finished)
HOLDFAST_PROTOCOL_JSON(Decision)

}  // namespace holdfast::protocol
