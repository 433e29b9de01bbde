// `type: code`: JavaScript or Python, the body of a function, in the sandbox. What it returns is the result.

#include "block/code_block.h"

#include <array>

#include "block/block.h"
#include "block/values.h"
#include "block/with_schema.h"

namespace holdfast::flows {

namespace {

struct CodeSettings : BlockSettings {
  std::string code;
  bool is_python = false;
};

constexpr std::array<std::string_view, 2> kLanguages = {"javascript", "python"};

Json schema(std::string_view) {
  return schema_of_text(R"json({
    "type": "object",
    "additionalProperties": false,
    "required": ["code"],
    "properties": {
      "code": {"type": "string", "minLength": 1, "description": "The body of a function: what it returns is the result."},
      "language": {"enum": ["javascript", "python"], "default": "javascript", "description": "Of the code."}
    }
  })json");
}

void read(BlockReader& reader) {
  auto settings = std::make_shared<CodeSettings>();
  settings->code = reader.with.required_text("code");
  static const std::vector<std::string_view> kNames(kLanguages.begin(), kLanguages.end());
  if (const auto language = reader.with.choice("language", kNames)) settings->is_python = *language == 1;
  if (settings->code.size() > sandbox::kMostCodeBytes) reader.with.problem("code", "is too long");
  reader.out.settings = std::move(settings);
}

// JavaScript is not named: flows of before the choice keep their version.
Json canonical(const BoundBlock& block) {
  const auto& settings = settings_of<CodeSettings>(block);
  Json out = {{"code", settings.code}};
  if (settings.is_python) out["language"] = "python";
  return out;
}

BlockResult run(const BoundBlock& block, Values& values) {
  const auto& settings = settings_of<CodeSettings>(block);
  Evaluated value = settings.is_python ? values.python(settings.code) : values.script(settings.code);
  if (!value) return std::unexpected(value.error());
  BlockEnding out;
  out.value = *std::move(value);
  return out;
}

}  // namespace

bool is_python(const BoundBlock& block) {
  const auto* settings = dynamic_cast<const CodeSettings*>(block.settings.get());
  return settings != nullptr && settings->is_python;
}

constinit const RunnableBlock kCodeBlock = whole({.type = "code",
                                                  .schema = schema,
                                                  .read = read,
                                                  .canonical = canonical,
                                                  .run = run,
                                                  .has_timeout = true});

}  // namespace holdfast::flows
