#include "grant/grants_file.h"

#include <fmt/format.h>

#include "spec/yaml_documents.h"
#include "spec/yaml_reader.h"

namespace holdfast::grant {

Result<std::vector<Grant>> parse_grants_file(std::string_view text, std::string_view source) {
  spec::YamlProblems problems(source);
  std::vector<Grant> out;
  try {
    const std::vector<YAML::Node> documents = spec::yaml_documents(std::string(text));
    if (documents.size() != 1) {
      return fail(Code::kInvalidArgument, fmt::format("{}:1:1: a file of grants holds one document, not {}",
                                                      source, documents.size()));
    }
    spec::MapReader file(problems, documents.front(), "");
    if (file.required_text("apiVersion") != "holdfast.dev/v1")
      file.problem("apiVersion", "use holdfast.dev/v1");
    if (file.required_text("kind") != "Grants") file.problem("kind", "use Grants");
    if (!file.has("grants")) file.missing("grants", "a list such as [host:api.example.com]");
    for (const YAML::Node& node : file.list("grants", kMaxGrants)) {
      auto grant = node.IsScalar()
                       ? parse_grant(node.Scalar())
                       : fail(Code::kInvalidArgument, "a grant is a text such as host:api.example.com");
      if (grant) {
        out.push_back(*std::move(grant));
      } else {
        problems.add(node.Mark(), grant.error().message());
      }
    }
    file.finish();
  } catch (const YAML::Exception& broken) {
    problems.add(broken.mark, fmt::format("broken YAML: {}", broken.msg));
  }
  if (!problems.empty()) return fail(problems.status());
  return out;
}

}  // namespace holdfast::grant
