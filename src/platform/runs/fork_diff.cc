// Two runs side by side: what their conversations begin with alike, and what comes behind that.

#include <algorithm>

#include "runs/fork_parent.h"

namespace holdfast::runs {

namespace {

constexpr std::uint64_t kReadTogether = 10;

// The hash of a message is one over all before it, too: where it is the same, the same was said up to there.
Result<std::uint64_t> common_prefix(Points& a, Points& b) {
  std::uint64_t same = 0;
  std::uint64_t differs = std::min(a.last(), b.last()) + 1;
  while (differs - same > 1) {
    const std::uint64_t middle = same + (differs - same) / 2;
    auto left = a.reference(middle);
    if (!left) return fail(left.error());
    auto right = b.reference(middle);
    if (!right) return fail(right.error());
    (left->sha256 == right->sha256 ? same : differs) = middle;
  }
  return same;
}

}  // namespace

// Messages `first` and on; `limit` becomes less when that would be too much for one page.
Result<DiffSide> Forks::side_of(const Parent& parent, std::uint64_t first, std::uint32_t& limit, bool& more) {
  DiffSide out;
  out.run = parent.details;
  out.head = parent.span.last;
  std::size_t bytes = 0;
  while (out.messages.size() < limit && first <= out.head.sequence) {
    const std::uint64_t room = std::min<std::uint64_t>(kReadTogether, limit - out.messages.size());
    auto read = store_.read(out.head, first, first + room - 1);
    if (!read && read.error().code() == Code::kResourceExhausted)
      read = store_.read(out.head, first, first);  // one alone is no more than a message may have
    if (!read) return fail(read.error());
    if (read->empty()) break;
    for (platform::Message& message : *read) {
      const std::size_t size = message.json.size();
      const std::size_t kept = size > kMaxDiffMessage ? 0 : size;
      if (bytes + kept > kMaxDiffPage / 2) {
        limit = static_cast<std::uint32_t>(out.messages.size());
        more = true;
        return out;
      }
      bytes += kept;
      if (kept == 0) message.json.clear();
      first = message.sequence + 1;
      out.messages.push_back(std::move(message));
      out.bytes.push_back(size);
    }
  }
  more = more || first <= out.head.sequence;
  return out;
}

Result<RunDiff> Forks::diff(const DiffQuery& query) {
  auto a = parent_of(query.a, true);
  if (!a) return fail(a.error());
  auto b = parent_of(query.b, true);
  if (!b) return fail(b.error());
  auto common = common_prefix(a->points, b->points);
  if (!common) return fail(common.error());
  RunDiff out;
  out.common = *common;
  auto place = a->points.reference(*common);
  if (!place) return fail(place.error());
  out.common_sha256 = place->sha256;
  std::uint32_t limit = std::clamp<std::uint32_t>(query.limit, 1, kMaxDiffMessages);
  bool more = false;
  const std::uint64_t first = *common + query.after + 1;
  auto left = side_of(*a, first, limit, more);
  if (!left) return fail(left.error());
  auto right = side_of(*b, first, limit, more);
  if (!right) return fail(right.error());
  out.a = *std::move(left);
  out.b = *std::move(right);
  for (DiffSide* side : {&out.a, &out.b}) {  // both sides of a page end at the same place
    if (side->messages.size() <= limit) continue;
    side->messages.resize(limit);
    side->bytes.resize(limit);
    more = true;
  }
  if (more) out.next = query.after + limit;
  return out;
}

}  // namespace holdfast::runs
