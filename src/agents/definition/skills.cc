#include "definition/skills.h"

#include <algorithm>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "base/byte_order_mark.h"
#include "base/sha256.h"
#include "base/text.h"
#include "definition/definition.h"
#include "spec/yaml_documents.h"
#include "spec/yaml_reader.h"

namespace holdfast::agent {

namespace {

constexpr std::size_t kMaxSkillName = 64;
constexpr std::size_t kMaxSkillDescription = 1024;
constexpr std::size_t kMaxPath = 200;

bool is_skill_name(std::string_view name) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789-";
  return !name.empty() && name.size() <= kMaxSkillName &&
         name.find_first_not_of(kLetters) == std::string_view::npos && name.front() != '-' &&
         name.back() != '-';
}

// Within the folder, and written in one way only.
bool is_inner_path(std::string_view path) {
  if (path.empty() || path.size() > kMaxPath || !is_utf8(path)) return false;
  while (!path.empty()) {
    const std::size_t end = path.find('/');
    const std::string_view part = path.substr(0, end);
    if (part.empty() || part == "." || part == ".." || part.find('\\') != std::string_view::npos)
      return false;
    if (end == std::string_view::npos) return true;
    path.remove_prefix(end + 1);
  }
  return false;  // a slash at the end
}

// The text between the two lines `---` at the beginning.
std::optional<std::string> front_matter(std::string_view text) {
  text = behind_byte_order_mark(text);
  const std::size_t first = text.find('\n');
  if (first == std::string_view::npos || text.substr(0, 3) != "---") return std::nullopt;
  for (std::size_t at = first + 1; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line == "---") return std::string(text.substr(first + 1, at - first - 1));
    at = end + 1;
  }
  return std::nullopt;
}

Status read_front_matter(const std::string& text, Skill& out) {
  const auto wrong = [](std::string what) {
    return Status(Code::kInvalidArgument, fmt::format("{}: {}", kSkillFile, what));
  };
  const std::optional<std::string> front = front_matter(text);
  if (!front) return wrong("begin with `---`, `name` and `description`, and another `---`");
  try {
    const YAML::Node node = spec::yaml_document(*front);
    if (!node.IsMap()) return wrong("what stands between the `---` is no mapping");
    if (node["name"] && node["name"].IsScalar()) out.name = node["name"].Scalar();
    if (node["description"] && node["description"].IsScalar()) out.description = node["description"].Scalar();
  } catch (const YAML::Exception& broken) {
    return wrong(fmt::format("broken YAML: {}", broken.msg));
  }
  if (!is_skill_name(out.name))
    return wrong("`name` may hold lower-case letters, digits and `-`, 64 at most");
  if (out.description.empty() || out.description.size() > kMaxSkillDescription)
    return wrong(fmt::format("`description` must say when the skill is of use, in {} bytes at most",
                             kMaxSkillDescription));
  return {};
}

Status check_files(const std::map<std::string, std::string>& files) {
  if (files.size() > kMaxSkillFiles)
    return {Code::kInvalidArgument,
            fmt::format("a skill may have {} files, not {}", kMaxSkillFiles, files.size())};
  for (const auto& [path, text] : files) {
    if (!is_inner_path(path))
      return {Code::kInvalidArgument, fmt::format("`{}` is no path within the folder of a skill", path)};
    if (text.size() > kMaxSkillFileBytes) {
      return {Code::kInvalidArgument,
              fmt::format("{} has {} bytes, and {} are allowed: leave data out of a skill", path, text.size(),
                          kMaxSkillFileBytes)};
    }
    if (!is_utf8(text) || text.find('\0') != std::string::npos)
      return {Code::kInvalidArgument, fmt::format("{} is no text, and a skill is made of texts", path)};
  }
  return {};
}

void parse_skill(spec::YamlProblems& problems, const YAML::Node& node, const std::string& path,
                 std::vector<Skill>& out) {
  spec::MapReader in(problems, node, path);
  Skill skill;
  skill.path = in.text("path");
  const std::string name = in.text("name");
  const std::string sha256 = in.text("sha256");
  std::map<std::string, std::string> files;
  for (auto& [file, text] : in.text_map("files")) files[file] = std::move(text);
  if (skill.path.empty() == files.empty()) {
    in.problem(skill.path.empty() ? "files" : "path",
               "a skill has `path`, its folder, or `files`, its texts");
  } else if (!files.empty()) {
    Result<Skill> read = skill_of(std::move(files));
    if (!read) {
      in.problem("files", read.error().message());
    } else if (!sha256.empty() && sha256 != read->sha256) {
      in.problem("sha256", fmt::format("the texts have another one: {}", read->sha256));
    } else if (!name.empty() && name != read->name) {
      in.problem("name", fmt::format("the skill calls itself `{}`", read->name));
    } else {
      skill = *std::move(read);
    }
  }
  in.finish();
  const auto same = [&](const Skill& other) { return !skill.name.empty() && other.name == skill.name; };
  if (std::any_of(out.begin(), out.end(), same))
    in.problem("name", fmt::format("there is a skill `{}` already", skill.name));
  out.push_back(std::move(skill));
}

}  // namespace

Result<Skill> skill_of(std::map<std::string, std::string> files) {
  if (Status status = check_files(files); !status.ok()) return fail(std::move(status));
  const auto main = files.find(std::string(kSkillFile));
  if (main == files.end()) return fail(Code::kInvalidArgument, fmt::format("there is no {}", kSkillFile));
  Skill out;
  if (Status status = read_front_matter(main->second, out); !status.ok()) return fail(std::move(status));
  Sha256 hash;
  for (const auto& [path, text] : files) {
    for (const std::string& part : {path, text}) {
      hash.update(fmt::format("{}:", part.size()));
      hash.update(part);
    }
  }
  out.sha256 = hash.hex();
  out.files = std::move(files);
  return out;
}

void parse_skills(spec::MapReader& spec, AgentDefinition& definition) {
  std::size_t index = 0;
  std::size_t bytes = 0;
  for (const YAML::Node& node : spec.list("skills", kMaxSkills)) {
    parse_skill(spec.problems(), node, fmt::format("spec.skills[{}]", index++), definition.skills);
    for (const auto& [path, text] : definition.skills.back().files) bytes += path.size() + text.size();
  }
  if (bytes > kMaxSkillBytes) {
    spec.problem("skills", fmt::format("{} bytes of skills, at most {} are allowed", bytes, kMaxSkillBytes));
  }
}

nlohmann::json skills_json(const std::vector<Skill>& skills) {
  nlohmann::json out = nlohmann::json::array();
  for (const Skill& skill : skills) {
    if (!skill.path.empty()) {
      out.push_back({{"path", skill.path}});
    } else {
      out.push_back({{"name", skill.name}, {"sha256", skill.sha256}, {"files", skill.files}});
    }
  }
  return out;
}

}  // namespace holdfast::agent
