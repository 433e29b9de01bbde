#include "app/identity_role.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <boost/asio/ip/address.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>

#include "app/output.h"
#include "base/ascii.h"
#include "base/base64.h"
#include "base/ids.h"
#include "base/json.h"
#include "os/address.h"
#include "protocol/decision_signature.h"

namespace holdfast::app {

namespace {

constexpr std::string_view kDecisionSeed = "decision-seed";
constexpr std::string_view kLinkKey = "link-key";

Status usage(std::string why) {
  return {Code::kInvalidArgument, std::move(why)};
}

bool is_beyond(const std::optional<std::string>& address) {
  const auto parsed = os::parse_host_port(address.value_or("localhost"), 0);
  return parsed && !os::is_loopback(*parsed);
}

bool has_tls(const ServeOptions& options) {
  return options.tls_certificate.has_value();
}

// Others than processes of this machine may come.
bool is_exposed(const ServeOptions& options) {
  return is_beyond(options.http) || is_beyond(options.grpc) || !options.trusted_proxies.empty();
}

// "https://holdfast.example:8443" -> "holdfast.example:8443"
std::string authority_of(std::string_view url) {
  for (std::string_view scheme : {"https://", "http://"}) {
    if (url.starts_with(scheme)) url.remove_prefix(scheme.size());
  }
  return ascii_lower(url.substr(0, url.find_first_of("/?#")));
}

// By name or number.
std::optional<std::uint32_t> user_number(const std::string& user) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(user.data(), user.data() + user.size(), number);
  if (error == std::errc() && end == user.data() + user.size()) return number;
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> text(16 << 10);
  if (::getpwnam_r(user.c_str(), &entry, text.data(), text.size(), &found) != 0 || found == nullptr)
    return std::nullopt;
  return static_cast<std::uint32_t>(entry.pw_uid);
}

Result<identity::LocalUsers> local_users(const ServeOptions& options) {
  identity::LocalUsers out{.own = static_cast<std::uint32_t>(::geteuid()), .principals = {}};
  for (const std::string& text : options.socket_users) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      return fail(usage(fmt::format("--socket-user: '{}' is not USER=PRINCIPAL", text)));
    const std::string user = text.substr(0, equals);
    const std::string principal = text.substr(equals + 1);
    if (Status wrong = identity::check_principal_name(principal); !wrong.ok())
      return fail(usage("--socket-user: " + wrong.message()));
    const auto number = user_number(user);
    if (!number) return fail(usage(fmt::format("--socket-user: this machine has no user '{}'", user)));
    if (*number == 0 || number == out.own)
      return fail(usage(
          fmt::format("--socket-user: '{}' is admin already, as root and the server's own user are", user)));
    if (!out.principals.emplace(*number, principal).second)
      return fail(usage(fmt::format("--socket-user: '{}' is named twice", user)));
  }
  return out;
}

Status check_public_url(const std::string& url) {
  const std::string authority = authority_of(url);
  const bool is_url = url.starts_with("https://") || url.starts_with("http://");
  if (is_url && !authority.empty() && authority.find('@') == std::string::npos &&
      (url.ends_with(authority) || url.ends_with(authority + "/"))) {
    return {};
  }
  return usage(fmt::format("--public-url: '{}' is not https://HOST[:PORT]", url));
}

}  // namespace

Status IdentityRole::check(const ServeOptions& options) {
  if (options.tls_certificate.has_value() != options.tls_key.has_value())
    return usage("--tls-cert and --tls-key go together");
  if (options.grpc_client_ca && !has_tls(options))
    return usage("--grpc-client-ca: certificates of clients come with TLS: give --tls-cert and --tls-key");
  for (const std::string& proxy : options.trusted_proxies) {
    boost::system::error_code bad;
    boost::asio::ip::make_address(proxy, bad);
    if (bad) return usage(fmt::format("--trusted-proxy: '{}' is no address: write its number", proxy));
  }
  if (options.public_url) {
    if (Status status = check_public_url(*options.public_url); !status.ok()) return status;
  }
  if (options.auth == "off" && is_exposed(options)) {
    return {Code::kPermissionDenied,
            "--auth off: this server can be reached by others than this machine, so whoever calls needs a "
            "credential; leave it out, or listen on loopback"};
  }
  if (options.auth == "off" && options.oidc)
    return usage("--oidc: with --auth off nobody signs in; leave one of them out");
  if (!options.socket_users.empty() && !options.http_socket && !options.grpc_socket)
    return usage(
        "--socket-user: users of this machine are known over a Unix socket alone: give --http unix:PATH or "
        "--grpc unix:PATH");
  if (auto users = local_users(options); !users) return users.error();
  if (!has_tls(options)) return {};
  tls::FilesOptions files;
  files.certificate = *options.tls_certificate;
  files.key = *options.tls_key;
  files.client_ca = options.grpc_client_ca.value_or("");
  static const struct : Clock {
    WallTime now() const override { return {}; }
    MonotonicTime monotonic() const override { return {}; }
  } kStill;
  files.clock = &kStill;
  auto read = tls::Files::open(std::move(files));
  return read ? Status() : read.error();
}

Result<std::unique_ptr<IdentityRole>> IdentityRole::open(const ServeOptions& options,
                                                         platform::IdentityStore& store,
                                                         const Environment& environment,
                                                         const std::filesystem::path& data) {
  std::unique_ptr<IdentityRole> role(new IdentityRole(options, environment));
  Status status = role->open_tls();
  if (status.ok()) status = role->write_local_key(data);
  if (status.ok()) status = role->open_directory(store);
  if (!status.ok()) return fail(std::move(status));
  return role;
}

IdentityRole::~IdentityRole() {
  std::error_code ignored;
  if (!local_key_file_.empty()) std::filesystem::remove(local_key_file_, ignored);
}

Status IdentityRole::open_tls() {
  if (!has_tls(options_)) return {};
  tls::FilesOptions files;
  files.certificate = *options_.tls_certificate;
  files.key = *options_.tls_key;
  files.clock = &environment_.clock();
  files.complain = [](const std::string& message) { complain(message); };
  files.protocol = "http/1.1";
  auto http = tls::Files::open(files);
  if (!http) return http.error();
  http_tls_ = *std::move(http);
  files.client_ca = options_.grpc_client_ca.value_or("");
  files.protocol = "h2";
  auto grpc = tls::Files::open(std::move(files));
  if (!grpc) return grpc.error();
  grpc_tls_ = *std::move(grpc);
  return {};
}

// Whoever can read it owns the data directory, and may do everything anyway. Another one at each start.
Status IdentityRole::write_local_key(const std::filesystem::path& data) {
  local_key_ = identity::secret_text(identity::kLocalPrefix, identity::new_secret(environment_.random()));
  const std::filesystem::path file = data / kLocalKeyFile;
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
  std::ofstream out(file);  // 0600: the program's umask
  out << local_key_ << '\n';
  out.close();
  if (!out)
    return {Code::kUnavailable, fmt::format("cannot write {}: {}", file.string(), std::strerror(errno))};
  local_key_file_ = file;
  return {};
}

namespace {

// 32 bytes that the platform store has under that name, made at the first start.
Result<std::string> key_of(platform::IdentityStore& store, std::string_view name, Random& random) {
  constexpr std::size_t kBytes = 32;
  auto kept = store.server_key(name, base64url(random_bytes(random, kBytes)));
  if (!kept) return fail(kept.error());
  auto bytes = from_base64url(*kept);
  if (bytes && bytes->size() == kBytes) return *std::move(bytes);
  return fail(Code::kDataLoss,
              fmt::format("the server's key `{}` is damaged; restore the platform store", name));
}

}  // namespace

Status IdentityRole::open_directory(platform::IdentityStore& store) {
  writer_ = environment_.new_executor("identity");
  auto directory = identity::Directory::open(store, environment_.clock(), environment_.random(), *writer_);
  if (!directory) return directory.error();
  directory_ = *std::move(directory);
  auto mode = identity::GateMode::kAuto;
  if (options_.auth == "off") mode = identity::GateMode::kOff;
  if (options_.auth == "required" || options_.oidc || is_exposed(options_))
    mode = identity::GateMode::kRequired;
  auto users = local_users(options_);
  if (!users) return users.error();
  gate_ = std::make_unique<identity::Gate>(*directory_, mode, local_key_, *std::move(users));
  sign_in_ = std::make_unique<identity::SignIn>(*directory_, environment_.clock(), environment_.random());
  if (!gate_->is_open() && !directory_->has_admin()) set_up_token_ = sign_in_->begin_set_up();

  auto seed = key_of(store, kDecisionSeed, environment_.random());
  if (!seed) return seed.error();
  decision_seed_ = *std::move(seed);
  auto link_key = key_of(store, kLinkKey, environment_.random());
  if (!link_key) return link_key.error();
  link_key_ = *std::move(link_key);
  decision_key_ = protocol::decision_key(decision_seed_);
  return {};
}

std::vector<std::string> IdentityRole::hosts() const {
  if (!options_.public_url) return {};
  const std::string authority = authority_of(*options_.public_url);
  return {authority, authority.substr(0, authority.rfind(':'))};
}

// The names of the roles that somebody has in the namespace of our runs, as they are now.
std::vector<std::string> IdentityRole::role_names(const std::string& name,
                                                  const std::string& namespace_name) const {
  std::vector<std::string> out;
  const auto principal = directory_->principal(name);
  if (!principal) {
    // Whoever is let in without being somebody is the machine's own operator.
    if (!gate_->is_open() && name != identity::kLocalName) return out;
    for (std::size_t i = 0; i < identity::kRoles; ++i)
      out.emplace_back(identity::role_name(static_cast<identity::Role>(i)));
    return out;
  }
  const auto roles = parse_json(principal->roles);
  for (const std::string& where : {namespace_name, std::string(identity::kEveryNamespace)}) {
    if (!roles.is_object() || !roles.contains(where)) continue;
    for (const auto& role : roles[where]) out.push_back(role.get<std::string>());
  }
  return out;
}

void IdentityRole::sign(protocol::Decision& decision, const std::string& namespace_name) const {
  decision.roles = role_names(decision.decided_by, namespace_name);
  const auto now =
      std::chrono::duration_cast<std::chrono::milliseconds>(environment_.clock().now().time_since_epoch());
  protocol::sign(decision, decision_seed_, now.count());
}

Status IdentityRole::reload() {
  for (const auto& files : {http_tls_, grpc_tls_}) {
    if (!files) continue;
    if (Status status = files->reload(); !status.ok()) return status;
  }
  return {};
}

}  // namespace holdfast::app
