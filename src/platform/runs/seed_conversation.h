#pragma once

// A conversation that begins with what was said elsewhere. Blocks as the store does; any thread.

#include <string>
#include <vector>

#include "holdfast/status.h"
#include "platform/store.h"

namespace holdfast::runs {

// The name of one that begins with these messages, and of no other: `salt` tells two of them apart.
std::string seeded_conversation(const std::vector<std::string>& messages, const std::string& salt);

// Makes it; durable on return. One that is there already stays as it is: its name says what it begins with.
Status seed_conversation(platform::Store& store, const std::string& conversation,
                         const std::vector<std::string>& messages);

}  // namespace holdfast::runs
