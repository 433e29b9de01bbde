#pragma once

// Texts of messages that tools send: `{argument}` is filled in, an absent one with nothing. Pure.

#include <functional>
#include <string>
#include <string_view>

#include "definition/tool_type.h"

namespace holdfast::agent {

// `escape` is applied to what the arguments say, not to what the definition does; null: nothing is.
std::string fill_text(std::string_view text, const Json& arguments,
                      const std::function<std::string(std::string)>& escape = {});

// A problem at `key` of `in` for every placeholder that the tool does not declare.
void check_text(spec::MapReader& in, std::string_view key, std::string_view text, const ToolSpec& tool);

// Has a character below 0x20 (or DEL) that is no tab; with `lines` line ends are let in, too.
bool has_control(std::string_view text, bool lines = false);

// Where a URL leads, without its path: what grants are about.
std::string place_of(const std::string& url);

}  // namespace holdfast::agent
