#pragma once

// What was used and what it cost, as the API says it. Money is a text of dollars, exact; null where there is
// no price, which is not the same as nothing. Internal to the module.

#include "http/json_reply.h"
#include "platform/budget.h"

namespace holdfast::http {

Json usage_json(const platform::UsageTotal& used);
Json bill_json(const platform::Bill& bill);
// Limits of the run with what is used and held of each; an empty object: it has none.
Json budgets_json(const platform::Account& account);
Json report_json(const platform::UsageQuery& query, const platform::UsageReport& report);

}  // namespace holdfast::http
