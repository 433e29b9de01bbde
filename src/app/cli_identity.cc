// Who may use a server, from the command line: what protects it, people, keys, sessions.

#include "app/command_line.h"

namespace holdfast::app {

void CommandLine::add_protection(CLI::App* sub, ServeOptions& options) {
  sub->add_option(
         "--auth", options.auth,
         "Who needs a credential: required (everybody), auto (everybody once there is an admin, and\n"
         "wherever others than this machine can come from) or off (nobody, on loopback alone)")
      ->capture_default_str()
      ->check(CLI::IsMember({"auto", "required", "off"}));
  sub->add_option(
         "--tls-cert", options.tls_certificate,
         "Certificate of the server and those above it (PEM), for HTTP and gRPC; read again when it changes")
      ->check(is_given());
  sub->add_option(
         "--oidc", options.oidc,
         "File with identity providers where people sign in; from then on everybody needs a credential")
      ->check(is_given());
  sub->add_option("--tls-key", options.tls_key, "Its key (PEM)")->check(is_given());
  sub->add_option(
         "--secrets-key", options.secrets_key,
         "File with the key of stored secrets; made when the first one is set (default: secrets.key in\n"
         "the data directory)")
      ->envname("HOLDFAST_SECRETS_KEY")
      ->check(is_given());
  sub->add_option("--older-secrets-key", options.older_secrets_keys,
                  "File with a key of before: what it opens is sealed again at the start (may be repeated)")
      ->check(is_given());
  sub->add_option("--grpc-client-ca", options.grpc_client_ca,
                  "Who may sign certificates of gRPC's clients (PEM); the common name is the principal's")
      ->check(is_given());
  sub->add_option("--trusted-proxy", options.trusted_proxies,
                  "Address of a proxy in front that speaks TLS; nobody else is heard in the clear beyond "
                  "loopback (may be repeated)");
  sub->add_option(
         "--public-url", options.public_url,
         "Where others reach the server, https://HOST[:PORT]; URLs that tools hand out begin with it "
         "(default: http://ADDRESS)")
      ->envname("HOLDFAST_PUBLIC_URL");
}

void CommandLine::add_identity() {
  CLI::App* user = root_.add_subcommand("user", "People who may use the server");
  user->require_subcommand(1);
  const auto roles = [](CLI::App* sub, std::vector<std::string>& into) {
    return sub->add_option(
        "--role", into,
        "reader, operator, approver, deployer or admin, @NAMESPACE behind it or @* for every\n"
        "namespace (default: the server's; of admin: every one; may be repeated)");
  };
  const auto password = [this](CLI::App* sub) {
    sub->add_option("--password-file", user_.password_file, "File with the password; -: standard input")
        ->check(is_given());
  };
  CLI::App* add_one = add("add", "Add a person", user_, add_user, user);
  add_one->add_option("name", user_.name, "Name")->required()->check(is_given());
  roles(add_one, user_.roles);
  password(add_one);
  add_api(add_one, user_.api);
  CLI::App* list = add("list", "List people and services, with their roles", user_, list_users, user);
  add_api(list, user_.api);
  CLI::App* disable =
      add("disable", "Sign a principal out everywhere, and let nobody in as it", user_, disable_user, user);
  disable->add_option("name", user_.name, "Name")->required()->check(is_given());
  disable->add_flag("--enable", user_.enable, "Let it in again");
  add_api(disable, user_.api);
  CLI::App* role = add("role", "Give a principal these roles, and no others", user_, set_user_roles, user);
  role->add_option("name", user_.name, "Name")->required()->check(is_given());
  roles(role, user_.roles)->required();
  add_api(role, user_.api);
  CLI::App* passwd = add("passwd", "Give a person another password", user_, set_user_password, user);
  passwd->add_option("name", user_.name, "Name")->required()->check(is_given());
  password(passwd);
  add_api(passwd, user_.api);

  CLI::App* key = root_.add_subcommand("key", "API keys: of programs, workers and people");
  key->require_subcommand(1);
  CLI::App* create =
      add("create", "Make a key, and with --role a service that has it; shown once", key_, create_key, key);
  create->add_option("principal", key_.principal, "Whose key it is")->required()->check(is_given());
  roles(create, key_.roles);
  create->add_option("--label", key_.label, "What it is for");
  create->add_option("--expires", key_.lasts, "How long it holds, as in 90d (default: until it is revoked)");
  add_api(create, key_.api);
  CLI::App* keys = add("list", "List keys, without their secrets", key_, list_keys, key);
  add_api(keys, key_.api);
  CLI::App* revoke = add("revoke", "Let a key open nothing any more", key_, revoke_key, key);
  revoke->add_option("id", key_.id, "The key's id")->required()->check(is_given());
  add_api(revoke, key_.api);
  CLI::App* rotate = add("rotate", "Make another key in its place; shown once", key_, rotate_key, key);
  rotate->add_option("id", key_.id, "The key's id")->required()->check(is_given());
  rotate->add_option("--grace", key_.grace,
                     "How long the old one still holds, as in 1h (default: not at all)");
  add_api(rotate, key_.api);

  CLI::App* session = root_.add_subcommand("session", "Who is signed in");
  session->require_subcommand(1);
  CLI::App* sessions = add("list", "List sessions", session_, list_sessions, session);
  add_api(sessions, session_.api);
  CLI::App* end = add("revoke", "End a session", session_, revoke_session, session);
  end->add_option("id", session_.id, "The session's id")->required()->check(is_given());
  add_api(end, session_.api);
  CLI::App* whoami = add("whoami", "As whom the command line is known here", session_, who_am_i, session);
  add_api(whoami, session_.api);
}

}  // namespace holdfast::app
