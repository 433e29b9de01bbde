#pragma once

// Rules of who may use a server (platform/rules.h): what rows of them hold, and that each change says who.

#include "platform/identity.h"
#include "platform/records.h"
#include "platform/rules.h"

namespace holdfast::platform::rules {

// INVALID_ARGUMENT for a row that no list could show.
Status check_principal(const Principal& row);
Status check_credential(const Credential& row);
// The audit row as it is written at `now`.
AuditRow at(AuditRow row, WallTime now);

}  // namespace holdfast::platform::rules
