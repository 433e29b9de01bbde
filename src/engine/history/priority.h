#pragma once

// Priorities of executions and activities, as a start or a command says them.

#include <string>

#include "history/stored.h"

namespace holdfast::history::priority {

// What is wrong with it, in Temporal's words, or empty.
std::string problem(const pb::common::v1::Priority& priority);

}  // namespace holdfast::history::priority
