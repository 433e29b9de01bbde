#include "platform/label_rules.h"

#include <fmt/format.h>

#include "base/json.h"
#include "platform/store.h"
#include "protocol/agent_reference.h"

namespace holdfast::platform::rules {

namespace {

constexpr std::size_t kMaxActorBytes = 200;
constexpr std::size_t kMaxCommentBytes = 4000;

std::string short_hash(const std::string& hash) {
  return hash.substr(0, 12);
}

Status not_as_seen(const LabelMove& wanted, const std::optional<Label>& stored) {
  if (!stored)
    return {Code::kAborted, fmt::format("agent '{}' has no label '{}' any more", wanted.agent, wanted.label)};
  return {Code::kAborted,
          fmt::format("label '{}' of agent '{}' was moved meanwhile: it names {} since move {}, by {}",
                      wanted.label, wanted.agent, short_hash(stored->hash), stored->move,
                      stored->actor.empty() ? "somebody" : stored->actor)};
}

Status check_source(const LabelMove& wanted, const std::optional<Label>& source) {
  if (source->hash == wanted.hash) return {};
  return {Code::kAborted, fmt::format("label '{}' of agent '{}' names {} now, not {}", wanted.source,
                                      wanted.agent, short_hash(source->hash), short_hash(wanted.hash))};
}

// What has to be there, whoever moved the label meanwhile.
Status check_present(const LabelMove& wanted, const LabelRows& there) {
  if (wanted.how == LabelHow::kRolledBack) {
    if (there.label) return {};
    return {Code::kNotFound, fmt::format("agent '{}' has no label '{}'", wanted.agent, wanted.label)};
  }
  if (wanted.how == LabelHow::kPromoted && !there.source)
    return {Code::kNotFound, fmt::format("agent '{}' has no label '{}'", wanted.agent, wanted.source)};
  if (there.has_version) return {};
  return {Code::kNotFound,
          fmt::format("agent '{}' has no version '{}'", wanted.agent, short_hash(wanted.hash))};
}

Status check_way(const LabelMove& wanted, const LabelRows& there) {
  if (Status source = wanted.how == LabelHow::kPromoted ? check_source(wanted, there.source) : Status();
      !source.ok())
    return source;
  if (wanted.how == LabelHow::kRolledBack && !there.back) {
    return {Code::kFailedPrecondition,
            fmt::format("label '{}' of agent '{}' has no version before {} to go back to", wanted.label,
                        wanted.agent, short_hash(there.label->hash))};
  }
  if (there.label || there.labels < kMaxLabels) return {};
  return {Code::kResourceExhausted,
          fmt::format("agent '{}' has {} labels; no more are kept", wanted.agent, there.labels)};
}

}  // namespace

Status check_label_move(const LabelMove& wanted) {
  if (Status status = check_name("an agent", wanted.agent); !status.ok()) return status;
  if (!protocol::is_label(wanted.label)) {
    return {Code::kInvalidArgument,
            fmt::format("'{}' cannot be a label: lower-case letters, digits and -, {} at most, not only hex "
                        "digits, for example production",
                        wanted.label.substr(0, 200), protocol::kMaxLabelBytes)};
  }
  if (wanted.actor.size() > kMaxActorBytes || wanted.comment.size() > kMaxCommentBytes) {
    return {Code::kInvalidArgument, fmt::format("who moves a label is said in {} bytes, why in {}",
                                                kMaxActorBytes, kMaxCommentBytes)};
  }
  return {};
}

Result<Change<Label>> move_label(const LabelMove& wanted, const LabelRows& there, WallTime now) {
  if (Status status = check_present(wanted, there); !status.ok()) return fail(std::move(status));
  const bool back = wanted.how == LabelHow::kRolledBack;
  // Who asks again because the answer was lost has what he wants.
  if (!back && there.label && there.label->hash == wanted.hash) return Change<Label>{*there.label};
  if (wanted.seen != (there.label ? there.label->move : 0)) return fail(not_as_seen(wanted, there.label));
  if (Status status = check_way(wanted, there); !status.ok()) return fail(std::move(status));
  Label row;
  row.agent = wanted.agent;
  row.label = wanted.label;
  row.move = wanted.seen + 1;
  row.hash = back ? there.back->hash : wanted.hash;
  row.previous = there.label ? there.label->hash : std::string();
  row.back = back ? there.back->back : wanted.seen;
  row.how = wanted.how;
  row.source = wanted.source;
  row.actor = wanted.actor;
  row.comment = wanted.comment;
  row.at = now;
  return Change<Label>{std::move(row), Write::kInsert};
}

AuditRow audit_of(const Label& moved) {
  AuditRow out;
  out.at = moved.at;
  out.actor = moved.actor;
  out.action = std::string(moved.how == LabelHow::kPromoted     ? kLabelPromoted
                           : moved.how == LabelHow::kRolledBack ? kLabelRolledBack
                                                                : kLabelSet);
  out.subject = moved.agent;
  nlohmann::json detail = {{"label", moved.label}, {"move", moved.move}, {"version", moved.hash}};
  if (!moved.previous.empty()) detail["previous"] = moved.previous;
  if (!moved.source.empty()) detail["from"] = moved.source;
  if (!moved.comment.empty()) detail["comment"] = moved.comment;
  out.detail = dump_json(detail);
  return out;
}

}  // namespace holdfast::platform::rules
