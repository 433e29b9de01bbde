// `type: code`: JavaScript or Python, also by Monty: the body of a function, in the sandbox. What it returns
// is the result.

#include "block/code_block.h"

#include <array>

#include "block/block.h"
#include "block/values.h"
#include "block/with_schema.h"

namespace holdfast::flows {

namespace {

struct CodeSettings : BlockSettings {
  std::string code;
  CodeLanguage language = CodeLanguage::kJavaScript;
};

constexpr std::array<std::string_view, 3> kLanguages = {"javascript", "python", "monty"};  // as CodeLanguage

Json schema(std::string_view) {
  return schema_of_text(R"json({
    "type": "object",
    "additionalProperties": false,
    "required": ["code"],
    "properties": {
      "code": {"type": "string", "minLength": 1, "description": "The body of a function: what it returns is the result."},
      "language": {"enum": ["javascript", "python", "monty"], "default": "javascript", "description": "Of the code. python: the server's /usr/bin/python3. monty: Monty, a part of Python, on servers that have it (--monty)."}
    }
  })json");
}

void read(BlockReader& reader) {
  auto settings = std::make_shared<CodeSettings>();
  settings->code = reader.with.required_text("code");
  static const std::vector<std::string_view> kNames(kLanguages.begin(), kLanguages.end());
  if (const auto language = reader.with.choice("language", kNames)) {
    settings->language = static_cast<CodeLanguage>(*language);
  }
  if (settings->code.size() > sandbox::kMostCodeBytes) reader.with.problem("code", "is too long");
  reader.out.settings = std::move(settings);
}

// JavaScript is not named: flows of before the choice keep their version.
Json canonical(const BoundBlock& block) {
  const auto& settings = settings_of<CodeSettings>(block);
  Json out = {{"code", settings.code}};
  if (settings.language != CodeLanguage::kJavaScript)
    out["language"] = kLanguages[static_cast<std::size_t>(settings.language)];
  return out;
}

Evaluated evaluate(const CodeSettings& settings, Values& values) {
  switch (settings.language) {
    case CodeLanguage::kPython: return values.python(settings.code);
    case CodeLanguage::kMonty: return values.monty(settings.code);
    default: return values.script(settings.code);
  }
}

BlockResult run(const BoundBlock& block, Values& values) {
  const auto& settings = settings_of<CodeSettings>(block);
  Evaluated value = evaluate(settings, values);
  if (!value) return std::unexpected(value.error());
  BlockEnding out;
  out.value = *std::move(value);
  return out;
}

}  // namespace

CodeLanguage language_of(const BoundBlock& block) {
  const auto* settings = dynamic_cast<const CodeSettings*>(block.settings.get());
  return settings == nullptr ? CodeLanguage::kJavaScript : settings->language;
}

constinit const RunnableBlock kCodeBlock = whole({.type = "code",
                                                  .schema = schema,
                                                  .read = read,
                                                  .canonical = canonical,
                                                  .run = run,
                                                  .has_timeout = true});

}  // namespace holdfast::flows
