#pragma once

// The order in which the arguments of a call were written, kept where the call's tool has the JSON Schema of
// its parameters (spec/written_order.h), at every depth. For calls that a file says and no model makes. Pure.

#include <nlohmann/json.hpp>

namespace holdfast::agent {

// The schema of whatever is written like this: names and their order, and nothing of the values.
nlohmann::json parameters_like(const nlohmann::ordered_json& arguments);

// Members in the order of the schema; those of which it says nothing last, sorted.
nlohmann::ordered_json in_order_of(const nlohmann::json& parameters, const nlohmann::json& arguments);

}  // namespace holdfast::agent
