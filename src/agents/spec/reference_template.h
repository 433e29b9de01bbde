#pragma once

// JSON whose strings hold `{path.to.value}`: references into one document, as `{result.rows.0.id}`. A string
// that is one reference takes the value's type; inside longer strings values are written as text. A reference
// that leads nowhere is an error, never an empty text. Pure.

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "holdfast/status.h"

namespace holdfast::spec {

// Every path that the strings of `tree` name, once.
std::vector<std::string> references(const nlohmann::json& tree);

// Whether a brace of the text is of no reference: what was meant as one, and is not.
bool has_stray_brace(const std::string& text);

// INVALID_ARGUMENT names the first path that `document` does not have.
Result<nlohmann::json> fill_references(const nlohmann::json& tree, const nlohmann::json& document);

}  // namespace holdfast::spec
