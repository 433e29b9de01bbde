#pragma once

// `compensate` of a block: the call that takes its effect back when the run does not succeed, or on request.
// It is a call of an agents' tool, as the block's is, and what is done with it is what is done with
// `compensate` of agents' tools. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "block/program.h"

namespace holdfast::flows {

// So many blocks of a flow can have one.
inline constexpr std::size_t kMaxCompensated = 500;

// What `compensate` of a block says, which is read but for that, into `out`; mistakes go to `block`.
void read_compensation(spec::MapReader& block, const FlowBlock& spec, std::string_view base_directory,
                       BoundBlock& out);
// Whether blocks of that type may have one.
bool can_be_compensated(std::string_view type);
// The blocks of a body whose calls can be taken back, in the order in which a round runs them.
std::vector<std::string> compensated_in(const Program& body);
// With every default made explicit.
Json compensation_json(const BoundBlock& block);
// What of that is sent as it was written, in its order.
void write_compensation(const BoundBlock& block, Written& compensate);
// JSON Schema of it, for editors.
Json compensation_schema();

}  // namespace holdfast::flows
