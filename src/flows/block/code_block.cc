// `type: code`: JavaScript, the body of a function, in the sandbox. What it returns is the result.

#include "block/block.h"
#include "block/values.h"
#include "block/with_schema.h"

namespace holdfast::flows {

namespace {

struct CodeSettings : BlockSettings {
  std::string code;
};

Json schema(std::string_view) {
  return schema_of_text(R"json({
    "type": "object",
    "additionalProperties": false,
    "required": ["code"],
    "properties": {"code": {"type": "string", "minLength": 1, "description": "JavaScript: the body of a function."}}
  })json");
}

void read(BlockReader& reader) {
  auto settings = std::make_shared<CodeSettings>();
  settings->code = reader.with.required_text("code");
  if (settings->code.size() > sandbox::kMostCodeBytes) reader.with.problem("code", "is too long");
  reader.out.settings = std::move(settings);
}

Json canonical(const BoundBlock& block) {
  return {{"code", settings_of<CodeSettings>(block).code}};
}

BlockResult run(const BoundBlock& block, Values& values) {
  Evaluated value = values.script(settings_of<CodeSettings>(block).code);
  if (!value) return std::unexpected(value.error());
  BlockEnding out;
  out.value = *std::move(value);
  return out;
}

}  // namespace

constinit const RunnableBlock kCodeBlock = whole({.type = "code",
                                                  .schema = schema,
                                                  .read = read,
                                                  .canonical = canonical,
                                                  .run = run,
                                                  .has_timeout = true});

}  // namespace holdfast::flows
