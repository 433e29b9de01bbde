#include "openapi/schema.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "spec/written_order.h"

namespace holdfast::openapi {

namespace {

constexpr std::size_t kMaxWords = 500;  // of a description inside a schema

Json types_of(const Json& schema, bool is_3_0) {
  Json type = member(schema, "type");
  if (!type.is_string() && !type.is_array()) return nullptr;
  if (is_3_0 && member(schema, "nullable") == true && type.is_string()) return Json::array({type, "null"});
  return type;
}

// `exclusiveMinimum: true` beside a `minimum`, of 3.0.
void add_bounds(const Json& schema, Json& out) {
  for (const auto& [bound, exclusive] :
       {std::pair("minimum", "exclusiveMinimum"), {"maximum", "exclusiveMaximum"}}) {
    const Json& value = member(schema, bound);
    const Json& strict = member(schema, exclusive);
    if (value.is_number()) out[strict == true ? exclusive : bound] = value;
    if (strict.is_number()) out[exclusive] = strict;
  }
}

void require(Json& out, const Json& names) {
  if (!names.is_array()) return;
  for (const Json& name : names) {
    if (!name.is_string()) continue;
    Json& required = out["required"];
    if (required.is_null()) required = Json::array();
    if (std::find(required.begin(), required.end(), name) == required.end()) required.push_back(name);
  }
}

}  // namespace

void SchemaReader::note(std::string text) {
  if (std::find(notes_.begin(), notes_.end(), text) == notes_.end()) notes_.push_back(std::move(text));
}

Json SchemaReader::own_keywords(const Json& schema) const {
  Json out = Json::object();
  if (Json type = types_of(schema, document_.is_3_0()); !type.is_null()) out["type"] = std::move(type);
  if (std::string text = text_of(schema, "description"); !text.empty())
    out["description"] = std::string(cut_text(to_utf8(text), kMaxWords));
  for (const char* keyword : {"enum", "const", "default"}) {
    if (schema.contains(keyword)) out[keyword] = schema[keyword];
  }
  if (out.contains("enum") && (!out["enum"].is_array() || out["enum"].empty())) out.erase("enum");
  for (const char* keyword : {"minLength", "maxLength", "minItems", "maxItems"}) {
    if (member(schema, keyword).is_number()) out[keyword] = schema[keyword];
  }
  if (std::string format = text_of(schema, "format"); !format.empty()) out["format"] = format;
  add_bounds(schema, out);
  return out;
}

Result<Json> SchemaReader::object_parts(const Json& schema, Json out, int depth) {
  for (const std::string& name : spec::property_names(schema)) {
    const Json& inner = schema["properties"][name];
    const auto seen = document_.resolved(inner);
    if (seen && member(**seen, "readOnly") == true) continue;  // the server's to set
    auto read = this->read(inner, depth + 1);
    if (!read) return read;
    spec::add_property(out, name, *std::move(read));
  }
  require(out, member(schema, "required"));
  if (out.contains("required")) {
    Json kept = Json::array();
    for (const Json& name : out["required"]) {
      if (member(out, "properties").contains(name.get<std::string>())) kept.push_back(name);
    }
    out["required"] = std::move(kept);
    if (out["required"].empty()) out.erase("required");
  }
  const Json& others = member(schema, "additionalProperties");
  if (others.is_boolean()) out["additionalProperties"] = others;
  if (others.is_object()) {
    auto read = this->read(others, depth + 1);
    if (!read) return read;
    out["additionalProperties"] = *std::move(read);
  }
  return out;
}

// `allOf`: everything of each. Of `oneOf` and `anyOf` the server judges, unless there is but one form.
Result<Json> SchemaReader::joined(const Json& schema, Json out, int depth) {
  if (const Json& all = member(schema, "allOf"); all.is_array()) {
    for (const Json& one : all) {
      auto read = this->read(one, depth + 1);
      if (!read) return read;
      for (const auto& [key, value] : read->items()) {
        if (key == "properties") {
          for (const std::string& name : spec::property_names(*read))
            spec::add_property(out, name, value[name]);
        } else if (key == spec::kOrderKeyword) {
          continue;  // it is said by what was added
        } else if (key == "required") {
          require(out, value);
        } else if (!out.contains(key)) {
          out[key] = value;
        }
      }
    }
  }
  for (const char* keyword : {"oneOf", "anyOf"}) {
    const Json& forms = member(schema, keyword);
    if (!forms.is_array()) continue;
    std::vector<const Json*> real;
    for (const Json& form : forms) {
      if (text_of(form, "type") != "null") real.push_back(&form);
    }
    if (real.size() != 1) {
      note(fmt::format("a value that may have one of several forms (`{}`) is not checked before the call",
                       keyword));
      continue;
    }
    auto read = this->read(*real.front(), depth + 1);
    if (!read) return read;
    if (real.size() < forms.size() && member(*read, "type").is_string())
      (*read)["type"] = Json::array({(*read)["type"], "null"});
    read->update(out);
    out = *std::move(read);
  }
  return out;
}

Result<Json> SchemaReader::read(const Json& schema, int depth) {
  if (schema.is_boolean()) return schema;
  std::string name;
  auto found = document_.resolved(schema, &name);
  if (!found) return fail(found.error());
  const Json& at = **found;
  if (!at.is_object()) return fail(Code::kInvalidArgument, "a schema is no mapping");
  if (++parts_ > kMaxSchemaParts)
    return fail(Code::kInvalidArgument,
                fmt::format("its schema has more than {} parts, references put in", kMaxSchemaParts));
  if (std::find(inside_.begin(), inside_.end(), &at) != inside_.end()) {
    note(fmt::format("`{}` holds itself; from the second level on any value is taken", name));
    return Json::object();
  }
  if (depth > kMaxSchemaDepth) {
    note(fmt::format("a schema nests deeper than {} levels; below, any value is taken", kMaxSchemaDepth));
    return Json::object();
  }
  inside_.push_back(&at);
  auto out = joined(at, own_keywords(at), depth);
  if (out && (at.contains("properties") || at.contains("required") || at.contains("additionalProperties")))
    out = object_parts(at, *std::move(out), depth);
  if (const Json& items = member(at, "items"); out && !items.is_null()) {
    auto read = this->read(items, depth + 1);
    if (read) {
      (*out)["items"] = *std::move(read);
    } else {
      out = std::move(read);
    }
  }
  inside_.pop_back();
  return out;
}

}  // namespace holdfast::openapi
