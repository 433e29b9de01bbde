#pragma once

// Items that a client sends back by their ids instead of saying them again: `item_reference`, as libraries do
// with answers that they take to be kept. Each is put where it is named, as the response has it. Pure.

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "net/problem.h"
#include "openai/json.h"

namespace holdfast::openai {

inline constexpr std::size_t kMaxReferencedBytes = 4 << 20;  // of all items that one request names

// Where an item of ours stands, read from its id alone.
struct ItemPlace {
  enum class Kind : std::uint8_t { kOutput, kInput, kApproval };
  Kind kind = Kind::kOutput;
  std::string of;      // the run; kApproval: the approval
  std::size_t at = 0;  // kOutput: its place there
};
// None: no id that was given here.
std::optional<ItemPlace> place_of_item(std::string_view id);

// The item; null: there is none.
using FindItem =
    std::function<std::expected<Json, net::Problem>(const ItemPlace& place, const std::string& id)>;

// In `input` of a request. One that is named twice, as a call with its output is, stands where it was named
// first. What is no list or no reference stays as it is.
std::optional<net::Problem> put_references(Json& input, const FindItem& find);

}  // namespace holdfast::openai
