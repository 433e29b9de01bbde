#include "openapi/import.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "definition/definition.h"
#include "openapi/operation.h"
#include "openapi/yaml_text.h"

namespace holdfast::openapi {

namespace {

std::string agent_name(std::string_view title) {
  std::string out;
  for (const char c : title) {
    if (std::isalnum(static_cast<unsigned char>(c)))
      out += static_cast<char>(std::tolower(c));
    else if (!out.empty() && out.back() != '-')
      out += '-';
    if (out.size() >= 60) break;
  }
  while (out.ends_with('-')) out.pop_back();
  return out.empty() ? "imported" : out;
}

std::string variable_prefix(std::string_view name) {
  std::string out;
  for (const char c : name)
    out += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  if (std::isdigit(static_cast<unsigned char>(out.front()))) out = "API_" + out;
  return out + "_";
}

// `{port}` in the URL of a server by its default; one without stays, and the URL is refused.
std::string with_defaults(std::string url, const Json& variables) {
  if (!variables.is_object()) return url;
  for (const auto& [name, variable] : variables.items()) {
    if (!member(variable, "default").is_string()) continue;
    const std::string placeholder = "{" + name + "}";
    const std::string value = text_of(variable, "default");
    if (const std::size_t at = url.find(placeholder); at != std::string::npos)
      url.replace(at, placeholder.size(), value);
  }
  return url;
}

// Of the first of `servers`, unless the options say otherwise.
Result<std::string> server_url(const Json& servers, const ImportOptions& options) {
  const auto is_absolute = [](std::string_view url) {
    return url.starts_with("http://") || url.starts_with("https://");
  };
  std::string url = options.server.value_or("");
  if (url.empty() && servers.is_array() && !servers.empty())
    url = with_defaults(text_of(servers[0], "url"), member(servers[0], "variables"));
  if (!is_absolute(url) && is_absolute(options.source)) {
    const std::size_t host_end = options.source.find('/', options.source.find("://") + 3);
    if (url.empty() || url.starts_with('/')) url = options.source.substr(0, host_end) + url;
  }
  if (!is_absolute(url) || url.find_first_of("{}? #") != std::string::npos) {
    return fail(
        Code::kInvalidArgument,
        fmt::format("{}: it names no server that can be called ({}); say which with --server https://...",
                    options.source, url.empty() ? "`servers` is empty" : "`" + url.substr(0, 200) + "`"));
  }
  while (url.ends_with('/')) url.pop_back();
  return url;
}

// A path or an operation may have servers of its own, uploads for example. What the document says of them is
// meant for them alone, and so is what is sent there.
Result<ToolEntry> tool_at_its_server(const Document& document, const Operation& operation,
                                     const ImportOptions& options, Place place) {
  for (const Json* holder : {operation.node, operation.item}) {
    const Json& servers = member(*holder, "servers");
    if (!servers.is_array() || servers.empty()) continue;
    auto url = server_url(servers, options);
    if (!url) return fail(url.error());
    place.url = *std::move(url);
    break;
  }
  return tool_of(document, operation, place);
}

Result<std::vector<Operation>> selected(const Document& document, const ImportOptions& options) {
  std::vector<Operation> all = operations_of(document);
  if (options.select.empty()) return all;
  std::vector<std::string> names;
  for (const Operation& one : all) names.push_back(one.id);
  std::vector<Operation> out;
  for (const std::string& id : options.select) {
    const auto found = std::find(names.begin(), names.end(), id);
    if (found == names.end()) {
      const std::string_view near = spec::nearest_name(id, names);
      return fail(Code::kInvalidArgument,
                  fmt::format("{}: there is no operation `{}`{}", options.source, id,
                              near.empty() ? "" : fmt::format("; did you mean `{}`?", near)));
    }
    out.push_back(all[static_cast<std::size_t>(found - names.begin())]);
  }
  return out;
}

Json definition_of(const Document& document, const std::string& name, Json tools) {
  const std::string title = text_of(member(document.root(), "info"), "title");
  Json out = {{"apiVersion", "holdfast.dev/v1"}, {"kind", "Agent"}, {"metadata", {{"name", name}}}};
  out["spec"] = {
      {"model", {{"provider", "openai"}, {"name", "gpt-4o-mini"}, {"api_key_env", "OPENAI_API_KEY"}}},
      {"prompt", fmt::format("You work with {}.", title.empty() ? "an API" : cut_text(to_utf8(title), 200))},
      {"tools", std::move(tools)}};
  return out;
}

}  // namespace

Result<Imported> import_tools(std::string_view text, const ImportOptions& options) {
  auto document = Document::read(text, options.source);
  if (!document) return fail(document.error());
  auto url = server_url(member(document->root(), "servers"), options);
  if (!url) return fail(url.error());
  auto operations = selected(*document, options);
  if (!operations) return fail(operations.error());
  const std::string name =
      options.name.value_or(agent_name(text_of(member(document->root(), "info"), "title")));
  const Place place{*url, variable_prefix(name)};
  Imported out;
  Json tools = Json::array();
  std::set<std::string> names;
  for (const Operation& operation : *operations) {
    auto made = tool_at_its_server(*document, operation, options, place);
    if (!made) {
      // What was asked for by name must come.
      if (!options.select.empty())
        return fail(Code::kInvalidArgument,
                    fmt::format("{}: `{}`: {}", options.source, operation.id, made.error().message()));
      out.notes.push_back(fmt::format("`{}` is left out: {}", operation.id, made.error().message()));
      continue;
    }
    if (!names.insert(made->tool["name"].get<std::string>()).second) {
      out.notes.push_back(fmt::format("`{}` is left out: another operation has its name", operation.id));
      continue;
    }
    for (const std::string& note : made->notes)
      out.notes.push_back(fmt::format("`{}`: {}", operation.id, note));
    tools.push_back(std::move(made->tool));
    if (tools.size() > agent::kMaxTools) {
      return fail(
          Code::kInvalidArgument,
          fmt::format(
              "{}: it has {} operations, an agent at most {} tools; name those it needs with --select",
              options.source, operations->size(), agent::kMaxTools));
    }
  }
  if (tools.empty()) {
    return fail(Code::kInvalidArgument,
                fmt::format("{}: no operation of it can be a tool{}{}", options.source,
                            out.notes.empty() ? "" : ": ", out.notes.empty() ? "" : out.notes.front()));
  }
  out.tools = tools.size();
  out.yaml = yaml_text(options.tools_only ? Json{{"tools", tools}} : definition_of(*document, name, tools));
  if (out.yaml.size() > agent::kMaxDefinitionBytes) {
    return fail(Code::kInvalidArgument,
                fmt::format("{}: the tools take {} bytes, a definition at most {}; name fewer with --select",
                            options.source, out.yaml.size(), agent::kMaxDefinitionBytes));
  }
  return out;
}

}  // namespace holdfast::openapi
