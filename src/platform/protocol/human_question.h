#pragma once

// What a run asks a person: of PlannedCall::input of a `type: human` call, of the request in the inbox, and
// of the row that keeps it. Values.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "protocol/call.h"

namespace holdfast::protocol {

inline constexpr std::size_t kMaxQuestionBytes = 8 * 1024;
inline constexpr std::size_t kMaxFormBytes = 16 * 1024;
inline constexpr std::size_t kMaxAnswerBytes = 64 * 1024;

struct HumanQuestion {
  HumanQuestion() = default;
  std::string text;
  Json form;                        // JSON Schema of the answer, an object
  std::vector<std::string> people;  // who may answer, besides whoever has one of `roles`
  std::vector<std::string> roles;   // both empty: whoever may decide
  Json fallback;                    // the answer when nobody gave one; null: there is none
  std::int64_t deadline_ms = 0;     // from the asking
};

void to_json(Json& out, const HumanQuestion& value);
void from_json(const Json& in, HumanQuestion& value);

}  // namespace holdfast::protocol
