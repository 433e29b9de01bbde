#pragma once

// The JSON Schema of flow files, for editors: the frame that every flow has, and `with` of each type,
// composed from the types themselves. It says what a file alone can say; names of blocks, ways and cycles are
// the reader's. Pure.

#include <string>

namespace holdfast::flows {

// Indented JSON.
std::string flow_schema();

}  // namespace holdfast::flows
