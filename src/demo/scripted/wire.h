#pragma once

// The server's side of the wire formats: reads a request as strictly as the providers do, writes a reply
// whole or as the frames of a stream. Pure. Private to this module.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/status.h"
#include "scripted/script.h"

namespace holdfast::model {

class ScriptedWire {
 public:
  virtual ~ScriptedWire() = default;
  // Whether a request to this path is one of this format.
  virtual bool takes(std::string_view path) const = 0;
  // INVALID_ARGUMENT: what the provider would answer 400 to.
  virtual Result<ScriptedRequest> read(std::string_view path, std::string_view body) const = 0;
  virtual std::string whole(const ScriptedRequest& request, const ScriptedReply& reply) const = 0;
  // Complete SSE frames, one per chunk.
  virtual std::vector<std::string> frames(const ScriptedRequest& request,
                                          const ScriptedReply& reply) const = 0;
  virtual std::string error_body(int status, const ScriptedFault& fault) const = 0;
  virtual std::string error_frame(const ScriptedFault& fault) const = 0;
  // Empty: the format says it in the body.
  virtual std::string_view request_id_header() const = 0;
  // Without which a request is refused; empty: none.
  virtual std::string_view demanded_header() const { return {}; }
};

std::unique_ptr<ScriptedWire> scripted_openai();
std::unique_ptr<ScriptedWire> scripted_responses();
std::unique_ptr<ScriptedWire> scripted_anthropic();
std::unique_ptr<ScriptedWire> scripted_gemini();

// As OpenAI answers a request that it refuses.
std::string openai_error_body(int status, const ScriptedFault& fault);
// What was thought, as a cipher that only its maker reads: it is known again by its beginning.
inline constexpr std::string_view kCipherBegin = "c2NyaXB0ZWQ";
std::string cipher_of(const ScriptedRequest& request);

// The text in pieces: `chunk` characters each, or words with the space behind them when 0. Characters stay
// whole.
std::vector<std::string> pieces_of(std::string_view text, std::size_t chunk);
std::int64_t input_tokens_of(const ScriptedRequest& request, const ScriptedReply& reply);
std::int64_t output_tokens_of(const ScriptedReply& reply);
// Sixteen hex digits made from the request: the same for the same request.
std::string stable_id(const ScriptedRequest& request);
std::string call_id(const ScriptedRequest& request, const ScriptedToolCall& call, std::size_t position,
                    std::string_view prefix);

}  // namespace holdfast::model
