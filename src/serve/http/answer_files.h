#pragma once

// Files that answer a question: kept as blobs of the run that asks, by what they are and not by what they are called.
// Internal to the module; blocks as the store does.

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "http/api_context.h"
#include "platform/records.h"
#include "protocol/human_question.h"

namespace holdfast::http {

// As an answer names it (protocol/human_question.h). 413: too large; 422: of another type.
std::expected<Json, Problem> keep_file(ApiContext& context, const platform::Approval& approval,
                                       const protocol::FileField& field, std::string_view bytes,
                                       std::string_view name);

// Puts what the store knows of each file into the answer. What is wrong, when it names one that is not there, or that
// the form would not have taken.
std::optional<Problem> check_files(ApiContext& context, const platform::Approval& approval,
                                   const protocol::HumanQuestion& question, nlohmann::json& answer);

}  // namespace holdfast::http
