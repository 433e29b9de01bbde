#include "activities/settings.h"

#include <fmt/format.h>

#include "activities/catalog.h"
#include "base/json.h"
#include "net/reach.h"
#include "platform/run_environment.h"
#include "spec/yaml_documents.h"
#include "spec/yaml_reader.h"

namespace holdfast::agent {

namespace {

Status check_granted(const std::vector<Notified>& notified, const grant::Permits& permits) {
  std::string message;
  std::vector<Status> refused;
  for (const Notified& one : notified) {
    for (const Need& need : one.message.type->needs(one.message)) {
      Status status = permits.check(need);
      if (status.ok()) continue;
      message += fmt::format("{}notify: {}", message.empty() ? "" : "\n", status.message());
      refused.push_back(std::move(status));
    }
  }
  if (refused.empty()) return {};
  Status out(Code::kPermissionDenied, std::move(message));
  for (const Status& one : refused) net::add_missing_grants(out, one);
  return out;
}

}  // namespace

std::string settings_text(const RunSettings& settings) {
  Json out = Json::object();
  if (!settings.context.is_null()) out["context"] = settings.context;
  if (!settings.notify.is_null()) out["notify"] = settings.notify;
  if (!settings.environment.empty()) out[std::string(platform::kEnvironmentSetting)] = settings.environment;
  if (!settings.started_by.empty()) out["started_by"] = settings.started_by;
  return out.empty() ? std::string() : dump_json(out);
}

Result<RunSettings> read_settings(std::string_view text) {
  RunSettings out;
  if (text.empty()) return out;
  auto json = read_json(text, kMaxJsonDepth, Integers::kExact);
  if (!json) return fail(json.error());
  if (!json->is_object()) return fail(Code::kInvalidArgument, "the settings of a run are an object");
  if (json->contains("context")) out.context = (*json)["context"];
  if (json->contains("notify")) out.notify = (*json)["notify"];
  out.environment = platform::environment_in(text);
  if (const auto by = json->find("started_by"); by != json->end() && by->is_string()) out.started_by = *by;
  return out;
}

Result<Json> notify_list(std::string_view text, std::string_view source) {
  if (text.size() > kMaxNotifyBytes)
    return fail(Code::kInvalidArgument, fmt::format("{} is larger than {} bytes", source, kMaxNotifyBytes));
  spec::YamlProblems problems(source);
  Json out;
  try {
    const YAML::Node root = spec::yaml_document(std::string(text));
    std::size_t nodes_left = spec::kMaxYamlNodes;
    out = spec::yaml_to_json(root, problems, nodes_left);
    if (!out.is_array()) problems.add(root.Mark(), "a list is expected, as `notify` of agent.yaml has it");
  } catch (const YAML::Exception& broken) {
    problems.add(broken.mark, fmt::format("broken YAML: {}", broken.msg));
  }
  if (!problems.empty()) return fail(problems.status());
  return out;
}

Status check_settings(const platform::Definition& definition, std::string_view text,
                      const grant::Grants& grants) {
  // Most runs bind nothing, and reading a definition takes its time.
  if (text.empty() && definition.text.find("\"bind\":") == std::string::npos) return {};
  const auto settings = read_settings(text);
  if (!settings) return settings.error();
  const auto agent = parse_definition(definition.text, definition.name);
  if (!agent) return agent.error();
  if (Status status = check_context(*agent, settings->context); !status.ok()) return status;
  const auto notified = read_notify(agent_catalog(), settings->notify);
  if (!notified) return notified.error();
  return check_granted(*notified, *grants.of(definition.hash));
}

}  // namespace holdfast::agent
