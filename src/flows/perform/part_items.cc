#include "perform/part_items.h"

#include <algorithm>

#include "activities/activities.h"
#include "activities/read_blob.h"

namespace holdfast::flows {

namespace {

constexpr std::size_t kOffsetBytes = 8;

std::uint64_t offset_at(std::string_view bytes, std::size_t at) {
  std::uint64_t out = 0;
  for (std::size_t i = kOffsetBytes; i-- > 0;) out = out << 8 | static_cast<unsigned char>(bytes.at(at + i));
  return out;
}

}  // namespace

std::string offsets_of(std::string_view text, const std::vector<std::string_view>& items, std::size_t each) {
  std::string out;
  const auto add = [&](std::uint64_t offset) {
    for (std::size_t i = 0; i < kOffsetBytes; ++i) out += static_cast<char>(offset >> (8 * i));
  };
  for (std::size_t i = 0; i < items.size(); i += each)
    add(static_cast<std::uint64_t>(items[i].data() - text.data()));
  add(static_cast<std::uint64_t>(items.back().data() + items.back().size() - text.data()));
  return out;
}

PartItems::PartItems(activity::Context& ctx, const agent::Deps& deps, PartBooks& books, const Json& begun,
                     std::uint32_t part)
    : each_(begun.at("each").get<std::uint64_t>()), next_(part * each_) {
  left_ = std::min<std::uint64_t>(each_, begun.at("items").get<std::uint64_t>() - next_);
  if (begun.contains("of")) {
    const Json& of = begun.at("of");
    results_.emplace(books, of.at("key").get<std::string>(), next_, of.at("each").get<std::uint64_t>());
  } else if (begun.contains("list")) {
    text_ = begun.at("list").get<std::string>();
    items_ = elements_of(text_);
    items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(next_));
  } else if (begun.contains("blob")) {
    const auto sha_of = [&begun](const char* what) { return begun.at("blob").at(what).get<std::string>(); };
    const std::string ends =
        agent::read_blob(ctx, *deps.store, sha_of("offsets"), part * kOffsetBytes, 2 * kOffsetBytes);
    const std::uint64_t from = offset_at(ends, 0);
    text_ = "[" +
            agent::read_blob(ctx, *deps.store, sha_of("sha256"), from, offset_at(ends, kOffsetBytes) - from);
    items_ = elements_of(text_);
  }
}

std::string PartItems::next() {
  --left_;
  const std::uint64_t index = next_++;
  if (results_) return results_->next();
  return items_.empty() ? std::to_string(index) : std::string(items_.at(at_++));
}

}  // namespace holdfast::flows
