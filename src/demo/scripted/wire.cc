#include "scripted/wire.h"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::model {

namespace {

std::size_t character_bytes(char first) {
  const auto byte = static_cast<unsigned char>(first);
  if (byte < 0xC0) return 1;
  if (byte < 0xE0) return 2;
  return byte < 0xF0 ? 3 : 4;
}

std::int64_t tokens_of(std::size_t characters) {
  return static_cast<std::int64_t>(characters / 4 + 1);
}

}  // namespace

std::vector<std::string> pieces_of(std::string_view text, std::size_t chunk) {
  std::vector<std::string> out;
  std::string piece;
  std::size_t characters = 0;
  while (!text.empty()) {
    const std::string_view one = text.substr(0, character_bytes(text.front()));
    text.remove_prefix(one.size());
    piece += one;
    ++characters;
    const bool full = chunk > 0 ? characters == chunk : one == " " || one == "\n";
    if (!full) continue;
    out.push_back(std::move(piece));
    piece.clear();
    characters = 0;
  }
  if (!piece.empty()) out.push_back(std::move(piece));
  return out;
}

std::int64_t input_tokens_of(const ScriptedRequest& request, const ScriptedReply& reply) {
  return reply.input_tokens.value_or(tokens_of(request.characters));
}

std::int64_t output_tokens_of(const ScriptedReply& reply) {
  std::size_t characters = reply.text.size();
  for (const ScriptedToolCall& call : reply.tool_calls)
    characters += call.name.size() + call.arguments.size();
  return reply.output_tokens.value_or(tokens_of(characters));
}

std::string cipher_of(const ScriptedRequest& request) {
  return std::string(kCipherBegin) + "0" + stable_id(request);  // base64, whole
}

std::string stable_id(const ScriptedRequest& request) {
  return fmt::format("{:016x}", request.hash);
}

std::string call_id(const ScriptedRequest& request, const ScriptedToolCall& call, std::size_t position,
                    std::string_view prefix) {
  if (!call.id.empty()) return call.id;
  return fmt::format("{}{}{}", prefix, stable_id(request), position);
}

}  // namespace holdfast::model
