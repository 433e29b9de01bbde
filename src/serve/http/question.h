#pragma once

// Questions to people, as the API reads them from an approval's row, and what it refuses before a run is
// asked: whoever was not asked, and what is no answer. Internal to the module.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/api_context.h"
#include "platform/records.h"
#include "protocol/human_question.h"
#include "runs/run_question.h"

namespace holdfast::http {

using runs::question_of;
Json question_json(const protocol::HumanQuestion& question);

// Which of the roles who sent the request has, by their names; whoever is local has each.
std::vector<std::string> roles_among(ApiContext& context, const Request& request,
                                     const std::vector<std::string>& names);

// Whether who sent the request, under that name, is one of those who may answer.
std::optional<Problem> not_asked(ApiContext& context, const Request& request,
                                 const protocol::HumanQuestion& question, std::string_view name);
// What is wrong with an answer, JSON, as a person should be told. Of a file it has afterwards what the store
// knows.
std::optional<Problem> not_of_form(ApiContext& context, const platform::Approval& approval,
                                   const protocol::HumanQuestion& question, nlohmann::json& answer);

}  // namespace holdfast::http
