#include "app/node.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>

#include "activities/catalog.h"
#include "activities/deploy.h"
#include "activities/edited_call.h"
#include "app/backup_commands.h"
#include "app/fork_rules.h"
#include "app/input_file.h"
#include "app/node_metrics.h"
#include "app/output.h"
#include "app/platform_role.h"
#include "app/ports.h"
#include "app/queue_metrics.h"
#include "app/search_attributes.h"
#include "app/skill_folder.h"
#include "app/start_rules.h"
#include "app/stop_signals.h"
#include "os/address.h"
#include "os/open_files.h"
#include "postgres/address.h"
#include "protocol/flow_run.h"
#include "rpc/server.h"

namespace holdfast::app {

namespace {

using std::chrono::milliseconds;

constexpr int kDefaultGrpcPort = 7233;
constexpr int kDefaultHttpPort = 8233;
constexpr milliseconds kHttpGrace{2000};
constexpr int kExitFatal = 70;
constexpr std::size_t kMostOpenFiles = 65'536;

[[noreturn]] void die(const std::string& message) {
  complain("fatal: " + message);
  ::_exit(kExitFatal);
}

const char* environment_variable(const char* name) {
  return std::getenv(name);
}

}  // namespace

Node::Node(const ServeOptions& options)
    : options_(options),
      plan_(MemoryPlan::of(options.memory, machine_memory())),
      grants_(environment_variable) {}

Status Node::start() {
  for (auto step :
       {&Node::check_options,   &Node::open_data,        &Node::open_platform, &Node::open_identity,
        &Node::open_secrets,    &Node::open_tool_grants, &Node::open_engine,   &Node::open_search_attributes,
        &Node::open_runs,       &Node::open_outside,     &Node::open_login,    &Node::open_export,
        &Node::open_http,       &Node::open_metrics,     &Node::keep_own,      &Node::open_dev,
        &Node::register_agents, &Node::record_grants,    &Node::start_work,    &Node::open_control}) {
    if (Status status = (this->*step)(); !status.ok()) return status;
  }
  return {};
}

void Node::reload() {
  const Status status = identity_->reload();
  complain(status.ok() ? "read the certificates again" : status.message());
}

void Node::stop() {
  if (std::exchange(stopped_, true)) return;
  reading_.reset();
  asking_.request_stop();
  control_.reset();
  if (api_) api_->stop();
  if (runs_) runs_->stop();
  if (socket_server_) socket_server_->stop(kHttpGrace);
  if (server_) server_->stop(kHttpGrace);
  if (engine_) engine_->stop_grpc();
  workers_.reset();
  metrics_page_.reset();
  api_.reset();
  if (engine_) engine_->on_deleted({});
  forks_.reset();
  runs_.reset();
  dev_.reset();
  exporter_.reset();
  engine_.reset();
  if (data_) {
    std::error_code ignored;
    std::filesystem::remove(data_->path() / "addresses.json", ignored);
  }
}

Status Node::bad_address(Status status) {
  if (status.code() == Code::kInvalidArgument || status.code() == Code::kPermissionDenied)
    exit_code_ = kExitUsage;
  return status;
}

Status Node::check_options() {
  for (const std::string& file : options_.agents) {
    auto text = read_file(file);
    if (!text) {
      exit_code_ = exit_code_of(text.error());
      return {text.error().code(), "--agent: " + text.error().message()};
    }
    AgentFile from{file, *std::move(text), folder_of(file)};
    auto parsed = agent::parse_definition(from.text, from.file, from.folder);
    if (!parsed) {
      exit_code_ = exit_code_of(parsed.error());
      return parsed.error();
    }
    auto whole = with_skills(from.file, std::move(from.text));
    if (!whole) {
      exit_code_ = exit_code_of(whole.error());
      return whole.error();
    }
    from.text = *std::move(whole);
    agents_.push_back(std::move(from));
  }
  for (auto read :
       {&Node::read_grants, &Node::read_limits, &Node::read_prices, &Node::read_export, &Node::read_oidc}) {
    if (Status status = (this->*read)(); !status.ok()) {
      exit_code_ = exit_code_of(status);
      return status;
    }
  }
  if (options_.platform_store) {
    auto address = postgres::parse_address(*options_.platform_store);
    if (!address) {
      exit_code_ = kExitUsage;
      return {address.error().code(), "--platform-store: " + address.error().message()};
    }
    platform_name_ = address->text();
  }
  for (const std::string& attribute : options_.search_attributes) {
    if (Status wrong = check_search_attribute(attribute); !wrong.ok()) {
      exit_code_ = kExitUsage;
      return wrong;
    }
  }
  const auto check = [this](const std::optional<std::string>& asked, std::string_view flag,
                            auto&& address_of) {
    if (!asked) return Status();
    auto free = listen_on(asked, 0, flag, [&](const std::string& text) -> Result<std::string> {
      auto address = address_of(text);
      if (!address) return fail(address.error());
      Status bindable = os::check_bindable({address->host, address->port});
      if (!bindable.ok()) return fail(std::move(bindable));
      return text;
    });
    return free ? Status() : bad_address(free.error());
  };
  if (Status identity = IdentityRole::check(options_); !identity.ok()) return bad_address(identity);
  const bool has_tls = options_.tls_certificate.has_value();
  Status http = check(options_.http, "--http", [&](const std::string& text) {
    return net::parse_address(text, has_tls || !options_.trusted_proxies.empty());
  });
  if (!http.ok()) return http;
  return check(options_.grpc, "--grpc",
               [&](const std::string& text) { return rpc::listen_address(text, has_tls); });
}

Status Node::read_limits() {
  if (!options_.limits) return {};
  auto text = read_file(*options_.limits);
  if (!text) return {text.error().code(), "--limits: " + text.error().message()};
  auto limits = agent::parse_limits_file(*text, *options_.limits);
  if (!limits) return limits.error();
  model_limits_ = *std::move(limits);
  return {};
}

Status Node::read_prices() {
  for (const std::string& file : options_.price_files) {
    auto text = read_file(file);
    if (!text) return {text.error().code(), "--prices: " + text.error().message()};
    auto prices = price::PriceTable::read(*text, file);
    if (!prices) return prices.error();
    prices_.override_with(*prices);
  }
  return {};
}

Status Node::read_export() {
  auto settings = otlp::read_settings([this](const char* name) -> const char* {
    if (!options_.otlp_endpoint) return environment_variable(name);
    const std::string_view asked(name);
    if (asked == "OTEL_EXPORTER_OTLP_ENDPOINT") return options_.otlp_endpoint->c_str();
    return asked == "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" ? nullptr : environment_variable(name);
  });
  if (!settings) return settings.error();
  export_ = *std::move(settings);
  if (!export_.remark.empty()) complain(export_.remark);
  return {};
}

Status Node::read_oidc() {
  if (!options_.oidc) return {};
  auto providers = read_oidc_file(*options_.oidc, environment_variable,
                                  [this](const std::string& name) { return secrets_->use(name); });
  if (!providers) return providers.error();
  providers_ = *std::move(providers);
  return {};
}

Status Node::open_data() {
  auto data = DataDirectory::open(options_.data);
  if (!data) {
    if (data.error().code() == Code::kInvalidArgument) exit_code_ = kExitUsage;
    return data.error();
  }
  data_.emplace(*std::move(data));
  return {};
}

Status Node::open_platform() {
  PlatformPlace place;
  place.data = &*data_;
  place.address = options_.platform_store;
  place.embedded_engine = !options_.engine;
  place.sqlite_vfs = options_.storage.sqlite_vfs;
  place.fatal = die;
  place.complain = [](const std::string& message) { complain(message); };
  flusher_ = std::make_unique<os::ThreadExecutor>("stream-flush");
  auto stores = open_platform_store(place, clock_, random_, *flusher_);
  if (!stores) return stores.error();
  platform_ = *std::move(stores);
  auto observed = std::make_unique<platform::ObservedStreams>(std::move(platform_.streams), clock_);
  observed_ = observed.get();
  platform_.streams = std::move(observed);
  run_metrics_.emplace(metrics_, *platform_.store);
  observed_->observe([this](const platform::Event& event) { run_metrics_->seen(event); });
  return {};
}

Status Node::open_identity() {
  auto identity = IdentityRole::open(options_, *platform_.identities, environment_, data_->path());
  if (!identity) return identity.error();
  identity_ = *std::move(identity);
  return {};
}

Status Node::open_secrets() {
  auto secrets = SecretsRole::open(options_, *platform_.secrets, environment_, data_->path());
  if (!secrets) return bad_address(secrets.error());
  secrets_ = *std::move(secrets);
  grants_.take_secrets_from(secrets_.get());
  return {};
}

Status Node::open_engine() {
  Result<std::unique_ptr<EngineRole>> engine = [&] {
    if (options_.engine) return EngineRole::connect(*options_.engine, StopSignals::one_is_pending);
    EngineRole::Embedded embedded;
    embedded.store_path = data_->engine_path();
    embedded.visibility_path = data_->visibility_path();
    embedded.storage = options_.storage;
    embedded.memory = plan_;
    embedded.budget = &memory_;
    embedded.metrics = &metrics_;
    embedded.shortest_retention = options_.shortest_retention;
    return EngineRole::open_embedded(embedded, clock_, random_);
  }();
  if (!engine) {
    if (engine.error().code() == Code::kCancelled) exit_code_ = kExitInterrupted;
    return engine.error();
  }
  engine_ = *std::move(engine);
  if (!engine_->embedded()) {
    if (!options_.grpc && !options_.grpc_socket) return {};
    return {Code::kInvalidArgument,
            "--grpc serves the embedded engine; with --engine there is none to serve"};
  }
  const auto serve = [this](const std::string& address) {
    return engine_->serve_grpc({.address = address,
                                .socket_for_every_user = identity_->has_socket_users(),
                                .tls = identity_->grpc_tls()},
                               grpc_memory_, plan_, identity_->gate());
  };
  if (options_.grpc || !options_.grpc_socket) {
    auto bound = listen_on(options_.grpc, kDefaultGrpcPort, "--grpc", serve);
    if (!bound) return bad_address(bound.error());
    grpc_ = *bound;
  }
  if (!options_.grpc_socket) return {};
  const auto bound = serve(*options_.grpc_socket);
  if (!bound) return bad_address(bound.error());
  if (grpc_.empty()) grpc_ = *bound;
  return {};
}

Status Node::open_search_attributes() {
  Status status =
      register_search_attributes(engine_->connection(), options_.namespace_name, options_.search_attributes);
  if (!status.ok()) exit_code_ = exit_code_of(status);
  return status;
}

Status Node::open_runs() {
  runs::RunsDependencies deps;
  deps.connection = &engine_->connection();
  deps.store = platform_.store.get();
  deps.links = platform_.links;
  deps.streams = platform_.streams.get();
  deps.index = platform_.index.get();
  deps.environment = &environment_;
  deps.after = [this](milliseconds delay, std::move_only_function<void()> job) {
    server_->after(delay, std::move(job));
  };
  deps.log = [](std::string_view message) { complain(message); };
  deps.namespace_name = options_.namespace_name;
  deps.sign = [this](protocol::Decision& decision) { identity_->sign(decision, options_.namespace_name); };
  deps.check_settings = [this](const platform::Definition& definition, std::string_view settings) {
    return check_settings(definition, settings, grants_);
  };
  deps.flow_of = place_of;
  deps.check_message = check_message;
  runs_ = std::make_unique<runs::Runs>(std::move(deps));
  forks_ = std::make_unique<runs::Forks>(*runs_, *platform_.store, rule_calls(clock_));
  links_ = std::make_unique<runs::DecisionLinks>(
      runs::DecisionLinks::Dependencies{.store = platform_.links,
                                        .clock = &clock_,
                                        .random = &random_,
                                        .key = identity_->link_key(),
                                        .public_url = [this] { return url_of_page(); }});
  engine_->on_deleted([this](const std::string& namespace_name, const std::string& workflow_id) {
    if (namespace_name == options_.namespace_name) runs_->history_deleted(workflow_id);
  });
  return {};
}

Status Node::open_outside() {
  outside_ = std::make_unique<Outside>(environment_);
  return {};
}

Status Node::open_login() {
  if (providers_.empty()) return {};
  login_ = std::make_unique<oidc::Login>(providers_, outside_->http(), identity_->directory(),
                                         *platform_.oidc, clock_, random_);
  return {};
}

Status Node::open_export() {
  if (export_.url.empty()) return {};
  otlp::ExporterDeps deps;
  deps.store = platform_.store.get();
  deps.streams = platform_.streams.get();
  deps.http = &outside_->http();
  deps.clock = &clock_;
  deps.metrics = &metrics_;
  deps.version = HOLDFAST_VERSION;
  deps.log = [](std::string_view message) { complain(message); };
  exporter_ =
      std::make_unique<otlp::Exporter>(export_, std::move(deps), environment_.new_executor("span-export"));
  observed_->observe([this](const platform::Event& event) { exporter_->seen(event); });
  return {};
}

agent::McpAsking Node::asking() {
  return {.client = &outside_->mcp(), .clock = &clock_, .stop = asking_.get_token()};
}

Status Node::open_http() {
  http::ApiDependencies deps;
  deps.runs = runs_.get();
  deps.forks = forks_.get();
  deps.store = platform_.store.get();
  deps.inbox = platform_.inbox;
  deps.links = links_.get();
  if (const char* secret = std::getenv("HOLDFAST_SLACK_SIGNING_SECRET")) deps.slack_secret = secret;
  deps.gate = &identity_->gate();
  deps.sign_in = &identity_->sign_in();
  deps.vault = &secrets_->vault();
  deps.tool_grants = tool_grants_.get();
  deps.operator_grants = &operator_grants_;
  deps.audit = platform_.audit;
  deps.login = login_.get();
  deps.namespace_name = options_.namespace_name;
  deps.environment = &environment_;
  deps.deploy = [this](const http::DefinitionText& from) -> Result<http::DeployedAgent> {
    if (protocol::is_flow(from.expected_name))
      return deploy_flow(*platform_.store, from, grants_,
                         [this](flows::CodeLanguage language) { return sandbox_.check_language(language); });
    auto deployed = agent::deploy(*platform_.store, {.text = from.text,
                                                     .source = from.source,
                                                     .base_directory = from.base_directory,
                                                     .expected_name = from.expected_name,
                                                     .within = &grants_,
                                                     .asking = asking()});
    if (!deployed) return fail(deployed.error());
    return http::DeployedAgent{deployed->name, deployed->version, deployed->created, deployed->is_new};
  };
  deps.check_edit = [this](const platform::Approval& approval, std::string_view arguments) {
    return agent::check_edit(*platform_.store, approval, arguments, environment_.clock().now());
  };
  deps.after = [this](milliseconds delay, std::move_only_function<void()> job) {
    server_->after(delay, std::move(job));
  };
  api_ = std::make_unique<http::Api>(std::move(deps));
  metrics_page_ = std::make_unique<http::MetricsPage>(metrics_, identity_->gate(), options_.namespace_name,
                                                      environment_.new_executor("metrics"));

  if (options_.http || !options_.http_socket) {
    auto bound = listen_on(options_.http, kDefaultHttpPort, "--http",
                           [this](const std::string& address) { return serve_http(address, server_); });
    if (!bound) return bad_address(bound.error());
  }
  if (!options_.http_socket) return {};
  const auto bound = serve_http(*options_.http_socket, server_ ? socket_server_ : server_);
  return bound ? Status() : bad_address(bound.error());
}

Result<std::string> Node::serve_http(const std::string& address, std::unique_ptr<net::Server>& server) {
  net::ServerOptions options;
  options.address = address;
  options.socket_for_every_user = identity_->has_socket_users();
  options.memory = &http_memory_;
  // Half of what may be open: a run's calls, the stores and gRPC's clients need files as well.
  options.max_connections = std::min(plan_.http_connections, os::allow_open_files(kMostOpenFiles) / 2);
  options.pages = http::page_paths();
  options.pages.emplace_back(oidc::kCallbackPath);
  options.tls = identity_->http_tls();
  options.trusted_proxies = options_.trusted_proxies;
  options.hosts = identity_->hosts();
  auto made = net::Server::start(options, [this](net::Request request, net::Responder responder) {
    if (!http::MetricsPage::serves(request)) return api_->handle(std::move(request), std::move(responder));
    metrics_page_->handle(std::move(request), std::move(responder));
  });
  if (made) server = *std::move(made);
  return made ? Result<std::string>(server->address()) : std::unexpected(made.error());
}

Status Node::open_metrics() {
  reading_ = metrics_.on_read(
      [this, budgets = std::array<const MemoryBudget*, 4>{&memory_, &http_memory_, &grpc_memory_,
                                                          &sql_memory_}](metrics::Reading& out) {
        read_process(out, HOLDFAST_VERSION);
        read_memory(out, budgets);
        StoreFiles stores;
        if (engine_->embedded())
          stores = {{"engine", data_->engine_path()}, {"visibility", data_->visibility_path()}};
        if (platform_name_.empty()) {
          for (const char* file : {kPlatformDatabase, "streams.db"})
            stores.emplace_back("platform", std::filesystem::path(data_->platform_path()) / file);
        }
        read_stores(out, stores);
        runs::read_waiting(out, *platform_.store);
        read_queues(out, engine_->connection(), options_.namespace_name);
      });
  return {};
}

// What listens and what is stored here is no agent's business.
Status Node::keep_own() {
  grant::Own own;
  if (server_->port() != 0) own.ports.push_back(server_->port());
  if (auto grpc = os::parse_host_port(grpc_, 0); !grpc_.empty() && grpc) own.ports.push_back(grpc->port);
  own.paths = data_->stores();
  grants_.keep_out_of(std::move(own));
  return {};
}

Status Node::open_dev() {
  if (!options_.dev) return {};
  auto dev = DevRole::open(data_->path(), *platform_.store, environment_, grants_);
  if (!dev) return dev.error();
  dev_ = *std::move(dev);
  return {};
}

Status Node::register_agents() {
  for (const AgentFile& from : agents_) {
    auto deployed = agent::deploy(*platform_.store, {.text = from.text,
                                                     .source = from.file,
                                                     .base_directory = from.folder,
                                                     .asking = asking(),
                                                     .grants = &grants_,
                                                     .keep_tools = !options_.renew_tools});
    if (!deployed) {
      exit_code_ = exit_code_of(deployed.error());
      return deployed.error();
    }
    grants_.allow_named(deployed->version, deployed->needs);
    operator_grants_.push_back(fmt::format("agent:{}@{}", deployed->name, deployed->version));
    // The same file may be applied again over the API: it asks the same servers.
    if (deployed->text_version != deployed->version)
      grants_.allow_named(deployed->text_version, deployed->needs);
  }
  return {};
}

Status Node::start_work() {
  WorkerRole::Options options;
  options.namespace_name = options_.namespace_name;
  options.in_process = engine_->embedded();
  options.public_url = url_of_page();
  while (options.public_url.ends_with('/')) options.public_url.pop_back();
  options.large_model_calls = plan_.large_model_calls;
  options.model_limits = model_limits_;
  options.decision_key = identity_->decision_key();
  options.metrics = &metrics_;
  options.propagates_traces = exporter_ != nullptr;
  options.make_link = [this](const std::string& approval, const std::string& recipient,
                             const std::string& key) -> Result<std::string> {
    auto made =
        links_->make({.approval = approval, .recipient = recipient, .created_by = "notify", .key = key});
    if (!made) return fail(made.error());
    return made->url;
  };
  options.evaluate = std::bind_front(&SandboxRole::run, &sandbox_);
  options.start_run = [this](platform::StartIntent intent) -> Status {
    auto started = runs_->start(std::move(intent));
    return started ? Status() : started.error();
  };
  auto workers =
      WorkerRole::start(options, engine_->connection(), environment_, *platform_.store, *platform_.streams,
                        *platform_.outbox, grants_, *tool_grants_, sql_memory_, prices_, *outside_);
  if (!workers) return workers.error();
  workers_ = *std::move(workers);
  http::ApiInfo info;
  info.version = HOLDFAST_VERSION;
  info.engine = engine_name();
  info.grpc_address = grpc_;
  info.http_address = address_of_page();
  info.public_url = options_.public_url.value_or(server_->port() == 0 ? "http://localhost" : "");
  info.namespace_name = options_.namespace_name;
  info.dev = options_.dev;
  runs_->recover();
  api_->start(std::move(info));
  if (dev_) dev_->begin(*runs_);
  return {};
}

Status Node::open_control() {
  const BackupSources sources{.engine = engine_->store(),
                              .platform = platform_.snapshots.get(),
                              .data = data_->path(),
                              .scratch = data_->checkpoint_path(),
                              .clock = &clock_};
  auto control = ControlSocket::open(
      data_->path(), [sources](const std::string& question, const ControlSocket::GiveUp& give_up) {
        return answer_control(question, sources, give_up);
      });
  if (control) {
    control_ = *std::move(control);
  } else {
    complain(control.error().message() + "; a backup needs the server to be stopped");
  }
  return {};
}

}  // namespace holdfast::app
