// load_skill and read_skill_file: what a skill of the definition says, when the model wants to know. Scripts
// in it are texts like others: nothing of a skill is run.

#include <algorithm>

#include <fmt/format.h>

#include "activities/builtin_tools.h"

namespace holdfast::agent {

namespace {

bool offered(const AgentDefinition& agent) {
  return !agent.skills.empty();
}

const Skill* find_skill(const AgentDefinition& agent, std::string_view name) {
  const auto found = std::find_if(agent.skills.begin(), agent.skills.end(),
                                  [name](const Skill& skill) { return skill.name == name; });
  return found == agent.skills.end() ? nullptr : &*found;
}

ToolEnding no_skill(const AgentDefinition& agent, std::string_view name) {
  std::string names;
  for (const Skill& skill : agent.skills) names += (names.empty() ? "" : ", ") + skill.name;
  return {Ending::kFailed, fmt::format("there is no skill `{}`; there are: {}", name, names)};
}

std::string file_list(const Skill& skill) {
  std::string out;
  for (const auto& [path, unused] : skill.files) {
    if (path != kSkillFile) out += (out.empty() ? "" : ", ") + path;
  }
  return out;
}

std::string describe(const AgentDefinition& agent) {
  std::string out =
      "Loads the instructions of a skill. Do so before you begin a task that one of these is about:";
  for (const Skill& skill : agent.skills) out += fmt::format("\n- {}: {}", skill.name, skill.description);
  return out;
}

ToolEnding load(const BuiltinCall& call) {
  const std::string name = call.arguments.value("name", "");
  const Skill* skill = find_skill(call.agent, name);
  if (!skill) return no_skill(call.agent, name);
  std::string text = skill->files.at(std::string(kSkillFile));
  if (const std::string files = file_list(*skill); !files.empty()) {
    text += fmt::format(
        "\n\n[Other files of this skill, to read with read_skill_file: {}. Scripts among them "
        "cannot be run here.]",
        files);
  }
  return {Ending::kDone, std::move(text)};
}

ToolEnding read(const BuiltinCall& call) {
  const std::string name = call.arguments.value("skill", "");
  const Skill* skill = find_skill(call.agent, name);
  if (!skill) return no_skill(call.agent, name);
  const std::string file = call.arguments.value("file", "");
  const auto found = skill->files.find(file);
  if (found == skill->files.end()) {
    return {Ending::kFailed,
            fmt::format("the skill `{}` has no file `{}`; it has: {}", name, file, file_list(*skill))};
  }
  return {Ending::kDone, found->second};
}

}  // namespace

constinit const BuiltinTool kLoadSkill{.name = "load_skill",
                                       .description = "Loads the instructions of a skill.",
                                       .parameters = R"json({
  "type": "object",
  "required": ["name"],
  "additionalProperties": false,
  "properties": {"name": {"type": "string", "maxLength": 64, "description": "Of the skill."}}
})json",
                                       .offered = offered,
                                       .run = load,
                                       .describe = describe};

constinit const BuiltinTool kReadSkillFile{.name = "read_skill_file",
                                           .description = "Reads a file that belongs to a skill.",
                                           .parameters = R"json({
  "type": "object",
  "required": ["skill", "file"],
  "additionalProperties": false,
  "properties": {
    "skill": {"type": "string", "maxLength": 64, "description": "The skill's name."},
    "file": {"type": "string", "maxLength": 200, "description": "The file's path, as load_skill named it."}
  }
})json",
                                           .offered = offered,
                                           .run = read};

}  // namespace holdfast::agent
