#pragma once

// Decoder: the events of one provider's stream become deltas and a completion. What a provider's file
// derives; the base keeps what has come, in its order, and knows when it cannot be all. Pure; one for one
// answer.

#include <algorithm>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_member.h"
#include "model/completion.h"
#include "model/error.h"
#include "model/frame.h"
#include "net/sse_parser.h"

namespace holdfast::model {

class Decoder {
 public:
  using Json = FrameReader::Json;
  using OnDelta = std::move_only_function<void(const Delta&)>;

  virtual ~Decoder() = default;
  // Nothing happens after there is an error.
  virtual void event(const net::SseEvent& event, OnDelta& on_delta) = 0;
  // The answer as one document, from a server that does not stream; `body` is JSON or an error.
  void whole(std::string_view body, OnDelta& on_delta);
  // The provider has said that this is all.
  virtual bool complete() const = 0;
  // Nothing follows in the stream: nobody needs to wait for its end.
  virtual bool over() const { return complete(); }
  // It is all if the stream ends here as streams end.
  virtual bool complete_at_end() const { return complete(); }

  const std::optional<Error>& error() const { return error_; }
  // Once, when it is complete. An error when what has come cannot be all of an answer.
  std::expected<Completion, Error> take();

 protected:
  // A document, or a list of them, that is an answer of this provider; false: it is none.
  virtual bool on_whole(const Json& document, OnDelta& on_delta);

  // What else a document that says an error says of it.
  virtual void refine(const Json& document, Error& error) const;

  // The event as a JSON object; none: it carries nothing, or says an error, which is kept.
  std::optional<Json> read(const net::SseEvent& event);

  // Pieces of the message's content, in the order in which they begin.
  std::size_t begin_text();
  std::size_t begin_block(Json block);
  Json& block(std::size_t piece) { return pieces_[piece].json; }
  // It is not part of what the model said.
  void drop_block(std::size_t piece) { pieces_[piece] = Piece(); }
  void add_text(std::size_t piece, std::string text, OnDelta& on_delta);
  // To the piece that came last, or to a new one behind a call or a block.
  void add_text(std::string text, OnDelta& on_delta);
  // The text is `whole`, whatever has come of it.
  void complete_text(std::size_t piece, std::string whole, OnDelta& on_delta);
  // The text that has come, of all pieces.
  std::string said_text() const;
  // What else the provider put on a text.
  void add_text_extra(std::size_t piece, const std::string& name, const Json& value);

  // Returns the position of the new call. Its name may come later, and go on.
  std::size_t begin_call(std::string id, std::string name, OnDelta& on_delta);
  void add_name(std::size_t call, std::string_view fragment, OnDelta& on_delta);
  void add_arguments(std::size_t call, std::string fragment, OnDelta& on_delta);
  // The arguments are `whole`, of which some may have come. False: others came.
  bool complete_arguments(std::size_t call, std::string whole, OnDelta& on_delta);
  // An object came, and another one: false if they are two. The same again says nothing, and one without
  // members only kept the place of the one that came now.
  bool restate_arguments(std::size_t call, const std::string& object, OnDelta& on_delta);
  bool has_arguments(std::size_t call) const {
    return !completion_.message.tool_calls[call].arguments.empty();
  }
  void add_call_extra(std::size_t call, const std::string& name, const Json& value);

  // What comes next is of the answer with this id. Servers leave ids away, and some make one up for each
  // chunk: an id that was said twice, or behind which the answer had stopped, is followed by no other.
  void of_answer(const std::string& id);
  // The stream begins: it does so once.
  void begin_answer();

  // What else the provider put on the message.
  void add_extra(const std::string& name, const Json& value);
  void add_refusal(std::string_view text) { refusal_ += text; }

  // Servers say it again with each chunk, some before they say their calls; a whole answer and one that was
  // cut are a contradiction, and an error.
  void stop(StopReason reason);
  // A reason to stop that is not known to be good.
  void stop_unknown(const std::string& reason);
  bool stopped() const { return stopped_; }

  // What a provider counts; none: it does not say. A count that cannot be makes those beside it no better:
  // the completion has no usage at all then, and the call is one that was not counted.
  std::optional<std::int64_t> tokens(const Json& usage, const char* name) {
    constexpr std::int64_t kMaxTokensOfACall = 1'000'000'000;
    const auto found = usage.find(name);
    if (found == usage.end() || found->is_null()) return std::nullopt;
    const auto count = integer_member(usage, name);
    if (count && *count >= 0 && *count <= kMaxTokensOfACall) return count;
    miscounted_ = true;
    return std::nullopt;
  }

  // A count as it is said again and again: it grows, and what says less of it says nothing.
  void count(const Json& usage, const char* name, std::int64_t& counted) {
    if (const auto n = tokens(usage, name)) counted = std::max(counted, *n);
  }

  void fail_with(ErrorKind kind, std::string message, std::string code = {});
  void fail_with(Error error);

  Completion completion_;

 private:
  enum class PieceKind : std::uint8_t { kText, kBlock, kCall };
  struct Piece {
    PieceKind kind = PieceKind::kText;
    std::string text;
    std::string held;  // FrameReader::join()
    Json json;         // kBlock: the block; kText: what else is on it
    std::size_t call = 0;
  };
  struct Call {
    bool told = false;  // that it begins
    std::string held;   // FrameReader::join()
    Json extra = Json::object();
  };

  void tell_call(std::size_t call, OnDelta& on_delta);
  void tell_arguments(std::size_t call, std::string text, OnDelta& on_delta);
  std::optional<Error> why_not_whole() const;
  void write_content();
  std::string written(Json value);
  std::string joined(std::string text) const;

  FrameReader frames_;
  std::vector<Piece> pieces_;
  std::vector<Call> calls_;
  Json extra_ = Json::object();
  std::string refusal_;
  std::string answer_id_;
  bool answer_id_holds_ = false;
  bool begun_ = false;
  bool stopped_ = false;
  bool miscounted_ = false;
  std::optional<Error> error_;
};

}  // namespace holdfast::model
