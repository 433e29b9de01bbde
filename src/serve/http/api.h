#pragma once

// The REST API under /api/v1, its event streams, the health checks and the console: docs/guide/http-api.md.
// And under /v1 agents as OpenAI's clients call models: docs/guide/openai-clients.md.
//
// Owner: app. Threads: requests are handed to a few workers of its own, because stores and engine calls
// block, those with large bodies to others; the server's thread never does. A request is read, given to Runs,
// and what that says is written down; nothing is decided, kept or repeated here.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/environment.h"
#include "holdfast/status.h"
#include "http/message.h"
#include "platform/audit_store.h"
#include "platform/inbox.h"
#include "platform/store.h"
#include "runs/after.h"
#include "runs/decision_links.h"
#include "runs/runs.h"

namespace holdfast::identity {
class Gate;
class SignIn;
}  // namespace holdfast::identity
namespace holdfast::runs {
class Forks;
}

namespace holdfast::oidc {
class Login;
}

namespace holdfast::secrets {
class Vault;
}

namespace holdfast::grant {
class ToolGrants;
}

namespace holdfast::http {

// A definition as somebody sent it.
struct DefinitionText {
  std::string_view text;
  std::string_view source;  // names it in errors
  // Another name in it is FAILED_PRECONDITION and changes nothing. Empty: any.
  std::string_view expected_name = {};
  // Absolute; where relative paths in it start. Empty: a relative path is INVALID_ARGUMENT.
  std::string_view base_directory = {};
};

struct DeployedAgent {
  std::string name;
  std::string version;
  bool created = false;  // it was not the current version
  bool is_new = false;   // it was not there at all
};

struct ApiInfo {
  std::string version;
  std::string engine;  // "embedded", or the address of a Temporal server
  std::string grpc_address;
  std::string http_address;
  std::string public_url;  // where people reach it; empty: at that address
  std::string namespace_name = "default";
  bool dev = false;
};

// Everything outlives the API.
struct ApiDependencies {
  runs::Runs* runs = nullptr;
  runs::Forks* forks = nullptr;
  platform::Store* store = nullptr;
  platform::InboxStore* inbox = nullptr;
  runs::DecisionLinks* links = nullptr;
  std::string slack_secret;  // with which Slack signs what its buttons send; empty: nobody decides there
  const identity::Gate* gate = nullptr;  // none: nobody is let in
  identity::SignIn* sign_in = nullptr;
  secrets::Vault* vault = nullptr;
  grant::ToolGrants* tool_grants = nullptr;
  // What the operator granted, as he wrote it, for those who look; complete when the API starts.
  const std::vector<std::string>* operator_grants = nullptr;
  platform::AuditStore* audit = nullptr;
  oidc::Login* login = nullptr;            // none: people sign in with passwords alone
  std::string namespace_name = "default";  // in which roles count
  const Environment* environment = nullptr;
  // Checks a definition and makes it the current version of its agent. PERMISSION_DENIED: it names what was
  // not granted (net::missing_grants).
  std::function<Result<DeployedAgent>(const DefinitionText& definition)> deploy;
  // What is wrong with arguments that a person wants in the place of those an approval asks about.
  std::function<Status(const platform::Approval& approval, std::string_view arguments)> check_edit;
  runs::After after;
};

// Addresses that answer with the console, as patterns ("/runs/{id}"): where a link of another site may lead.
std::vector<std::string> page_paths();

class Api {
 public:
  explicit Api(ApiDependencies dependencies);
  // Waits for requests under way. The server must be stopped before.
  ~Api();
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  // Thread-safe; never blocks.
  void handle(Request request, Responder responder);

  // Requests are served from now on. Before it: /readyz is 503.
  void start(ApiInfo info);
  // Requests are refused from now on.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::http
