// One function per kind of node, and the table of them.

#include "intake/n8n_nodes.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/json.h"

namespace holdfast::flows {

namespace {

using Json = nlohmann::ordered_json;

bool is_empty(const Json& value) {
  return value.is_null() || value == Json(false) || value == Json("") ||
         (value.is_structured() && value.empty());
}

// ---- Edit Fields (`set`)

struct Field {
  std::string name;
  Json value;
};

std::vector<Field> fields_of(N8nStep& step) {
  std::vector<Field> out;
  const auto add = [&](const Json& one) {
    if (!one.is_object()) return;
    Json value = value_in(one, "value");
    for (const auto& [key, typed] : one.items()) {
      if (key.ends_with("Value") && value.is_null()) value = typed;
    }
    out.push_back({text_in(one, "name"), std::move(value)});
  };
  const Json assignments = step.parameters.take("assignments");
  if (assignments.is_object()) {
    for (const Json& one : value_in(assignments, "assignments")) add(one);
  }
  const Json fields = step.parameters.take("fields");
  if (fields.is_object()) {
    for (const Json& one : value_in(fields, "values")) add(one);
  }
  const Json values = step.parameters.take("values");
  if (values.is_object()) {
    for (const auto& [type, list] : values.items()) {
      for (const Json& one : list) add(one);
    }
  }
  return out;
}

bool keeps_others(N8nStep& step) {
  const double version = version_of(step.node);
  const Json only_set = step.parameters.take("keepOnlySet");
  const Json includes = step.parameters.take("includeOtherFields");
  const std::string include = step.parameters.text("include");
  if (version < 3) return only_set != Json(true);
  return includes == Json(true) || include == "all";
}

void map_set(N8nStep& step) {
  const std::string mode = step.parameters.text("mode", "manual");
  step.parameters.take("duplicateItem");
  if (mode == "raw") {
    const Json output = step.parameters.take("jsonOutput");
    const std::string text = output.is_string() ? output.get<std::string>() : "";
    const Json tree =
        text.starts_with('=') ? Json(nlohmann::json::value_t::discarded) : parse_json<Json>(text);
    step.type = "transform";
    if (!tree.is_discarded()) {
      step.with = {{"value", step.value(tree).text}};
      return;
    }
    step.check.push_back("its JSON is put together as a text; check that it is the value that is meant");
    step.type = "code";
    step.with = {
        {"code", fmt::format("const made = {};\nreturn typeof made === \"string\" ? JSON.parse(made) : made;",
                             step.value(output).code)}};
    return;
  }
  const std::vector<Field> fields = fields_of(step);
  if (!keeps_others(step)) {
    Json value = Json::object();
    for (const Field& one : fields) value[one.name] = step.value(one.value).text;
    step.type = "transform";
    step.with = {{"value", std::move(value)}};
    return;
  }
  std::string code = fmt::format("return {{\n  ...({}),\n", step.names.json);
  for (const Field& one : fields)
    code += fmt::format("  {}: {},\n", dump_json(Json(one.name)), step.value(one.value).code);
  step.type = "code";
  step.with = {{"code", code + "};"}};
}

// ---- code

void map_code(N8nStep& step) {
  if (const std::string language = step.parameters.text("language", "javaScript"); language != "javaScript")
    return step.give_up(fmt::format(
        "code in {}: it names what n8n has; write it anew, with `language: python` for Python", language));
  std::string source = step.parameters.text("jsCode");
  const std::string older = step.parameters.text("functionCode");
  if (source.empty()) source = older;
  const bool each = step.parameters.text("mode") == "runOnceForEachItem" || step.node.kind == "functionItem";
  N8nNames names = step.names;
  names.json = each ? "n8nItem.json" : "n8nItems[0].json";
  names.items = each ? "[n8nItem]" : "n8nItems";
  N8nCode made = convert_code(source, names);
  for (const std::string& one : made.unknown) step.left_out.push_back(fmt::format("`{}` in its code", one));
  for (const char* word : {"require(", "this.helpers", "fetch(", "axios", "new Date(", "Date.now",
                           "Math.random", "setTimeout"}) {
    if (source.find(word) != std::string::npos)
      step.left_out.push_back(
          fmt::format("`{}` in its code: code of a flow has neither network nor clock nor chance", word));
  }
  // What comes in as n8n's items: copies, which its code may change.
  std::string code = fmt::format(
      "const n8nCame = {};\n"
      "const n8nItems = (Array.isArray(n8nCame) ? n8nCame : [n8nCame]).map((json) =>\n"
      "  ({{json: json !== null && typeof json === \"object\" ? {{...json}} : json}}));\n",
      step.names.json);
  if (each) {
    code +=
        "const made = [];\nfor (const n8nItem of n8nItems) {\n  const item = n8nItem, items = [n8nItem];\n";
    code += "  made.push(await (async () => {\n" + made.code + "\n  })());\n}\n";
  } else {
    code += "const items = n8nItems, item = n8nItems[0];\n";
    code += "const made = await (async () => {\n" + made.code + "\n})();\n";
  }
  code += "const json = (one) => one?.json ?? one;\n";
  code +=
      "if (!Array.isArray(made)) return json(made);\nreturn made.length === 1 ? json(made[0]) : "
      "made.map(json);";
  step.type = "code";
  step.with = {{"code", std::move(code)}};
}

// ---- the rest

void map_no_op(N8nStep& step) {
  step.type = "transform";
  step.with = {{"value", "{{ " + step.names.json + " }}"}};
}

void map_merge(N8nStep& step) {
  const std::string mode = step.parameters.text("mode", "append");
  if (mode != "append" && mode != "passThrough" && mode != "wait")
    step.left_out.push_back(
        fmt::format("how it merges (`{}`): the join only waits; blocks behind it name what they need", mode));
  step.type = "join";
}

void map_wait(N8nStep& step) {
  const std::string resume = step.parameters.text("resume", "timeInterval");
  if (resume != "timeInterval") return step.give_up(fmt::format("a wait until `{}`", resume));
  const Json amount = step.parameters.take("amount");
  static const std::map<std::string, std::string, std::less<>> kUnits = {
      {"seconds", "s"}, {"minutes", "m"}, {"hours", "h"}, {"days", "d"}};
  const auto unit =
      kUnits.find(step.parameters.text("unit", version_of(step.node) < 1.1 ? "hours" : "seconds"));
  if (unit == kUnits.end() || !(amount.is_number_unsigned() || amount.is_null()))
    return step.give_up("a wait whose time is computed, or is no whole number");
  // What n8n waits when nothing is said.
  const std::uint64_t otherwise = version_of(step.node) < 1.1 ? 1 : 5;
  const std::uint64_t count = amount.is_null() ? otherwise : amount.get<std::uint64_t>();
  step.type = "wait";
  step.with = {{"duration", fmt::format("{}{}", std::max<std::uint64_t>(count, 1), unit->second)}};
}

void map_respond(N8nStep& step) {
  const std::string kind = step.parameters.text("respondWith", "firstIncomingItem");
  const Json body = step.parameters.take("responseBody");
  step.type = "respond";
  if (kind == "firstIncomingItem" || kind == "allIncomingItems" || body.is_null()) {
    step.with = {{"value", kind == "noData" ? Json() : Json("{{ " + step.names.json + " }}")}};
    return;
  }
  Json value = body;
  if (body.is_string() && kind == "json" && !body.get<std::string>().starts_with('=')) {
    if (Json read = parse_json<Json>(body.get<std::string>()); !read.is_discarded()) value = std::move(read);
  }
  const N8nValue made = step.value(value);
  if (kind == "json" && made.computed)
    step.check.push_back("its JSON may be a text: a single {{ expression }} is the value itself");
  step.with = {{"value", made.text}};
}

void map_sql(N8nStep& step) {
  const std::string operation = step.parameters.text("operation", "executeQuery");
  const Json query = step.parameters.take("query");
  const N8nValue statement = step.value(query);
  if (operation != "executeQuery" || !query.is_string() || statement.computed || step.node.kind == "mySql" ||
      step.node.kind == "microsoftSql")
    return step.give_up(
        fmt::format("`{}` of {}: a sql block has a whole statement, with :name for what is computed",
                    operation, step.node.kind));
  step.check.push_back(
      "its database was a credential: write its address instead of postgres://localhost/database");
  const std::string text = statement.text.get<std::string>();
  std::string lower = text.substr(0, 6);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  });
  Json sql = {{"database", "postgres://localhost/database"}, {"statement", text}};
  if (lower != "select") sql["read_only"] = false;
  step.type = "sql";
  step.with = {{"sql", std::move(sql)}};
}

void map_stop(N8nStep& step) {
  const N8nValue message = step.value(step.parameters.take("errorMessage"));
  step.parameters.take("errorType");
  step.type = "code";
  step.with = {{"code", fmt::format("throw new Error({});", message.code)}};
}

struct Row {
  std::string_view type;
  N8nMapping map;
};
constexpr Row kRows[] = {
    {"n8n-nodes-base.set", map_set},
    {"n8n-nodes-base.code", map_code},
    {"n8n-nodes-base.function", map_code},
    {"n8n-nodes-base.functionItem", map_code},
    {"n8n-nodes-base.if", map_if},
    {"n8n-nodes-base.filter", map_filter},
    {"n8n-nodes-base.switch", map_switch},
    {"n8n-nodes-base.merge", map_merge},
    {"n8n-nodes-base.noOp", map_no_op},
    {"n8n-nodes-base.wait", map_wait},
    {"n8n-nodes-base.httpRequest", map_http},
    {"n8n-nodes-base.postgres", map_sql},
    {"n8n-nodes-base.respondToWebhook", map_respond},
    {"n8n-nodes-base.stopAndError", map_stop},
    {"@n8n/n8n-nodes-langchain.agent", map_agent},
    {"@n8n/n8n-nodes-langchain.chainLlm", map_agent},
    {"@n8n/n8n-nodes-langchain.openAi", map_agent},
};

}  // namespace

std::string text_in(const Json& object, const char* key) {
  const Json found = value_in(object, key);
  return found.is_string() ? found.get<std::string>() : "";
}

Json value_in(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? Json() : *found;
}

double version_of(const N8nNode& node) {
  const Json found = value_in(node.raw, "typeVersion");
  return found.is_number() ? found.get<double>() : 1;
}

bool is_on(const N8nNode& node, const char* flag) {
  return value_in(node.raw, flag) == Json(true);
}

Json N8nParameters::take(const std::string& key) {
  taken_.insert(key);
  const auto found = value_.find(key);
  return found == value_.end() ? Json() : *found;
}

std::string N8nParameters::text(const std::string& key, const std::string& fallback) {
  const Json found = take(key);
  return found.is_string() ? found.get<std::string>() : fallback;
}

Json N8nParameters::rest() const {
  Json out = Json::object();
  for (const auto& [key, value] : value_.items()) {
    if (!taken_.contains(key) && !is_empty(value)) out[key] = value;
  }
  return out;
}

N8nValue N8nStep::value(const Json& from) {
  N8nValue out = convert_value(from, names);
  for (const std::string& one : out.unknown) left_out.push_back(fmt::format("`{}` in an expression", one));
  return out;
}

void N8nStep::give_up(std::string why) {
  understood = false;
  type = "code";
  with = {{"code", fmt::format("throw new Error({});",
                               dump_json(Json(fmt::format("not imported: {} ({})", node.name, node.type))))}};
  left_out.push_back(std::move(why));
}

N8nMapping mapping_of(std::string_view type) {
  const auto at = std::ranges::find(kRows, type, &Row::type);
  return at == std::end(kRows) ? nullptr : at->map;
}

bool passes_through(const N8nNode& node) {
  static const std::set<std::string, std::less<>> kKinds = {"if",    "filter", "switch",
                                                            "merge", "wait",   "splitInBatches"};
  return kKinds.contains(node.kind) || is_on(node, "disabled");
}

}  // namespace holdfast::flows
