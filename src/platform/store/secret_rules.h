#pragma once

// Rules of named secrets as rows (platform/rules.h).

#include "platform/rules.h"
#include "platform/secret_store.h"

namespace holdfast::platform::rules {

// INVALID_ARGUMENT for a row that no list could show, and for one that is not sealed.
Status check_secret(const SecretRow& row);

}  // namespace holdfast::platform::rules
