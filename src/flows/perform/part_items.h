#pragma once

// What a map goes over, as its record in the platform store has it: the text of a list, inline or as a blob
// of which a part is read, the results of another map, or a number of times. Of one activity, on its thread.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "perform/parts.h"

namespace holdfast::flows {

// Where each part's items begin in the text, and where the last one's end. Not empty.
std::string offsets_of(std::string_view text, const std::vector<std::string_view>& items, std::size_t each);

// The items of one part, one after the other.
class PartItems {
 public:
  // `begun`: PartBooks::begun() of the map. `books` outlives it.
  PartItems(activity::Context& ctx, const agent::Deps& deps, PartBooks& books, const Json& begun,
            std::uint32_t part);

  bool is_over() const { return left_ == 0; }
  std::uint64_t index() const { return next_; }
  std::string next();  // JSON

 private:
  const std::uint64_t each_;
  std::uint64_t next_;
  std::uint64_t left_ = 0;
  std::optional<ResultReader> results_;
  std::string text_;
  std::vector<std::string_view> items_;
  std::size_t at_ = 0;
};

}  // namespace holdfast::flows
