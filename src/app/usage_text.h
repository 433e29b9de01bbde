#pragma once

// What the API says of costs, in a word for people. Pure.

#include <string>

#include "app/api_session.h"

namespace holdfast::app {

// "0.0123 USD", "0.0123 USD + unpriced", "unpriced".
std::string cost_text(const Json& cost);

}  // namespace holdfast::app
