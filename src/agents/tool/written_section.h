#pragma once

// Settings of a tool that hold values which are sent as they were written, members in their order. In the
// definition of an agent they are sorted, as all of it is; a flow keeps them in its canonical form.

#include "definition/tool_type.h"

namespace holdfast::agent {

struct WrittenSection : ToolSettings {
  // Puts them into the section in its canonical form.
  virtual void write(nlohmann::ordered_json& section) const = 0;
};

}  // namespace holdfast::agent
