#pragma once

// The documents of a YAML text. yaml-cpp's LoadAll comes to no end in a text that goes on with what no
// document begins with, such as ",": it finds an empty document there, again and again, until the memory is
// gone. It passes over bytes that are no UTF-8, and over what follows them; and it does not know how JSON
// writes characters beyond 16 bits, which each encoder that escapes does. Pure.

#include <string>
#include <string_view>
#include <vector>

#include <yaml-cpp/yaml.h>

namespace holdfast::spec {

// As YAML::LoadAll. Throws YAML::ParserException, also where that would not come to an end, and where the
// text is not UTF-8 (or, behind its mark, UTF-16 or UTF-32), or has tags other than those of JSON's values:
// one that is not obeyed makes another value of what is written.
std::vector<YAML::Node> yaml_documents(const std::string& text);

// The tag that a text writes as `!!name`.
std::string yaml_tag(std::string_view name);

// Of a text that is one. Throws YAML::ParserException where a second one begins as well. No document: null.
YAML::Node yaml_document(const std::string& text);

}  // namespace holdfast::spec
