// Connections to the HTTP server, as they come: the server of the product on a real port, with its API, its
// stores and an engine behind it. Whatever a client sends before it says that this is all, it gets an answer
// or the end of the connection, and never a 500.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "activities/deploy.h"
#include "engine/engine.h"
#include "fixture/temporary_directory.h"
#include "fuzz.h"
#include "grant/grants.h"
#include "http/api.h"
#include "identity/gate.h"
#include "identity/sign_in.h"
#include "net/server.h"
#include "os/clock.h"
#include "os/thread_executor.h"
#include "platform_sqlite/sqlite_store.h"
#include "runs/decision_links.h"
#include "runs/forks.h"
#include "runs/runs.h"
#include "secrets/vault.h"
#include "store/rocks_store.h"

namespace holdfast::fuzz {
namespace {

constexpr int kPatienceSeconds = 10;

template <typename T>
T must(Result<T> result) {
  if (!result) std::fprintf(stderr, "%s\n", result.error().to_string().c_str());
  REQUIRE(result);
  return *std::move(result);
}

// What `holdfast server` is made of, without workers: runs wait for one for ever.
class Node {
 public:
  std::uint16_t port() const { return server_->port(); }
  ~Node() {
    api_.stop();
    runs_.stop();
    server_->stop(std::chrono::milliseconds(0));
  }

 private:
  static platform::OpenStores open(const std::filesystem::path& directory, const Clock& clock, Random& random,
                                   Executor& flusher) {
    platform::SqliteOptions options;
    options.directory = directory;
    return must(platform::open_sqlite(options, clock, random, flusher));
  }
  runs::RunsDependencies runs_dependencies() {
    runs::RunsDependencies deps;
    deps.connection = engine_.get();
    deps.store = platform_.store.get();
    deps.streams = platform_.streams.get();
    deps.environment = &environment_;
    deps.after = [this](std::chrono::milliseconds delay, std::move_only_function<void()> job) {
      server_->after(delay, std::move(job));
    };
    deps.log = [](std::string_view) {};
    return deps;
  }
  http::ApiDependencies api_dependencies() {
    http::ApiDependencies deps;
    deps.runs = &runs_;
    deps.store = platform_.store.get();
    deps.gate = &gate_;
    deps.sign_in = &sign_in_;
    deps.environment = &environment_;
    deps.links = &links_;
    deps.forks = &forks_;
    deps.vault = vault_.get();
    deps.audit = platform_.audit;
    deps.deploy = [this](const http::DefinitionText& from) -> Result<http::DeployedAgent> {
      auto deployed = agent::deploy(*platform_.store, {.text = from.text,
                                                       .source = from.source,
                                                       .base_directory = from.base_directory,
                                                       .within = &grants_});
      if (!deployed) return std::unexpected(deployed.error());
      return http::DeployedAgent{deployed->name, deployed->version, deployed->created};
    };
    deps.check_edit = [](const platform::Approval&, std::string_view) { return Status(); };
    return deps;
  }
  std::unique_ptr<net::Server> serve() {
    net::ServerOptions options;
    options.address = "127.0.0.1:0";
    return must(net::Server::start(options, [this](net::Request request, net::Responder responder) {
      api_.handle(std::move(request), std::move(responder));
    }));
  }

  fixture::TemporaryDirectory directory_;
  os::SystemClock clock_;
  os::SystemRandom random_;
  Environment environment_{
      clock_, random_, [](const std::string& name) { return std::make_unique<os::ThreadExecutor>(name); }};
  os::ThreadExecutor flusher_{"flush"};
  const grant::Grants grants_{[](const char*) -> const char* { return nullptr; }};
  platform::OpenStores platform_ = open(directory_ / "platform", clock_, random_, flusher_);
  std::unique_ptr<identity::Directory> directory_of_callers_ =
      must(identity::Directory::open(*platform_.identities, clock_, random_, flusher_));
  identity::Gate gate_{*directory_of_callers_, identity::GateMode::kAuto, ""};
  identity::SignIn sign_in_{*directory_of_callers_, clock_, random_};
  std::unique_ptr<store::RocksStore> store_ =
      must(store::RocksStore::open({.dir = (directory_ / "engine").string()}));
  std::unique_ptr<engine::Engine> engine_ = must(engine::Engine::open({}, *store_, clock_, random_, nullptr));
  runs::Runs runs_{runs_dependencies()};
  runs::DecisionLinks links_{{.store = platform_.links,
                              .clock = &clock_,
                              .random = &random_,
                              .key = std::string(32, 'k'),
                              .public_url = [] { return std::string("http://127.0.0.1"); }}};
  std::unique_ptr<secrets::Vault> vault_ =
      must(secrets::Vault::open({.namespace_name = "default",
                                 .keys = secrets::KeyRing::fresh(random_),
                                 .key_file = "none",
                                 .make_key = {}},
                                *platform_.secrets, clock_, random_, flusher_));
  runs::Forks forks_{runs_, *platform_.store, {}};
  http::Api api_{api_dependencies()};
  std::unique_ptr<net::Server> server_ = serve();

 public:
  Node() { api_.start({}); }
};

}  // namespace

FUZZ(input) {
  static Node node;
  const int line = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(node.port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  timeval wait{.tv_sec = kPatienceSeconds, .tv_usec = 0};
  ::setsockopt(line, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  REQUIRE(::connect(line, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  while (!input.empty()) {
    const ssize_t sent = ::send(line, input.data(), input.size(), MSG_NOSIGNAL);
    if (sent <= 0) break;  // the server has heard enough
    input.remove_prefix(static_cast<std::size_t>(sent));
  }
  ::shutdown(line, SHUT_WR);
  std::string answer;
  char buffer[65536];
  ssize_t got = 0;
  while ((got = ::recv(line, buffer, sizeof buffer, 0)) > 0)
    answer.append(buffer, static_cast<std::size_t>(got));
  REQUIRE(got == 0 || errno == ECONNRESET);  // the server waits for nothing that cannot come
  ::close(line);
  REQUIRE(answer.empty() || answer.starts_with("HTTP/1.1 "));
  REQUIRE(!answer.starts_with("HTTP/1.1 500"));
}

}  // namespace holdfast::fuzz
