#include "platform/rules.h"

#include <fmt/format.h>

#include "platform/store.h"

namespace holdfast::platform::rules {

Status check_name(std::string_view what, std::string_view text) {
  constexpr std::size_t kMaxNameBytes = 1024;
  if (text.empty()) return {Code::kInvalidArgument, fmt::format("{} needs a name", what)};
  if (text.size() <= kMaxNameBytes) return {};
  return {Code::kInvalidArgument,
          fmt::format("the name of {} has {} bytes; at most {}", what, text.size(), kMaxNameBytes)};
}

Status check_body(std::string_view what, std::string_view text) {
  if (text.size() <= kMaxMessageBytes) return {};
  return {Code::kInvalidArgument,
          fmt::format("{} has {} bytes; at most {}", what, text.size(), kMaxMessageBytes)};
}

std::uint32_t page_size(std::uint32_t limit) {
  return limit == 0 || limit > kMaxPage ? kMaxPage : limit;
}

}  // namespace holdfast::platform::rules
