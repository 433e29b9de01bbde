#pragma once

// What a model's answer holds that only its provider understands arrives in fragments, too: how they are put
// together. The rule is that of the field's clients: texts continue each other, lists go on, what has an
// `index` is found by it, and of everything else the last word counts. Pure.

#include <nlohmann/json.hpp>

namespace holdfast::model {

using OpaqueJson = nlohmann::ordered_json;

// Whether it says anything: null, "", [] and {} do not.
bool says_something(const OpaqueJson& value);

// `piece` continues `whole`.
void merge_fragment(OpaqueJson& whole, const OpaqueJson& piece);

}  // namespace holdfast::model
