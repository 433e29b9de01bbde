#include "mcp/listing.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "mcp/message.h"
#include "spec/json_schema.h"
#include "spec/written_order.h"

namespace holdfast::mcp {

namespace {

using protocol::Effect;

std::string pin_of(const Json& tool) {
  Json pinned = Json::object();
  for (const char* member : {"name", "description", "inputSchema", "outputSchema", "annotations"}) {
    if (const auto found = tool.find(member); found != tool.end()) pinned[member] = *found;
  }
  return sha256_hex(dump_json(pinned));
}

bool hint(const Json& tool, std::string_view name) {
  const auto annotations = tool.find("annotations");
  if (annotations == tool.end() || !annotations->is_object()) return false;
  const auto value = annotations->find(name);
  return value != annotations->end() && value->is_boolean() && value->get<bool>();
}

bool is_header_token(std::string_view text) {
  static constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && text.size() <= 128 && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || kMarks.find(c) != std::string_view::npos;
  });
}

// The annotations `x-mcp-header` of a schema. They may stand on texts, integers and booleans that are reached
// by `properties` alone; anywhere else they make the tool invalid.
class HeaderMarks {
 public:
  explicit HeaderMarks(const Json& schema) { look(schema, "", true); }
  std::map<std::string, std::string> found;
  std::optional<std::string> wrong;

 private:
  void look(const Json& schema, const std::string& place, bool reachable) {
    if (schema.is_array()) {
      for (const Json& one : schema) look(one, place, false);
    }
    if (!schema.is_object()) return;
    for (const auto& [key, value] : schema.items()) {
      if (key == "x-mcp-header") {
        note(schema, value, place, reachable);
      } else if (key == "properties" && value.is_object()) {
        for (const auto& [name, inner] : value.items()) look(inner, place + "/" + escaped(name), reachable);
      } else if (key != "enum" && key != "const" && key != "default" && key != "examples") {
        look(value, place, false);
      }
    }
  }
  void note(const Json& schema, const Json& name, const std::string& place, bool reachable) {
    const std::string type = text_at(schema, "type");
    std::string lower = name.is_string() ? name.get<std::string>() : "";
    const bool token = is_header_token(lower);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (!token) {
      wrong = "its `x-mcp-header` is no name of a header";
    } else if (!reachable || place.empty() || (type != "string" && type != "integer" && type != "boolean")) {
      wrong = "its `x-mcp-header` stands where no text, integer or boolean of its own is";
    } else if (!names_.insert(lower).second) {
      wrong = "two of its arguments go into the same header";
    } else {
      found[place] = name.get<std::string>();
    }
  }
  static std::string escaped(const std::string& name) {
    std::string out;
    for (const char c : name) out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    return out;
  }

  std::set<std::string> names_;
};

// Without what only the server reads.
Json without_extensions(const Json& schema) {
  if (schema.is_array()) {
    Json out = Json::array();
    for (const Json& one : schema) out.push_back(without_extensions(one));
    return out;
  }
  if (!schema.is_object()) return schema;
  Json out = Json::object();
  for (const auto& [key, value] : schema.items()) {
    if (key.starts_with("x-") && key != spec::kOrderKeyword) continue;
    if (key == "properties" && value.is_object()) {
      Json& properties = out[key] = Json::object();
      for (const auto& [name, inner] : value.items()) properties[name] = without_extensions(inner);
    } else if (key == "enum" || key == "const" || key == "default" || key == "examples") {
      out[key] = value;
    } else {
      out[key] = without_extensions(value);
    }
  }
  return out;
}

// With those keywords alone that any build checks. What is left out is checked by the server.
Json plain(const Json& schema) {
  static const std::set<std::string> kKept = {"type",
                                              "required",
                                              "enum",
                                              "const",
                                              "minimum",
                                              "maximum",
                                              "minLength",
                                              "maxLength",
                                              "exclusiveMinimum",
                                              "exclusiveMaximum",
                                              "minItems",
                                              "maxItems",
                                              "title",
                                              "description",
                                              "default",
                                              std::string(spec::kOrderKeyword)};
  if (!schema.is_object()) return schema.is_boolean() ? schema : Json::object();
  Json out = Json::object();
  for (const auto& [key, value] : schema.items()) {
    if (key == "properties" && value.is_object()) {
      Json& properties = out[key] = Json::object();
      for (const auto& [name, inner] : value.items()) properties[name] = plain(inner);
    } else if (key == "items" || key == "additionalProperties") {
      out[key] = plain(value);
    } else if (kKept.contains(key)) {
      out[key] = value;
    }
  }
  return out;
}

std::optional<std::string> read_schema(const Json& tool, ListedTool& out) {
  const auto schema = tool.find("inputSchema");
  if (schema == tool.end() || !schema->is_object()) return "it has no schema of its arguments";
  if (schema->contains("type") && (*schema)["type"] != "object") return "its arguments are no object";
  const auto in_order = tool.find(kSchemaInOrder);
  const Json& shown = in_order == tool.end() ? *schema : *in_order;
  out.parameters = without_extensions(shown);
  if (spec::check_schema(out.parameters)) out.parameters = plain(shown);
  if (auto bad = spec::check_schema(out.parameters)) return "the schema of its arguments is wrong: " + *bad;
  out.parameters["type"] = "object";
  if (!out.parameters.contains("properties")) out.parameters["properties"] = Json::object();
  return std::nullopt;
}

std::optional<std::string> read_tool(const Json& tool, bool over_http, ListedTool& out) {
  out.name = text_at(tool, "name");
  if (out.name.empty() || out.name.size() > kMaxToolNameBytes) return "it has no name that can be used";
  out.description = bounded_text(text_at(tool, "description"), kMaxDescriptionBytes);
  if (out.description.empty()) out.description = bounded_text(text_at(tool, "title"), kMaxDescriptionBytes);
  if (auto bad = read_schema(tool, out)) return bad;
  if (over_http) {
    HeaderMarks marks(tool["inputSchema"]);
    if (marks.wrong) return marks.wrong;
    out.headers = std::move(marks.found);
  }
  out.sha256 = pin_of(tool);
  if (hint(tool, "readOnlyHint")) {
    out.claimed = Effect::kPure;
  } else if (hint(tool, "idempotentHint")) {
    out.claimed = Effect::kIdempotent;
  }
  return std::nullopt;
}

}  // namespace

Status Listing::add(const Json& page, bool over_http) {
  for (const Json& tool : page) {
    if (tools.size() + left_out.size() >= kMaxListedTools)
      return {Code::kResourceExhausted, fmt::format("the server has more than {} tools", kMaxListedTools)};
    ListedTool read;
    auto bad =
        tool.is_object() ? read_tool(tool, over_http, read) : std::optional<std::string>("it is no tool");
    const auto same = [&](const ListedTool& other) { return other.name == read.name; };
    if (!bad && std::any_of(tools.begin(), tools.end(), same)) bad = "there are two of that name";
    if (bad) {
      left_out.push_back(fmt::format("`{}`: {}", cut_text(read.name, 80), *bad));
    } else {
      tools.push_back(std::move(read));
    }
  }
  return {};
}

}  // namespace holdfast::mcp
