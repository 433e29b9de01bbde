#include "model/call_assembly.h"

namespace holdfast::model {

void CallAssembly::Scan::add(std::string_view text) {
  for (const char c : text) {
    if (in_text_) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_text_ = false;
      }
    } else if (c == '"') {
      in_text_ = true;
    } else if (c == '{' || c == '[') {
      begun_ = true;
      ++depth_;
    } else if ((c == '}' || c == ']') && depth_ > 0) {
      --depth_;
    }
  }
}

std::optional<CallAssembly::Place> CallAssembly::place(const CallFragment& fragment) {
  if (fragment.index) {
    if (const auto known = at_index(*fragment.index)) return go_on(*known, fragment);
    const auto same_id = with_id(fragment.id);
    if (same_id && fragment.name.empty()) return go_on(*same_id, fragment);  // counted wrongly
    if (!fragment.id.empty() || !fragment.name.empty() || calls_.empty()) return begin(fragment);
    // Nothing but arguments under a number that was never named: of the call that lacks some, if it is the
    // only one.
    if (calls_.back().scan.whole()) return begin(fragment);
    if (calls_.size() == 1) return go_on(0, fragment);
    return std::nullopt;
  }
  if (const auto same_id = with_id(fragment.id)) return go_on(*same_id, fragment);
  if (calls_.empty()) return begin(fragment);
  const std::size_t last = calls_.size() - 1;
  if (fragment.id.empty() && fragment.name.empty()) return go_on(last, fragment);
  if (fragment.name.empty()) return go_on(last, fragment);
  // A name without a number: a whole call, unless a server repeats the name of the call that is open.
  const Open& open = calls_[last];
  const bool repeats =
      fragment.id.empty() && open.name == fragment.name && open.scan.begun() && !open.scan.whole();
  return repeats ? go_on(last, fragment) : begin(fragment);
}

std::optional<CallAssembly::Place> CallAssembly::go_on(std::size_t call, const CallFragment& fragment) {
  Open& open = calls_[call];
  const bool whole = open.scan.whole();
  if (!fragment.id.empty() && !open.wire_id.empty() && fragment.id != open.wire_id) {
    if (const auto other = with_id(fragment.id); other && fragment.name.empty())
      return go_on(*other, fragment);
    // Another id is another call, unless a server makes one up for each fragment.
    if (!fragment.name.empty() && fragment.name != open.name) return begin(fragment);
    if (whole || (!fragment.name.empty() && !open.scan.begun())) return begin(fragment);
  } else if (!fragment.name.empty() && whole) {
    Scan more;
    more.add(fragment.arguments);
    // All of a call again under the same number or id: another call.
    if (fragment.name != open.name || more.whole()) return begin(fragment);
  }
  if (open.wire_id.empty() && !fragment.id.empty()) {
    open.wire_id = fragment.id;
    with_id_[fragment.id] = call;
  }
  Place place;
  place.call = call;
  place.was_whole = whole;
  if (!fragment.name.empty() && fragment.name != open.name) {
    if (open.scan.begun() && !open.name.empty()) return std::nullopt;  // a name inside of arguments
    open.name += fragment.name;
    place.name = fragment.name;
  }
  open.scan.add(fragment.arguments);
  return place;
}

CallAssembly::Place CallAssembly::begin(const CallFragment& fragment) {
  Place place;
  place.call = calls_.size();
  place.begins = true;
  place.name = fragment.name;
  Open open;
  open.wire_id = fragment.id;
  open.id = unique_id(fragment.id);
  open.name = fragment.name;
  open.scan.add(fragment.arguments);
  calls_.push_back(std::move(open));
  // The latest call counts: a number or an id that is used again means the newer one.
  if (fragment.index) at_index_[*fragment.index] = place.call;
  if (!fragment.id.empty()) with_id_[fragment.id] = place.call;
  return place;
}

std::optional<std::size_t> CallAssembly::at_index(std::int64_t index) const {
  const auto found = at_index_.find(index);
  return found == at_index_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::size_t> CallAssembly::with_id(const std::string& id) const {
  const auto found = with_id_.find(id);
  return found == with_id_.end() ? std::nullopt : std::optional(found->second);
}

// Some local servers give no id: the position is unique within the message, which is what the answer refers
// to.
std::string CallAssembly::unique_id(const std::string& wire) {
  const std::string base = wire.empty() ? "call_" + std::to_string(calls_.size()) : wire;
  std::string id = base;
  while (!ids_.insert(id).second) id = base + "_" + std::to_string(++uses_[base] + 1);
  return id;
}

}  // namespace holdfast::model
