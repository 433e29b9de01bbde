// Forms: a JSON Schema of whoever wrote the definition (first line) and what a browser posts (the other lines,
// NAME=VALUE): at most the fields that the form has come back as an answer.

#include "http/form_fields.h"

#include <set>

#include "base/json.h"
#include "fuzz.h"

namespace holdfast::http {

FUZZ(input) {
  const std::size_t line = std::min(input.find('\n'), input.size());
  const auto schema = parse_json<nlohmann::json>(input.substr(0, line));
  if (schema.is_discarded()) return;
  const std::vector<FormField> fields = fields_of(schema);
  REQUIRE(fields.size() <= kMaxFormFields);
  std::set<std::string> names;
  for (const FormField& field : fields) names.insert(posted_name(field));
  REQUIRE(names.size() == fields.size());  // no field is sent under the name of another

  std::vector<Header> posted;
  for (std::string_view rest = input.substr(std::min(line + 1, input.size())); !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view one = rest.substr(0, end);
    const std::size_t equals = std::min(one.find('='), one.size());
    posted.emplace_back(std::string(one.substr(0, equals)),
                        std::string(one.substr(std::min(equals + 1, one.size()))));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  const nlohmann::json answer = answer_of(fields, posted);
  REQUIRE(answer == answer_of(fields, posted));
  if (!answer.is_object() || (fields.size() == 1 && fields.front().name.empty())) return;
  for (const auto& member : answer.items()) {
    const bool known = std::any_of(fields.begin(), fields.end(),
                                   [&](const FormField& field) { return field.name == member.key(); });
    REQUIRE(known);
  }
}

}  // namespace holdfast::http
