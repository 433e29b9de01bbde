#include "platform/shown_text.h"

#include <algorithm>

#include "base/json.h"
#include "base/json_member.h"
#include "platform/stream_rules.h"

namespace holdfast::platform {

namespace {

// A run speaks in few steps at a time; of the others nobody needs to know any more.
constexpr std::size_t kMostSteps = 64;

}  // namespace

std::optional<Piece> piece_of(const Event& event) {
  if (event.type != kDeltaEvent) return std::nullopt;
  const nlohmann::json data = parse_json<nlohmann::json>(event.data);
  if (!data.is_object()) return std::nullopt;
  Piece piece{.step = string_member(data, "step")};
  piece.attempt = static_cast<std::uint32_t>(integer_member(data, "attempt").value_or(0));
  piece.start = static_cast<std::uint64_t>(integer_member(data, "offset").value_or(0));
  piece.end = piece.start + string_member(data, "text").size();
  return piece;
}

bool ShownText::goes_on_with(const Piece& piece) const {
  const auto found = places_.find(piece.step);
  return found != places_.end() && found->second.attempt == piece.attempt && found->second.end == piece.start;
}

std::uint64_t ShownText::known(const Piece& piece) const {
  const auto found = places_.find(piece.step);
  if (found == places_.end() || found->second.attempt != piece.attempt) return 0;
  return std::clamp(found->second.end, piece.start, piece.end) - piece.start;
}

void ShownText::give(const Piece& piece, bool committed) {
  if (places_.size() >= kMostSteps && !places_.contains(piece.step)) forget_old();
  Place& place = places_[piece.step];
  if (piece.attempt < place.attempt) return;
  if (piece.attempt > place.attempt) place = {.attempt = piece.attempt};
  place.end = std::max(place.end, piece.end);
  if (committed) place.committed = std::max(place.committed, piece.end);
}

void ShownText::forget_old() {
  std::erase_if(places_, [](const auto& one) { return one.second.committed == one.second.end; });
}

void leave_out_given(Event& event, const Piece& piece, ShownText& given) {
  const std::uint64_t known = given.known(piece);
  given.give(piece, true);
  if (known == 0) return;
  const std::string text = string_member(parse_json<nlohmann::json>(event.data), "text");
  event.data = rules::delta_json(piece.step, piece.attempt, piece.start + known, text.substr(known), false);
}

}  // namespace holdfast::platform
