#pragma once

// A conversation that begins with what was said elsewhere (StartIntent::history). Pure.

#include <string>
#include <vector>

namespace holdfast::runs {

// The name of one that begins with these messages, and of no other: `salt` tells two of them apart.
std::string seeded_conversation(const std::vector<std::string>& messages, const std::string& salt);

}  // namespace holdfast::runs
