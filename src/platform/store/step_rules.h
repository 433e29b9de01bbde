#pragma once

// Rules of steps and effects (platform/rules.h): what makes it safe to run an activity again.

#include <optional>
#include <string_view>

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "platform/records.h"
#include "platform/rules.h"

namespace holdfast::platform::rules {

Status check_step(const StepWrite& step);
// A key that is recorded changes nothing and gives its record back. For kInsert the store appends the
// messages first (`appended`), and writes the usage rows.
Change<StepRecord> commit_step(const StepWrite& step, const std::optional<StepRecord>& stored, WallTime now);

// Sums of so many rows as there can be fit into 64 bits.
inline constexpr std::int64_t kMaxTokensOfCall = 1'000'000'000;
Status check_usage(const Usage& usage);

Status check_effect(const EffectIntent& intent);
// The intent comes before the effect. A stored effect that is not settled is begun again, with the next
// fence.
Result<Change<EffectRecord>> begin_effect(const EffectIntent& intent,
                                          const std::optional<EffectRecord>& stored, WallTime now);
// The first settlement stands.
Result<Change<EffectRecord>> settle_effect(std::string_view key, const std::optional<EffectRecord>& stored,
                                           bool succeeded, std::string_view result, WallTime now);

}  // namespace holdfast::platform::rules
