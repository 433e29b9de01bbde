#include "platform/run_index.h"

namespace holdfast::platform {

namespace {

using std::chrono::seconds;

constexpr seconds kWidths[] = {
    seconds(1),      seconds(5),          seconds(15),          seconds(30),
    seconds(60),     seconds(300),        seconds(900),         seconds(1800),
    seconds(3600),   seconds(3 * 3600),   seconds(6 * 3600),    seconds(12 * 3600),
    seconds(86'400), seconds(7 * 86'400), seconds(30 * 86'400), seconds(365 * 86'400),
};

}  // namespace

WallTime bin_begin(WallTime at, seconds width) {
  const auto since = std::chrono::floor<seconds>(at).time_since_epoch();
  return WallTime(since - ((since % width) + width) % width);
}

seconds bin_width(WallTime from, WallTime to, std::uint32_t most) {
  for (const seconds width : kWidths) {
    if ((to - bin_begin(from, width)) <= std::chrono::nanoseconds(width) * most) return width;
  }
  return std::end(kWidths)[-1];
}

}  // namespace holdfast::platform
