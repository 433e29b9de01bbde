// Templates: text with {{ expressions }}. An expression ends at the first `}}` up to which it is one, so that
// strings and objects may hold braces. A template that is one expression and nothing else keeps its type;
// otherwise values are written into the text: objects as JSON, null as "null". Undefined is an error in both,
// because a name that is not there would leave a hole, or a null, that nobody sees.

#include <algorithm>
#include <string>
#include <string_view>

#include "base/text_place.h"
#include "script/code.h"
#include "script/json_out.h"
#include "script/value.h"

namespace holdfast::sandbox {

namespace {

constexpr std::string_view kOpen = "{{";
constexpr std::string_view kClose = "}}";
// Each `}}` in an expression costs a look by the parser, so there is an end to them.
constexpr std::size_t kMostTried = 64;
constexpr std::size_t kMostExpressionBytes = 64U << 10;
constexpr std::size_t kMostNamedBytes = 100;  // of an expression, in a message

class Template {
 public:
  Template(Isolate& isolate, std::string_view text, Reply& reply)
      : isolate_(isolate), context_(isolate.context()), text_(text), reply_(reply) {}

  void run() {
    std::string out;
    while (true) {
      const std::size_t open = text_.find(kOpen, at_);
      if (!append(out, text_.substr(at_, open - at_))) return;
      if (open == std::string_view::npos) break;
      const std::size_t begin = open + kOpen.size();
      Value compiled(context_, JS_UNDEFINED);
      const std::size_t end = find_end(begin, compiled);
      if (end == std::string_view::npos) return;
      const Value value(context_, JS_EvalFunction(context_, compiled.release()));
      const bool alone = open == 0 && end + kClose.size() == text_.size();
      if (JS_IsUndefined(value.get()) && !isolate_.out_of_time()) return undefined(begin, end, alone);
      if (value.threw() || alone) {
        conclude(isolate_, value.get(), reply_);
        return placed(begin, end);
      }
      if (!append_value(out, value.get())) return placed(begin, end);
      at_ = end + kClose.size();
    }
    const Value whole(context_, JS_NewStringLen(context_, out.data(), out.size()));
    conclude(isolate_, whole.get(), reply_);
  }

 private:
  // Of the expression that begins at `begin`; npos: none, and the failure says why, as the parser does of the
  // shortest one.
  std::size_t find_end(std::size_t begin, Value& compiled) {
    std::size_t end = text_.find(kClose, begin);
    if (end == std::string_view::npos) return unfinished(begin);
    for (std::size_t tried = 0; end != std::string_view::npos && tried < kMostTried; ++tried) {
      if (end - begin > kMostExpressionBytes) break;
      compiled = compile_expression(context_, text_.substr(begin, end - begin));
      if (!compiled.threw()) {
        reply_.failure.reset();
        return end;
      }
      if (tried == 0) {
        reply_.failure = isolate_.failure(kCodeFile);
        placed(begin, end);
        if (reply_.failure->fault != Fault::kSyntax) return std::string_view::npos;
      } else {
        JS_FreeValue(context_, JS_GetException(context_));
      }
      end = text_.find(kClose, end + 1);
    }
    return std::string_view::npos;
  }

  std::size_t unfinished(std::size_t begin) {
    reply_.failure = {Fault::kSyntax, "SyntaxError", "'{{' without its '}}'", 1, 1};
    place(*reply_.failure, "", origin(begin - kOpen.size(), 0));
    return std::string_view::npos;
  }

  // Line and column of a byte of the text.
  Origin origin(std::size_t byte, std::uint32_t before) const {
    const TextPlace at = place_in(text_, byte);
    return {.line = at.line, .column = at.column, .before = before};
  }
  void placed(std::size_t begin, std::size_t end) {
    if (!reply_.failure) return;
    if (reply_.failure->line == 0) reply_.failure->line = reply_.failure->column = 1;
    place(*reply_.failure, text_.substr(begin, end - begin), origin(begin, 1));
  }

  bool append(std::string& out, std::string_view text) {
    if (out.size() + text.size() > isolate_.limits().output_bytes) {
      reply_.failure = {
          Fault::kOutput, "",
          "its result is longer than " + std::to_string(isolate_.limits().output_bytes) + " bytes"};
      return false;
    }
    out += text;
    return true;
  }
  void undefined(std::size_t begin, std::size_t end, bool alone) {
    std::string_view expression = text_.substr(begin, end - begin);
    expression.remove_prefix(std::min(expression.find_first_not_of(" \t\r\n"), expression.size()));
    expression = expression.substr(0, expression.find_last_not_of(" \t\r\n") + 1);
    std::size_t most = std::min(expression.size(), kMostNamedBytes);
    // Not inside a character, as cut_text does, which is not in the sandbox's program.
    while (most < expression.size() && (expression[most] & 0xC0) == 0x80) --most;
    std::string named(expression.substr(0, most));
    if (most < expression.size()) named += "...";
    reply_.failure = {Fault::kResult, "",
                      "`" + named + "` is undefined: there is no such value; write `?? " +
                          (alone ? "null" : "\"\"") + "` behind it if it may be missing"};
    placed(begin, end);
  }
  bool append_value(std::string& out, JSValueConst value) {
    if (JS_IsObject(value)) {
      Reply json;
      conclude(isolate_, value, json);
      if (json.failure) reply_.failure = std::move(json.failure);
      return !reply_.failure && append(out, json.result);
    }
    const Text text(context_, value);
    if (text.threw()) {
      conclude(isolate_, JS_EXCEPTION, reply_);
      return false;
    }
    if (holds_half_a_pair(text.get())) {
      conclude(isolate_, value, reply_);
      return !reply_.failure && append(out, text.get());
    }
    return append(out, text.get());
  }
  // The engine writes it as three bytes that are no UTF-8, and would read them as U+FFFD.
  static bool holds_half_a_pair(std::string_view text) {
    for (std::size_t at = text.find('\xED'); at != std::string_view::npos; at = text.find('\xED', at + 1)) {
      if (at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) >= 0xA0) return true;
    }
    return false;
  }

  Isolate& isolate_;
  JSContext* context_;
  const std::string_view text_;
  Reply& reply_;
  std::size_t at_ = 0;
};

}  // namespace

void evaluate_template(Isolate& isolate, const std::string& text, Reply& reply) {
  Template(isolate, text, reply).run();
}

}  // namespace holdfast::sandbox
