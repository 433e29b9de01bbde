#include "app/skill_folder.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "activities/catalog.h"
#include "app/input_file.h"
#include "base/json.h"
#include "spec/yaml_documents.h"
#include "spec/yaml_reader.h"

namespace holdfast::app {

namespace fs = std::filesystem;

namespace {

bool names_folders(const agent::AgentDefinition& definition) {
  for (const agent::Skill& skill : definition.skills) {
    if (!skill.path.empty()) return true;
  }
  return false;
}

Result<agent::Skill> read_skill(const fs::path& folder) {
  auto files = read_skill_folder(folder);
  if (!files) return fail(files.error());
  auto skill = agent::skill_of(*std::move(files));
  if (!skill)
    return fail(skill.error().code(), fmt::format("{}: {}", folder.string(), skill.error().message()));
  return skill;
}

}  // namespace

Result<std::map<std::string, std::string>> read_skill_folder(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error))
    return fail(Code::kNotFound, fmt::format("{}: there is no such folder of a skill", folder.string()));
  std::map<std::string, std::string> out;
  fs::recursive_directory_iterator at(folder, error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    if (at->path().filename().string().starts_with('.')) {
      if (at->is_directory()) at.disable_recursion_pending();
      continue;
    }
    if (fs::is_symlink(at->symlink_status())) {
      return fail(Code::kInvalidArgument,
                  fmt::format("{} is a link: a skill is what is in its folder", at->path().string()));
    }
    if (at->is_directory()) continue;
    if (out.size() == agent::kMaxSkillFiles) {
      return fail(Code::kInvalidArgument,
                  fmt::format("{} holds more than {} files", folder.string(), agent::kMaxSkillFiles));
    }
    auto text = read_file(at->path().string(), agent::kMaxSkillFileBytes);
    if (!text) return fail(text.error());
    out[at->path().lexically_relative(folder).generic_string()] = *std::move(text);
  }
  if (error)
    return fail(Code::kInvalidArgument, fmt::format("cannot read {}: {}", folder.string(), error.message()));
  return out;
}

Result<std::string> with_skills(const std::string& file, std::string text) {
  const std::string base = folder_of(file);
  const auto definition = agent::parse_definition(text, file, base);
  if (!definition || !names_folders(*definition)) return text;
  spec::YamlProblems problems(file);
  std::size_t nodes = spec::kMaxYamlNodes;
  nlohmann::json document = spec::yaml_to_json(spec::yaml_document(text), problems, nodes);
  nlohmann::json& skills = document["spec"]["skills"];
  for (std::size_t i = 0; i < definition->skills.size(); ++i) {
    const std::string& path = definition->skills[i].path;
    if (path.empty()) continue;
    const fs::path folder = (fs::path(base) / path).lexically_normal();
    auto skill = read_skill(folder.has_filename() ? folder : folder.parent_path());
    if (!skill) return fail(skill.error().code(), fmt::format("{}: {}", file, skill.error().message()));
    skills[i] = {{"name", skill->name}, {"sha256", skill->sha256}, {"files", skill->files}};
  }
  if (!problems.empty()) return text;
  return dump_json(document);
}

}  // namespace holdfast::app
