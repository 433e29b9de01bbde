// When a run may begin, by the `flow` of its agent: it stands in the line of its key, which it may leave as
// another one's.

#include "activities/activities.h"
#include "activities/flow_place.h"
#include "base/iso_time.h"
#include "base/json.h"
#include "protocol/events.h"

namespace holdfast::agent {

namespace {

Json waiting_json(const platform::FlowTurn& turn) {
  Json out = {{"on", "flow"}, {"key", turn.row.place.key}, {"rule", to_string(turn.wait)}};
  if (turn.ahead > 0) out["ahead"] = turn.ahead;
  if (!turn.blockers.empty()) out["behind"] = turn.blockers.front();
  if (turn.until) out["until"] = iso_time(*turn.until);
  return out;
}

// A text that is JSON stands in the list as JSON; one with a number beyond 64 bits, as it is.
Json input_json(const std::string& stored) {
  const Json input = parse_json(stored);
  if (const auto* text = input.get_ptr<const std::string*>()) {
    auto inner = read_json(*text, kMaxJsonDepth, Integers::kExact);
    if (inner && inner->is_structured()) return *std::move(inner);
  }
  return input;
}

}  // namespace

std::optional<platform::FlowTurn> Activities::take_flow(activity::Context& ctx, const AgentDefinition& agent,
                                                        const std::string& input, const Json& context) {
  std::optional<platform::FlowPlace> place = flow_place(agent, Json(input), context);
  if (!place) return std::nullopt;
  place->run = ctx.info().workflow_id;
  const auto tell_end = [&](const platform::FlowRow& row) {
    const bool batched = row.state == platform::FlowState::kBatched;
    publish_to(row.place.run, batched ? protocol::event::kRunBatched : protocol::event::kRunSuperseded,
               {{"key", row.place.key}, {batched ? "into" : "by", row.into}}, "flow/" + row.into);
  };
  return turns_.take_flow(ctx, *place, deps_.clock->now(), [&](const platform::FlowTurn& turn) {
    for (const platform::FlowRow& other : turn.stands_for) tell_end(other);
    if (turn.row.state == platform::FlowState::kRunning) return;
    if (turn.row.state != platform::FlowState::kWaiting) return tell_end(turn.row);
    Json waits = waiting_json(turn);
    const std::string key = "run.waiting/" + waits.value("rule", "") + "/" + waits.value("behind", "");
    publish(ctx, protocol::event::kRunWaiting, waits, key);
  });
}

// What the model of a batch is told: a list, also of one, in the order in which the runs came.
std::string Activities::batch_input(const platform::FlowTurn& turn, std::string own) {
  if (turn.row.place.rules.batch == 0) return own;
  Json list = Json::array();
  bool said = false;
  const auto say = [&] {
    if (!said) list.push_back(input_json(dump_json(Json(std::move(own)))));
    said = true;
  };
  for (const platform::FlowRow& other : turn.stands_for) {
    if (other.at > turn.row.at) say();
    list.push_back(input_json(other.place.input));
  }
  say();
  return dump_json(list);
}

}  // namespace holdfast::agent
