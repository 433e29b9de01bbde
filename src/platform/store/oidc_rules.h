#pragma once

// Rules of people and groups of identity providers as rows (platform/rules.h).

#include "platform/oidc_store.h"
#include "platform/rules.h"

namespace holdfast::platform::rules {

// INVALID_ARGUMENT for a row that no list could show.
Status check_oidc_person(const OidcPerson& row);
Status check_oidc_group(const OidcGroup& row);

}  // namespace holdfast::platform::rules
