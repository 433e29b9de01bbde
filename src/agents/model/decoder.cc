#include "model/decoder.h"

#include <utility>

#include "base/json.h"
#include "base/kept_numbers.h"
#include "model/opaque.h"

namespace holdfast::model {

namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";
constexpr std::size_t kShownBytes = 200;

// Whether the model calls is what the answer holds: it may be said to have ended before it does.
bool agree(StopReason before, StopReason now) {
  return before == now || (before == StopReason::kEnd && now == StopReason::kToolCalls);
}

}  // namespace

void Decoder::whole(std::string_view body, OnDelta& on_delta) {
  const Json json = frames_.read(body);
  if (json.is_discarded()) {
    return fail_with(ErrorKind::kStreamCut, "the model's server answered with JSON that is not whole");
  }
  if (auto error = error_in(json)) {
    refine(json, *error);
    return fail_with(std::move(*error));
  }
  if (!json.is_structured() || !on_whole(json, on_delta)) {
    fail_with(ErrorKind::kBadRequest,
              "the model's server answered neither with an event stream nor with an answer of its format: " +
                  std::string(body.substr(0, kShownBytes)));
  }
}

bool Decoder::on_whole(const Json&, OnDelta&) {
  return false;
}

void Decoder::refine(const Json&, Error&) const {}

std::optional<Decoder::Json> Decoder::read(const net::SseEvent& event) {
  if (carries_nothing(event.data)) return std::nullopt;
  Json json = frames_.read(event.data);
  const bool named_error = event.event == "error";
  if (!json.is_object() && !json.is_array()) {
    // An error may be said in plain words.
    if (named_error) {
      fail_with(error_of_code(0, {}, {}, json.is_string() ? json.get<std::string>() : event.data));
    } else {
      fail_with(ErrorKind::kStreamCut,
                "the model sent a chunk that is not JSON: " + event.data.substr(0, kShownBytes));
    }
    return std::nullopt;
  }
  if (auto error = error_in(json)) {
    refine(json, *error);
    fail_with(std::move(*error));
    return std::nullopt;
  }
  if (json.is_array() || named_error) {
    fail_with(error_of_code(0, {}, {}, event.data.substr(0, kShownBytes)));
    return std::nullopt;
  }
  return json;
}

// ---- content

std::size_t Decoder::begin_text() {
  pieces_.emplace_back();
  return pieces_.size() - 1;
}

std::size_t Decoder::begin_block(Json block) {
  Piece piece;
  piece.kind = PieceKind::kBlock;
  piece.json = std::move(block);
  pieces_.push_back(std::move(piece));
  return pieces_.size() - 1;
}

void Decoder::add_text(std::string text, OnDelta& on_delta) {
  if (text.empty()) return;
  const bool goes_on = !pieces_.empty() && pieces_.back().kind == PieceKind::kText;
  add_text(goes_on ? pieces_.size() - 1 : begin_text(), std::move(text), on_delta);
}

void Decoder::add_text(std::size_t at, std::string text, OnDelta& on_delta) {
  Piece& piece = pieces_[at];
  text = frames_.join(std::move(text), piece.held);
  if (text.empty()) return;
  piece.text += text;
  if (!on_delta) return;
  Delta delta;
  delta.kind = Delta::Kind::kText;
  delta.text = std::move(text);
  on_delta(delta);
}

void Decoder::complete_text(std::size_t at, std::string whole, OnDelta& on_delta) {
  Piece& piece = pieces_[at];
  piece.held.clear();
  whole = joined(std::move(whole));
  if (!whole.starts_with(piece.text)) {
    piece.text = std::move(whole);  // who watched saw something else
  } else if (whole.size() > piece.text.size()) {
    add_text(at, whole.substr(piece.text.size()), on_delta);
  }
}

std::string Decoder::said_text() const {
  std::string out;
  for (const Piece& piece : pieces_) {
    if (piece.kind == PieceKind::kText) out += piece.text;
  }
  return out;
}

void Decoder::add_text_extra(std::size_t piece, const std::string& name, const Json& value) {
  if (!says_something(value)) return;
  Json& extra = pieces_[piece].json;
  if (!extra.is_object()) extra = Json::object();
  merge_fragment(extra, Json{{name, value}});
}

void Decoder::add_extra(const std::string& name, const Json& value) {
  if (says_something(value)) merge_fragment(extra_, Json{{name, value}});
}

// ---- calls

std::size_t Decoder::begin_call(std::string id, std::string name, OnDelta& on_delta) {
  auto& calls = completion_.message.tool_calls;
  const std::size_t position = calls.size();
  calls.emplace_back(std::move(id), std::move(name), std::string());
  calls_.emplace_back();
  Piece piece;
  piece.kind = PieceKind::kCall;
  piece.call = position;
  pieces_.push_back(std::move(piece));
  tell_call(position, on_delta);
  return position;
}

void Decoder::add_name(std::size_t call, std::string_view fragment, OnDelta& on_delta) {
  completion_.message.tool_calls[call].name += fragment;
  tell_call(call, on_delta);
}

void Decoder::add_arguments(std::size_t call, std::string fragment, OnDelta& on_delta) {
  fragment = frames_.join(std::move(fragment), calls_[call].held);
  if (fragment.empty()) return;
  completion_.message.tool_calls[call].arguments += fragment;
  if (calls_[call].told) tell_arguments(call, std::move(fragment), on_delta);
}

bool Decoder::complete_arguments(std::size_t call, std::string whole, OnDelta& on_delta) {
  calls_[call].held.clear();
  const std::string& came = completion_.message.tool_calls[call].arguments;
  whole = joined(std::move(whole));
  if (whole.starts_with(came)) {
    add_arguments(call, whole.substr(came.size()), on_delta);
    return true;
  }
  // The same, written anew.
  const Json said = parse_kept(came, kMaxForeignJsonDepth);
  return !said.is_discarded() && said == parse_kept(whole, kMaxForeignJsonDepth);
}

bool Decoder::restate_arguments(std::size_t call, const std::string& object, OnDelta& on_delta) {
  if (!parse_kept(object, kMaxForeignJsonDepth).is_object()) return false;
  std::string& came = completion_.message.tool_calls[call].arguments;
  if (parse_kept(came, kMaxForeignJsonDepth).empty()) came.clear();
  return complete_arguments(call, object, on_delta);
}

void Decoder::add_call_extra(std::size_t call, const std::string& name, const Json& value) {
  if (says_something(value)) merge_fragment(calls_[call].extra, Json{{name, value}});
}

// Once its name is there, with the arguments that came before it.
void Decoder::tell_call(std::size_t position, OnDelta& on_delta) {
  const ToolCall& call = completion_.message.tool_calls[position];
  if (calls_[position].told || call.name.empty()) return;
  calls_[position].told = true;
  if (!on_delta) return;
  Delta delta;
  delta.kind = Delta::Kind::kToolCallBegin;
  delta.tool_call = position;
  delta.id = call.id;
  delta.name = call.name;
  on_delta(delta);
  if (!call.arguments.empty()) tell_arguments(position, call.arguments, on_delta);
}

void Decoder::tell_arguments(std::size_t call, std::string text, OnDelta& on_delta) {
  if (!on_delta) return;
  Delta delta;
  delta.kind = Delta::Kind::kToolCallArguments;
  delta.tool_call = call;
  delta.text = std::move(text);
  on_delta(delta);
}

// ---- the end

void Decoder::of_answer(const std::string& id) {
  if (id.empty()) return;
  if (id == answer_id_) {
    answer_id_holds_ = true;
  } else if (!answer_id_.empty() && (answer_id_holds_ || stopped_)) {
    fail_with(ErrorKind::kStreamCut,
              "the model's stream holds two answers: " + answer_id_.substr(0, kShownBytes) + " goes on as " +
                  id.substr(0, kShownBytes));
  }
  answer_id_ = id;
}

void Decoder::begin_answer() {
  if (std::exchange(begun_, true))
    fail_with(ErrorKind::kStreamCut, "the model's stream begins twice: it holds two answers");
}

void Decoder::stop(StopReason reason) {
  if (std::exchange(stopped_, true) && !agree(completion_.stop_reason, reason)) {
    return fail_with(ErrorKind::kStreamCut,
                     "the model's stream says twice why it ended, and not the same: it may not be all");
  }
  completion_.stop_reason = reason;
}

void Decoder::stop_unknown(const std::string& reason) {
  stopped_ = true;
  fail_with(ErrorKind::kUnknownStop,
            "the model stopped for a reason that is not known to mean a whole answer: `" +
                reason.substr(0, kShownBytes) + "`",
            reason);
}

std::optional<Error> Decoder::why_not_whole() const {
  const auto& calls = completion_.message.tool_calls;
  if (!stopped_) {
    return Error(ErrorKind::kStreamCut, "the model's stream ended without saying why: it may not be all");
  }
  if (!refusal_.empty()) {
    return Error(ErrorKind::kContentFilter,
                 "the model refused to answer: " + refusal_.substr(0, kShownBytes));
  }
  for (const ToolCall& call : calls) {
    if (call.name.empty()) {
      return Error(ErrorKind::kStreamCut, "the model's stream holds a tool call without a name");
    }
  }
  if (calls.empty() && completion_.stop_reason == StopReason::kToolCalls) {
    return Error(ErrorKind::kStreamCut, "the model stopped to call tools, but its stream holds no call");
  }
  return std::nullopt;
}

std::expected<Completion, Error> Decoder::take() {
  if (!error_) error_ = why_not_whole();
  if (error_) return std::unexpected(*error_);
  write_content();
  if (error_) return std::unexpected(*error_);
  if (miscounted_) completion_.usage = {};
  return std::move(completion_);
}

// Where a call stands is only worth a word if something follows it.
void Decoder::write_content() {
  Message& message = completion_.message;
  std::size_t behind = pieces_.size();  // from here on there is nothing but calls
  while (behind > 0 && (pieces_[behind - 1].kind == PieceKind::kCall ||
                        (pieces_[behind - 1].kind == PieceKind::kText && pieces_[behind - 1].text.empty() &&
                         pieces_[behind - 1].held.empty()))) {
    --behind;
  }
  for (std::size_t at = 0; at < behind; ++at) {
    Piece& piece = pieces_[at];
    if (piece.kind == PieceKind::kCall) {
      message.content.push_back(Part::tool_call(piece.call));
    } else if (piece.kind == PieceKind::kBlock) {
      message.content.push_back(Part::opaque(written(std::move(piece.json))));
    } else {
      if (!piece.held.empty()) piece.text += kReplacement;
      if (piece.text.empty()) continue;
      Part part(std::move(piece.text));
      if (says_something(piece.json)) part.extra = written(std::move(piece.json));
      message.content.push_back(std::move(part));
    }
  }
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    ToolCall& call = message.tool_calls[i];
    if (!calls_[i].held.empty()) call.arguments += kReplacement;
    if (says_something(calls_[i].extra)) call.extra = written(std::move(calls_[i].extra));
  }
  if (says_something(extra_)) message.extra = written(std::move(extra_));
}

// It is stored within a message, which whoever reads messages must be able to read.
std::string Decoder::written(Json value) {
  frames_.join_all(value);
  std::string out = dump_kept(value);
  if (auto read = read_json<Json>(out); !read) {
    fail_with(ErrorKind::kStreamCut,
              "the model's answer holds what cannot be kept: " + read.error().message());
  }
  return out;
}

std::string Decoder::joined(std::string text) const {
  std::string held;
  text = frames_.join(std::move(text), held);
  return held.empty() ? text : text + std::string(kReplacement);
}

void Decoder::fail_with(ErrorKind kind, std::string message, std::string code) {
  Error error(kind, std::move(message));
  error.code = std::move(code);
  fail_with(std::move(error));
}

// The first one counts.
void Decoder::fail_with(Error error) {
  if (!error_) error_ = std::move(error);
}

}  // namespace holdfast::model
