#include "openapi/operation.h"

#include <algorithm>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "base/sha256.h"
#include "base/text.h"
#include "base/url.h"
#include "openapi/schema.h"
#include "spec/json_schema.h"
#include "spec/written_order.h"

namespace holdfast::openapi {

namespace {

constexpr std::size_t kMaxDescription = 1024;

std::string upper(std::string text) {
  for (char& c : text)
    c = std::isalnum(static_cast<unsigned char>(c)) ? static_cast<char>(std::toupper(c)) : '_';
  return text;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// As a placeholder may be called.
std::string argument_name(const std::string& name) {
  std::string out;
  for (const char c : name) out += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return out.empty() ? "_" : out;
}

bool is_argument_name(const std::string& name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '.';
  });
}

// Whether a value of this schema may be a list or an object, in any of its forms.
bool may_be_structured(const Document& document, const Json& schema, int depth = 0) {
  constexpr int kMaxForms = 4;  // within one another
  const auto found = document.resolved(schema);
  if (!found || !(*found)->is_object() || depth > kMaxForms) return false;
  const Json& type = member(**found, "type");
  for (const char* structured : {"array", "object"}) {
    if (type == structured ||
        (type.is_array() && std::find(type.begin(), type.end(), structured) != type.end()))
      return true;
  }
  for (const char* forms : {"oneOf", "anyOf", "allOf"}) {
    const Json& list = member(**found, forms);
    if (!list.is_array()) continue;
    for (const Json& form : list) {
      if (may_be_structured(document, form, depth + 1)) return true;
    }
  }
  return false;
}

// Puts a tool together, one part of the operation after the other.
class Building {
 public:
  Building(const Document& document, const Operation& operation, const Place& place)
      : document_(document), operation_(operation), place_(place), schemas_(document, out_.notes) {}

  Result<ToolEntry> build();

 private:
  Status add_parameters();
  Status add_parameter(const Json& parameter);
  Status check_path() const;
  Status add_query(const Json& parameter, const std::string& name, Json schema, bool required);
  bool is_structured(const Json& parameter) const {
    return parameter.contains("content") || may_be_structured(document_, member(parameter, "schema"));
  }
  Status add_body();
  Status add_json_body(Json schema, bool required);
  void add_security();
  bool add_scheme(const std::string& name, const Json& scopes);
  bool add_argument(const std::string& name, Json schema, bool required);
  bool has_body() const { return !member(*operation_.node, "requestBody").is_null(); }
  bool reads() const { return operation_.method == "GET" || operation_.method == "HEAD"; }
  std::string variable(std::string_view scheme) const { return place_.prefix + upper(std::string(scheme)); }

  const Document& document_;
  const Operation& operation_;
  const Place& place_;
  ToolEntry out_;
  SchemaReader schemas_;
  std::string path_;
  std::string query_;
  Json parameters_ = {{"type", "object"}, {"properties", Json::object()}};
  Json required_ = Json::array();
  Json headers_ = Json::object();
  Json body_;
  Json auth_;
};

bool Building::add_argument(const std::string& name, Json schema, bool required) {
  if (parameters_["properties"].contains(name)) return false;
  spec::add_property(parameters_, name, std::move(schema));
  if (required) required_.push_back(name);
  return true;
}

Status Building::add_query(const Json& parameter, const std::string& name, Json schema, bool required) {
  const auto skip = [&](std::string_view why) {
    if (required)
      return Status(Code::kInvalidArgument, fmt::format("its query parameter `{}` {}", name, why));
    out_.notes.push_back(fmt::format("the optional query parameter `{}` is left out: it {}", name, why));
    return Status();
  };
  if (is_structured(parameter)) return skip("is no single value");
  // What the URL does not use goes into the query by itself, of a request without a body.
  if ((reads() || (operation_.method == "DELETE" && !has_body())) && is_argument_name(name)) {
    return add_argument(name, std::move(schema), required) ? Status() : skip("has the name of another one");
  }
  if (!required) return skip("would go into the body");
  const std::string argument = argument_name(name);
  if (!add_argument(argument, std::move(schema), true)) return skip("has the name of another one");
  query_ += fmt::format("{}{}={{{}}}", query_.empty() ? "?" : "&", percent_encode(name), argument);
  return {};
}

Status Building::add_parameter(const Json& parameter) {
  const std::string name = text_of(parameter, "name");
  const std::string in = text_of(parameter, "in");
  const bool required = member(parameter, "required") == true;
  auto schema = schemas_.read(parameter.contains("schema") ? parameter["schema"] : Json::object());
  if (!schema) return schema.error();
  if (std::string about = text_of(parameter, "description"); !about.empty() && schema->is_object())
    (*schema)["description"] = std::string(cut_text(to_utf8(about), 500));
  if (in == "path") {
    const std::string argument = argument_name(name);
    const std::size_t at = path_.find("{" + name + "}");
    if (at == std::string::npos) {
      out_.notes.push_back(
          fmt::format("the path parameter `{}` is left out: the path does not have it", name));
      return {};
    }
    const std::string style = text_of(parameter, "style");
    if (is_structured(parameter) || (!style.empty() && style != "simple"))
      return {Code::kInvalidArgument, fmt::format("its path parameter `{}` is no single value", name)};
    if (!add_argument(argument, *std::move(schema), true))
      return {Code::kInvalidArgument, fmt::format("two of its parameters are called `{}`", argument)};
    path_.replace(at, name.size() + 2, "{" + argument + "}");
    return {};
  }
  if (in == "query") return add_query(parameter, name, *std::move(schema), required);
  // A header of a call is the operator's, not the model's; one with a single value can be written down.
  const Json& values = member(*schema, "enum");
  const Json fixed = schema->contains("const")                 ? (*schema)["const"]
                     : values.is_array() && values.size() == 1 ? values[0]
                                                               : member(*schema, "default");
  if (in == "header" && fixed.is_string()) {
    headers_[name] = fixed;
  } else if (required) {
    return {Code::kInvalidArgument, fmt::format("its {} `{}` would be the model's to choose", in, name)};
  } else {
    out_.notes.push_back(fmt::format("the optional {} `{}` is left out", in, name));
  }
  return {};
}

Status Building::add_parameters() {
  // Of the path, unless the operation says otherwise.
  std::vector<std::pair<std::string, const Json*>> all;
  for (const Json* holder : {operation_.item, operation_.node}) {
    const Json& list = member(*holder, "parameters");
    if (!list.is_array()) continue;
    for (const Json& one : list) {
      auto found = document_.resolved(one);
      if (!found) return found.error();
      const std::string key = text_of(**found, "in") + " " + text_of(**found, "name");
      auto same = std::find_if(all.begin(), all.end(), [&](const auto& other) { return other.first == key; });
      if (same == all.end()) {
        all.emplace_back(key, *found);
      } else {
        same->second = *found;
      }
    }
  }
  for (const auto& [unused, parameter] : all) {
    if (Status added = add_parameter(*parameter); !added.ok()) return added;
  }
  return check_path();
}

// One that nobody describes would be refused with the whole definition.
Status Building::check_path() const {
  for (std::size_t at = 0; (at = path_.find('{', at)) != std::string::npos; ++at) {
    const std::string name = path_.substr(at + 1, path_.find('}', at) - at - 1);
    if (!parameters_["properties"].contains(name))
      return {Code::kInvalidArgument,
              fmt::format("its path needs `{}`, which no parameter of it is", cut_text(name, 80))};
  }
  return {};
}

Status Building::add_json_body(Json schema, bool required) {
  const Json& properties = member(schema, "properties");
  bool flat = operation_.method != "DELETE" && text_of(schema, "type") == "object" &&
              properties.is_object() && !member(schema, "additionalProperties").is_object() &&
              member(schema, "additionalProperties") != true;
  for (const auto& [name, unused] : properties.items()) {
    if (!flat) break;
    flat = is_argument_name(name) && !parameters_["properties"].contains(name);
  }
  if (flat) {
    const Json& needed = member(schema, "required");
    for (const std::string& name : spec::property_names(schema)) {
      const Json& inner = properties[name];
      const bool is_needed = required && needed.is_array() &&
                             std::find(needed.begin(), needed.end(), Json(name)) != needed.end();
      add_argument(name, inner, is_needed);
    }
    return {};
  }
  if (!add_argument("body", std::move(schema), required))
    return {Code::kInvalidArgument, "it has a body, and a parameter called `body`"};
  body_ = "{body}";
  return {};
}

Status Building::add_body() {
  auto found = document_.resolved(member(*operation_.node, "requestBody"));
  if (!found) return found.error();
  const Json& body = **found;
  if (body.is_null()) return {};
  if (reads()) {
    out_.notes.push_back(fmt::format("its body is left out: a {} has none", operation_.method));
    return {};
  }
  const Json& content = member(body, "content");
  const bool required = member(body, "required") == true;
  for (const auto& [type, media] : content.items()) {
    if (!content.is_object()) break;
    std::string plain = lower(type.substr(0, type.find(';')));
    if (plain != "application/json" && !plain.ends_with("+json") && plain != "*/*") continue;
    auto schema =
        schemas_.read(media.is_object() && media.contains("schema") ? media["schema"] : Json::object());
    if (!schema) return schema.error();
    return add_json_body(*std::move(schema), required);
  }
  if (required) return {Code::kInvalidArgument, "its body is not JSON"};
  out_.notes.push_back("its optional body is left out: it is not JSON");
  return {};
}

bool Building::add_scheme(const std::string& name, const Json& scopes) {
  const auto found =
      document_.resolved(member(member(member(document_.root(), "components"), "securitySchemes"), name));
  if (!found) return false;
  const Json& scheme = **found;
  const std::string type = text_of(scheme, "type");
  if (type == "http" && lower(text_of(scheme, "scheme")) == "basic") {
    headers_["Authorization"] = fmt::format("Basic ${{{}}}", variable(name));
    return true;
  }
  if (type == "apiKey") {
    if (text_of(scheme, "in") != "header") return false;
    headers_[text_of(scheme, "name")] = fmt::format("${{{}}}", variable(name));
    return true;
  }
  const Json& grant = member(member(scheme, "flows"), "clientCredentials");
  const std::string token_url = text_of(grant, "tokenUrl");
  if (type == "oauth2" && (token_url.starts_with("https://") || token_url.starts_with("http://"))) {
    auth_ = {{"type", "oauth2_client_credentials"},
             {"token_url", token_url},
             {"client_id_env", variable(name + "_client_id")},
             {"client_secret_env", variable(name + "_client_secret")}};
    if (scopes.is_array() && !scopes.empty()) auth_["scopes"] = scopes;
    return true;
  }
  if (type != "http" && type != "oauth2" && type != "openIdConnect") return false;
  headers_["Authorization"] = fmt::format("Bearer ${{{}}}", variable(name));
  return true;
}

// The first alternative whose every scheme can be written down.
void Building::add_security() {
  const Json& own = member(*operation_.node, "security");
  const Json& asked = own.is_array() ? own : member(document_.root(), "security");
  if (!asked.is_array() || asked.empty()) return;
  const Json before = headers_;
  for (const Json& alternative : asked) {
    if (!alternative.is_object()) continue;
    headers_ = before;
    auth_ = nullptr;
    bool whole = true;
    for (const auto& [name, scopes] : alternative.items()) whole = whole && add_scheme(name, scopes);
    if (whole) return;
  }
  headers_ = before;
  auth_ = nullptr;
  out_.notes.push_back(
      "how it wants to know who calls cannot be said in `headers` or `auth`; add it by hand");
}

Result<ToolEntry> Building::build() {
  path_ = operation_.path;
  if (path_.contains('#'))
    return fail(Code::kInvalidArgument, "its path has a `#`, and what follows it is not sent");
  for (const Status& step : {add_parameters(), add_body()}) {
    if (!step.ok()) return fail(step);
  }
  add_security();
  const std::string& method = operation_.method;
  Json& tool = out_.tool;
  std::string about = text_of(*operation_.node, "summary");
  if (std::string more = text_of(*operation_.node, "description"); !more.empty() && more != about)
    about += (about.empty() ? "" : "\n") + more;
  tool = {{"name", tool_name(operation_.id)}, {"type", "http"}};
  if (!about.empty()) tool["description"] = std::string(cut_text(to_utf8(about), kMaxDescription));
  if (!required_.empty()) parameters_["required"] = required_;
  if (auto bad = spec::check_schema(parameters_))
    return fail(Code::kInvalidArgument, "its schema is wrong: " + *bad);
  tool["parameters"] = std::move(parameters_);
  // By HTTP a PUT or DELETE may be repeated; of the others nobody says so.
  if (method == "PUT" || method == "DELETE") tool["effect"] = "idempotent";
  if (method == "POST" || method == "PATCH") tool["effect"] = "at_most_once";
  Json http = {{"method", method}, {"url", place_.url + path_ + query_}};
  if (!headers_.empty()) http["headers"] = headers_;
  if (!body_.is_null()) http["body"] = body_;
  if (!auth_.is_null()) http["auth"] = auth_;
  tool["http"] = std::move(http);
  return std::move(out_);
}

}  // namespace

std::string tool_name(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool kept = std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
    if (kept) out += c;
    if (!kept && !out.empty() && out.back() != '_') out += '_';
  }
  while (out.ends_with('_')) out.pop_back();
  if (out.empty()) out = "call";
  if (out.size() > 64) out = out.substr(0, 55) + "_" + sha256_hex(text).substr(0, 8);
  return out;
}

std::vector<Operation> operations_of(const Document& document) {
  std::vector<Operation> out;
  const Json& paths = member(document.root(), "paths");
  if (!paths.is_object()) return out;
  for (const auto& [path, node] : paths.items()) {
    const auto item = document.resolved(node);
    if (!item || !(*item)->is_object() || !path.starts_with('/')) continue;
    for (const char* method : {"get", "post", "put", "patch", "delete", "head"}) {
      const Json& operation = member(**item, method);
      if (!operation.is_object()) continue;
      Operation one;
      one.method = upper(method);
      one.path = path;
      one.item = *item;
      one.node = &operation;
      one.id = text_of(operation, "operationId");
      if (one.id.empty()) one.id = tool_name(fmt::format("{} {}", method, path));
      out.push_back(std::move(one));
    }
  }
  return out;
}

Result<ToolEntry> tool_of(const Document& document, const Operation& operation, const Place& place) {
  return Building(document, operation, place).build();
}

}  // namespace holdfast::openapi
