#pragma once

// How far the text of each step was given to one reader, who may have been given it before it was committed.
// Not thread-safe. Private to this module.

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "platform/streams.h"

namespace holdfast::platform {

// Where the text of a delta stands in its attempt, in bytes.
struct Piece {
  std::string step;
  std::uint32_t attempt = 0;
  std::uint64_t start = 0;
  std::uint64_t end = 0;  // that of an attempt's opening: 0
};

// None: the event is no delta.
std::optional<Piece> piece_of(const Event& event);

class ShownText {
 public:
  // Whether it begins where the step's text ends.
  bool goes_on_with(const Piece& piece) const;
  // How many of its bytes were given.
  std::uint64_t known(const Piece& piece) const;
  void give(const Piece& piece, bool committed);
  void clear() { places_.clear(); }

 private:
  struct Place {
    std::uint32_t attempt = 0;
    std::uint64_t end = 0;
    std::uint64_t committed = 0;
  };
  void forget_old();

  std::map<std::string, Place, std::less<>> places_;
};

// Takes from a committed delta what was given, and notes the rest as given.
void leave_out_given(Event& event, const Piece& piece, ShownText& given);

}  // namespace holdfast::platform
