#pragma once

// What can be wrong with a flow as a graph. Pure.

#include <vector>

#include "language/flow.h"
#include "spec/yaml_reader.h"

namespace holdfast::flows {

// `marks`: where each block stands in the file, and where what it needs stands.
struct BlockMarks {
  YAML::Mark block;
  std::vector<YAML::Mark> needs;
};
void check_graph(const Flow& flow, const std::vector<BlockMarks>& marks, spec::YamlProblems& problems);

}  // namespace holdfast::flows
