#pragma once

// A JSON Schema as the fields of an HTML form, and back: what a browser sends without any script becomes the
// answer. Texts, numbers, yes or no, one or some of a list have fields of their own; whatever else is typed
// as JSON. Files are not in the answer: whoever keeps them puts them there. Whether it is valid says the schema, not
// this. Pure. Internal to the module.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "http/message.h"

namespace holdfast::http {

inline constexpr std::size_t kMaxFormFields = 100;  // a form with more is typed as JSON

struct FormField {
  enum class Kind : std::uint8_t { kText, kLines, kNumber, kYesNo, kOne, kSome, kFile, kJson };
  Kind kind = Kind::kJson;
  std::string name;   // the member; empty: the answer as a whole
  std::string label;  // as people read it
  std::string hint;
  bool required = false;
  std::vector<nlohmann::json> choices;  // kOne, kSome
  std::string input_type = "text";      // kText
  std::string initial;                  // what stands in it at first: of kOne and kSome the place of a choice
  std::size_t max_length = 0;           // 0: none
  std::string accept;                   // kFile: media types, with commas
};

std::vector<FormField> fields_of(const nlohmann::json& form);

// Under which name a field is sent.
std::string posted_name(const FormField& field);
// What was typed; a field that was left empty is no member. What is no number or no JSON stays a text, which
// the schema refuses in its own words.
nlohmann::json answer_of(const std::vector<FormField>& fields, const std::vector<Header>& posted);

}  // namespace holdfast::http
