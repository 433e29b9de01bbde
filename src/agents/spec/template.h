#pragma once

// Templates of tools. Arguments come from a model and are hostile by assumption: in a URL they are
// percent-encoded and may stand in path and query only, in a JSON body they are values, in SQL they are
// bound. Pure.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "holdfast/status.h"

namespace holdfast::spec {

class UrlTemplate {
 public:
  static Result<UrlTemplate> parse(std::string_view text);

  const std::vector<std::string>& arguments() const { return arguments_; }
  // Every placeholder must have a scalar argument; in the path, one that is not empty.
  Result<std::string> fill(const nlohmann::json& arguments) const;

 private:
  std::vector<std::string> literals_;  // one more than arguments_
  std::vector<std::string> arguments_;
  std::size_t in_path_ = 0;  // so many of arguments_, the first ones, stand in the path
};

// `{name}` inside strings of the tree. A string that is one placeholder takes the argument's type, an absent
// one becomes null; inside longer strings values are written as text.
nlohmann::json fill_body(const nlohmann::json& body, const nlohmann::json& arguments);
// The same of values whose members have an order.
nlohmann::ordered_json fill_body(const nlohmann::ordered_json& body, const nlohmann::ordered_json& arguments);
std::vector<std::string> body_arguments(const nlohmann::json& body);

// Names of `:name` parameters, quoted text and comments skipped, without the reserved `idempotency_key`.
std::vector<std::string> sql_parameters(std::string_view statement);
// Whether there is a `?` among them, or a `?1`, as SQLite knows them.
bool has_positional_parameters(std::string_view statement);

// Replaces each `${NAME}` by what `lookup` says of NAME; the first failure is the whole's.
using Lookup = std::function<Result<std::string>(const std::string& name)>;
Result<std::string> fill_environment(std::string_view text, const Lookup& lookup);
// Each NAME of the `${NAME}`s, once.
std::vector<std::string> environment_names(std::string_view text);

}  // namespace holdfast::spec
