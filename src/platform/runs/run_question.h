#pragma once

// Questions to people, as they stand in an approval's row, and whom they ask. Pure.

#include <functional>
#include <optional>
#include <string_view>

#include "platform/records.h"
#include "protocol/human_question.h"

namespace holdfast::runs {

// None: it asks about a call.
std::optional<protocol::HumanQuestion> question_of(const platform::Approval& approval);

// Whether who has that name is one of those who may answer. `has_role`: whether they have one of its roles;
// asked where the name is not enough.
bool is_asked(const protocol::HumanQuestion& question, std::string_view name,
              const std::function<bool()>& has_role);

}  // namespace holdfast::runs
