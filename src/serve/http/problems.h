#pragma once

// How the API answers what Runs reports. Internal to the module.

#include "holdfast/status.h"
#include "http/message.h"

namespace holdfast::http {

// By the RunFault of the status; without one as Problem::from().
Problem problem_of(const Status& status);
// Of a definition that names what nobody granted: 403 with the grants that are missing.
Problem not_granted(const Status& status);

}  // namespace holdfast::http
