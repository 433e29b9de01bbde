#include <algorithm>

#include "language/block_type.h"

namespace holdfast::flows {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::array kTypes{
    BlockType{.name = "start", .place = Place::kDedicated, .why = "start block", .takes = milliseconds(1)},
    BlockType{.name = "http", .takes = milliseconds(100)},
    BlockType{.name = "sql", .takes = milliseconds(10)},
    BlockType{.name = "model", .place = Place::kWorkflow, .why = "a run of its own", .takes = seconds(2)},
    BlockType{.name = "code", .takes = milliseconds(5)},
    BlockType{.name = "transform", .takes = milliseconds(1)},
    BlockType{.name = "branch", .decides = true, .takes = milliseconds(1)},
    BlockType{.name = "switch", .decides = true, .names = "cases", .takes = milliseconds(1)},
    BlockType{.name = "join"},
    BlockType{.name = "map",
              .place = Place::kDedicated,
              .why = "plans its items itself",
              .has_body = true,
              .takes = seconds(1)},
    BlockType{.name = "loop",
              .place = Place::kDedicated,
              .why = "plans its rounds itself",
              .has_body = true,
              .takes = seconds(1)},
    BlockType{.name = "publish", .takes = milliseconds(20)},
    BlockType{.name = "respond", .takes = milliseconds(1)},
    BlockType{.name = "agent", .place = Place::kWorkflow, .why = "a run of its own", .takes = seconds(10)},
    BlockType{.name = "flow", .place = Place::kWorkflow, .why = "a run of its own", .takes = seconds(1)},
    BlockType{.name = "wait", .place = Place::kWorkflow, .why = "a durable timer"},
    BlockType{.name = "human", .place = Place::kWorkflow, .why = "a person decides", .human = true},
};

}  // namespace

std::span<const BlockType> block_types() {
  return kTypes;
}

}  // namespace holdfast::flows
