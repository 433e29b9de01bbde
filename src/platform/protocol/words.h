#pragma once

// The words of an enum at the edge: one table serves both directions. A word that is in no table is a
// PayloadError that names it, and never a default. Pure; for sources, not for headers.

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/check.h"
#include "holdfast/payload.h"

namespace holdfast::protocol {

template <typename E>
struct Word {
  E value;
  std::string_view text;
};

template <typename E, std::size_t N>
class Words {
 public:
  // `what`: "verdict", for messages.
  consteval Words(std::string_view what, const Word<E> (&words)[N])
      : what_(what), words_(std::to_array(words)) {}

  std::string_view text(E value) const {
    for (const Word<E>& word : words_) {
      if (word.value == value) return word.text;
    }
    HF_CHECK(false);
    return {};
  }

  std::optional<E> find(std::string_view text) const {
    for (const Word<E>& word : words_) {
      if (word.text == text) return word.value;
    }
    return std::nullopt;
  }

  E read(const nlohmann::json& in) const {
    const auto* text = in.get_ptr<const std::string*>();
    if (auto value = text ? find(*text) : std::nullopt) return *value;
    std::string known;
    for (const Word<E>& word : words_) known.append(known.empty() ? "" : ", ").append(word.text);
    throw PayloadError("`" + (text ? *text : std::string(in.type_name())) + "` is no " + std::string(what_) +
                       " that this version knows (one of " + known + ")");
  }

 private:
  std::string_view what_;
  std::array<Word<E>, N> words_;
};

}  // namespace holdfast::protocol

#define HOLDFAST_PROTOCOL_WORDS(Enum, table)    \
  std::string_view to_string(Enum value) {      \
    return table.text(value);                   \
  }                                             \
  void to_json(Json& out, const Enum& value) {  \
    out = table.text(value);                    \
  }                                             \
  void from_json(const Json& in, Enum& value) { \
    value = table.read(in);                     \
  }
