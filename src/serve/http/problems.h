#pragma once

// How the API answers what Runs reports. Internal to the module.

#include "holdfast/status.h"
#include "http/message.h"

namespace holdfast::http {

// By the RunFault of the status; without one as Problem::from().
Problem problem_of(const Status& status);

}  // namespace holdfast::http
