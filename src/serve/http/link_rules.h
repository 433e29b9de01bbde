#pragma once

// For whom a person may make a link that decides. Whoever makes one sees it, and could use it: so it gives
// away no more than its maker could decide himself, and never stands for a second person.

#include <optional>

#include "http/api_context.h"
#include "platform/records.h"
#include "runs/decision_links.h"

namespace holdfast::http {

// What speaks against the link; none: it may be made.
std::optional<Problem> not_for_a_link(ApiContext& context, const Request& request,
                                      const platform::Approval& approval, const runs::LinkRequest& wanted);

}  // namespace holdfast::http
