#pragma once

// One activity that runs blocks, while it does. Internal to the room.

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "block/values.h"
#include "perform/flow_activities.h"

namespace holdfast::flows {

struct FlowActivities::OneActivity {
  activity::Context& ctx;
  const Program& program;
  const std::string& version;
  BlockBooks books;
  std::vector<std::string> outlets;           // by block; empty: not known here
  std::map<std::size_t, std::string> values;  // JSON, of those that ran or were read here
  // Of a body: where its block stands, and what its expressions see of the round.
  OneActivity* around = nullptr;
  std::vector<std::pair<std::string_view, std::string>> names = {};
  std::string log = {};  // what the code of the block that runs has written
  // Of a run of an item: `around`, which is another run's, and its program.
  std::shared_ptr<OneActivity> other = nullptr;
  ProgramPtr other_program = nullptr;

  // What the expressions of this block see. The activity outlives it.
  ValueSources sources(FlowActivities& activities);
  // The round goes on in this activity.
  bool in_round() const { return around != nullptr && other == nullptr; }
  const std::string& input() { return around ? around->input() : books.input(); }
  std::string value(std::size_t block);
  void keep_log(const sandbox::Reply& reply);
  void keep_log(std::string_view text);  // so much of it as there is room for
};

// One that has ended so, and the run's failure if nothing takes it up.
protocol::FlowBlocksResult ended_as(const Program& program, std::size_t block, const BlockOutcome& outcome);

}  // namespace holdfast::flows
