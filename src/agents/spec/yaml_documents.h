#pragma once

// The documents of a YAML text. yaml-cpp's LoadAll comes to no end in a text that goes on with what no
// document begins with, such as ",": it finds an empty document there, again and again, until the memory is
// gone. Pure.

#include <string>
#include <vector>

#include <yaml-cpp/yaml.h>

namespace holdfast::spec {

// As YAML::LoadAll. Throws YAML::ParserException, also where that would not come to an end.
std::vector<YAML::Node> yaml_documents(const std::string& text);

// Of a text that is one. Throws YAML::ParserException where a second one begins as well. No document: null.
YAML::Node yaml_document(const std::string& text);

}  // namespace holdfast::spec
