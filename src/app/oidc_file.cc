#include "app/oidc_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "definition/names.h"
#include "definition/value_name.h"
#include "identity/directory.h"
#include "oidc/login.h"
#include "spec/yaml_documents.h"
#include "spec/yaml_reader.h"

namespace holdfast::app {

namespace {

constexpr std::size_t kMaxScopes = 50;
constexpr std::size_t kMaxHosts = 20;

std::vector<std::string> texts(spec::MapReader& in, const char* key, std::size_t most) {
  std::vector<std::string> out;
  for (const YAML::Node& node : in.list(key, most)) {
    if (node.IsScalar() && !node.Scalar().empty()) {
      out.push_back(node.Scalar());
    } else {
      in.problem(key, "a list of texts");
    }
  }
  return out;
}

void read_secret(spec::MapReader& in, oidc::ProviderSettings& out, const SecretOf& secret_of) {
  ClientSecret secret{.variable = in.text("client_secret_env"), .file = in.text("client_secret_file")};
  if (!secret.variable.empty() && !agent::is_value_name(secret.variable))
    in.problem("client_secret_env",
               "must be the name of an environment variable, or secret:NAME, not the secret");
  if (!secret.variable.empty() && !secret.file.empty())
    in.problem("client_secret_file", "goes without `client_secret_env`: give one of them");
  if (secret.variable.empty() && secret.file.empty()) return;
  out.client_secret = [secret = std::move(secret), secret_of] { return secret_of(secret); };
}

oidc::ProviderSettings read_provider(spec::MapReader& in, const SecretOf& secret_of) {
  oidc::ProviderSettings out;
  out.name = in.required_text("name");
  if (!out.name.empty() && !agent::is_agent_name(out.name))
    in.problem("name", "1 to 63 small letters, digits and -");
  out.label = in.text("label", out.name);
  out.issuer = in.required_text("issuer");
  out.client_id = in.required_text("client_id");
  read_secret(in, out, secret_of);
  out.secret_in_body = in.choice("client_auth", {"basic", "post"}).value_or(0) == 1;
  if (in.has("scopes")) out.scopes = texts(in, "scopes", kMaxScopes);
  if (std::find(out.scopes.begin(), out.scopes.end(), "openid") == out.scopes.end())
    out.scopes.insert(out.scopes.begin(), "openid");
  out.groups_claim = in.text("groups_claim", out.groups_claim);
  out.name_claim = in.text("name_claim", out.name_claim);
  if (in.has("hosts")) out.hosts = texts(in, "hosts", kMaxHosts);
  using std::chrono::milliseconds;
  out.session = std::chrono::duration_cast<std::chrono::seconds>(
      in.duration("session", milliseconds(out.session), milliseconds(std::chrono::minutes(1)),
                  milliseconds(identity::kSessionLength)));
  if (!out.issuer.empty() && !out.client_id.empty()) {
    if (Status wrong = oidc::check_settings(out); !wrong.ok()) in.problem("issuer", wrong.message());
  }
  in.finish();
  return out;
}

}  // namespace

Result<std::vector<oidc::ProviderSettings>> parse_oidc_file(std::string_view text, std::string_view source,
                                                            const SecretOf& secret_of) {
  spec::YamlProblems problems(source);
  std::vector<oidc::ProviderSettings> out;
  try {
    const std::vector<YAML::Node> documents = spec::yaml_documents(std::string(text));
    if (documents.size() != 1) {
      return fail(Code::kInvalidArgument,
                  fmt::format("{}:1:1: a file of identity providers holds one document, not {}", source,
                              documents.size()));
    }
    spec::MapReader file(problems, documents.front(), "");
    if (file.required_text("apiVersion") != "holdfast.dev/v1")
      file.problem("apiVersion", "use holdfast.dev/v1");
    if (file.required_text("kind") != "IdentityProviders") file.problem("kind", "use IdentityProviders");
    if (!file.has("providers")) file.missing("providers", "a list of them");
    std::set<std::string> names;
    for (const YAML::Node& node : file.list("providers", oidc::kMaxProviders)) {
      spec::MapReader in(problems, node, fmt::format("providers[{}]", out.size()));
      out.push_back(read_provider(in, secret_of));
      if (!names.insert(out.back().name).second)
        problems.add(node.Mark(), fmt::format("there are two providers '{}'", out.back().name));
    }
    file.finish();
  } catch (const YAML::Exception& broken) {
    problems.add(broken.mark, fmt::format("broken YAML: {}", broken.msg));
  }
  if (!problems.empty()) return fail(problems.status());
  return out;
}

}  // namespace holdfast::app
