#include "definition/notify.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "protocol/activities.h"
#include "spec/yaml_reader.h"

namespace holdfast::agent {

namespace {

using protocol::NotifyEvent;

constexpr NotifyEvent kEvents[] = {NotifyEvent::kCompleted, NotifyEvent::kFailed, NotifyEvent::kApproval,
                                   NotifyEvent::kDecided};

std::uint32_t bit(NotifyEvent event) {
  return static_cast<std::uint32_t>(event);
}

// What a message may name; what there is none of is left out.
Json arguments_schema() {
  Json properties = Json::object();
  for (const char* name :
       {"event", "run", "agent", "version", "subject", "text", "output", "error_type", "error", "approval",
        "tool", "arguments", "reason", "expires_at", "link", "outcome", "decided_by", "comment", "answer"})
    properties[name] = Json::object();
  return {{"type", "object"}, {"properties", std::move(properties)}};
}

std::uint32_t parse_events(spec::MapReader& in) {
  std::uint32_t out = 0;
  if (!in.has("on")) in.missing("on", "a list of completed, failed, approval, decided");
  for (const YAML::Node& node : in.list("on", 8)) {
    bool known = false;
    for (const NotifyEvent event : kEvents) {
      if (!node.IsScalar() || node.Scalar() != to_string(event)) continue;
      out |= bit(event);
      known = true;
    }
    if (!known) in.problem("on", "lists what is told: completed, failed, approval, decided");
  }
  return out;
}

Notified parse_one(const Catalog& catalog, spec::YamlProblems& problems, const YAML::Node& node,
                   std::string path, std::string_view base_directory) {
  spec::MapReader in(problems, node, std::move(path));
  Notified out;
  out.events = parse_events(in);
  out.recipient = in.text("for");
  if (in.has("for") && (out.events & bit(NotifyEvent::kApproval)) == 0)
    in.problem("for", "is who decides with the link of a message about an approval: add `approval` to `on`");
  if (out.recipient.size() > kMaxRecipientNameBytes ||
      std::any_of(out.recipient.begin(), out.recipient.end(),
                  [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
    in.problem("for", fmt::format("is a name of {} bytes at most, in one line", kMaxRecipientNameBytes));
  std::vector<std::string_view> names;
  std::vector<const ToolType*> types;
  for (const ToolType* type : catalog.tools) {
    if (!type->notifies) continue;
    names.push_back(type->name);
    types.push_back(type);
    in.child(type->name);  // known, so that a section of another type gets the message below
  }
  const auto chosen = in.choice("type", names);
  if (!chosen && !in.has("type")) in.missing("type", fmt::format("{}", fmt::join(names, ", ")));
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (chosen && i != *chosen && in.has(names[i]))
      in.problem(names[i], "does not belong to this `type`; remove it or change `type`");
  }
  if (chosen) {
    out.message.type = types[*chosen];
    out.message.name = "notify";
    out.message.parameters = arguments_schema();
    out.message.timeout = out.message.type->timeout;
    const McpServers none;
    ToolReader reader{in, out.message, false, base_directory, none};
    if (!in.has(out.message.type->name)) {
      in.missing(out.message.type->name, out.message.type->section_needs);
    } else {
      out.message.type->read(reader);
    }
  }
  in.finish();
  return out;
}

}  // namespace

std::vector<Notified> parse_notify(const Catalog& catalog, spec::MapReader& parent,
                                   std::string_view base_directory) {
  std::vector<Notified> out;
  std::size_t index = 0;
  const std::string path = parent.path().empty() ? "notify" : parent.path() + ".notify";
  for (const YAML::Node& node : parent.list("notify", kMaxNotified)) {
    out.push_back(
        parse_one(catalog, parent.problems(), node, fmt::format("{}[{}]", path, index++), base_directory));
  }
  return out;
}

Result<std::vector<Notified>> read_notify(const Catalog& catalog, const Json& list) {
  if (list.is_null()) return std::vector<Notified>();
  const std::string text = dump_json(Json{{"notify", list}});
  if (text.size() > kMaxNotifyBytes)
    return fail(Code::kInvalidArgument, fmt::format("`notify` is larger than {} bytes", kMaxNotifyBytes));
  spec::YamlProblems problems("notify");
  std::vector<Notified> out;
  try {
    spec::MapReader in(problems, YAML::Load(text), "");
    out = parse_notify(catalog, in);
    in.finish();
  } catch (const YAML::Exception& broken) {
    problems.add(broken.mark, broken.msg);
  }
  if (!problems.empty()) return fail(Code::kInvalidArgument, problems.status().message());
  return out;
}

Json notify_json(const std::vector<Notified>& notified) {
  Json out = Json::array();
  for (const Notified& one : notified) {
    Json on = Json::array();
    for (const NotifyEvent event : kEvents) {
      if ((one.events & bit(event)) != 0) on.push_back(to_string(event));
    }
    const ToolType& type = *one.message.type;
    Json entry = {
        {"on", std::move(on)}, {"type", type.name}, {std::string(type.name), type.canonical(one.message)}};
    if (!one.recipient.empty()) entry["for"] = one.recipient;
    out.push_back(std::move(entry));
  }
  return out;
}

std::uint32_t notified_events(const std::vector<Notified>& notified) {
  std::uint32_t out = 0;
  for (const Notified& one : notified) out |= one.events;
  return out;
}

Json notify_schema(const Catalog& catalog) {
  Json types = Json::array();
  Json properties = {
      {"on", {{"type", "array"}, {"items", {{"enum", {"completed", "failed", "approval", "decided"}}}}}},
      {"for",
       {{"type", "string"},
        {"description", "Who decides with the one-time link, {link}, of a message about an approval."}}},
  };
  for (const ToolType* type : catalog.tools) {
    if (!type->notifies) continue;
    types.push_back(type->name);
    properties[std::string(type->name)] =
        Json{{"$ref", "#/$defs/tool/properties/" + std::string(type->name)}};
  }
  properties["type"] = {{"enum", std::move(types)}};
  return {{"type", "array"},
          {"maxItems", kMaxNotified},
          {"items",
           {{"type", "object"},
            {"additionalProperties", false},
            {"required", {"on", "type"}},
            {"properties", std::move(properties)}}}};
}

}  // namespace holdfast::agent
