#pragma once

// `skills`: folders with a SKILL.md, whose texts are part of the definition, so that its version pins them. A
// model is told their names and descriptions, and reads the rest when it needs it. Nothing of a skill is run.
//
// In a file of an operator a skill is named by its folder; whoever deploys it puts the texts in its place.
// Values and pure functions; any thread.

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "holdfast/status.h"

namespace holdfast::spec {
class MapReader;
}

namespace holdfast::agent {

struct AgentDefinition;

inline constexpr std::size_t kMaxSkills = 32;
inline constexpr std::size_t kMaxSkillFiles = 64;  // of one skill
inline constexpr std::size_t kMaxSkillFileBytes = 64 * 1024;
inline constexpr std::size_t kMaxSkillBytes = 512 * 1024;  // of all skills of a definition
inline constexpr std::string_view kSkillFile = "SKILL.md";

struct Skill {
  std::string path;  // the folder, as long as its texts are not here; then there is nothing else
  std::string name;
  std::string description;
  std::string sha256;                        // over the names and the texts
  std::map<std::string, std::string> files;  // by path in the folder, SKILL.md among them
};

inline constexpr std::string_view kSkillsSchema = R"json({
  "type": "array",
  "maxItems": 32,
  "description": "Folders with a SKILL.md that the model loads when it needs them.",
  "items": {
    "type": "object",
    "additionalProperties": false,
    "properties": {
      "path": {"type": "string", "description": "The folder, relative to the file. Over the API: `files`."},
      "name": {"type": "string"},
      "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
      "files": {"type": "object", "additionalProperties": {"type": "string"}, "description": "Texts by path, SKILL.md among them."}
    }
  }
})json";

void parse_skills(spec::MapReader& spec, AgentDefinition& definition);
nlohmann::json skills_json(const std::vector<Skill>& skills);

// A skill of its files: what its SKILL.md says of it, and its hash. INVALID_ARGUMENT says what is wrong.
Result<Skill> skill_of(std::map<std::string, std::string> files);

}  // namespace holdfast::agent
