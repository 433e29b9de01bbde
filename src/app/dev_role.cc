#include "app/dev_role.h"

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "activities/deploy.h"
#include "app/output.h"
#include "base/json.h"
#include "refund/agent_files.h"
#include "refund/hello_agent.h"
#include "refund/receiver.h"
#include "refund/shop.h"
#include "scripted/server.h"

namespace holdfast::app {

namespace fs = std::filesystem;

namespace {

constexpr const char* kDemoRun = "refund-demo";
constexpr const char* kDemoAgent = "refund";

// What the last start used: addresses, and the version of each agent that it applied.
struct Before {
  std::uint16_t model = 0;
  std::uint16_t receiver = 0;
  std::map<std::string, std::string> versions{};
};

Before read_before(const fs::path& file) {
  std::ifstream in(file);
  auto json = in ? nlohmann::json::parse(in, nullptr, false) : nlohmann::json();
  if (!json.is_object()) return {};
  Before out{json.value("model", std::uint16_t{0}), json.value("receiver", std::uint16_t{0})};
  const auto versions = json.find("versions");
  if (versions == json.end() || !versions->is_object()) return out;
  for (const auto& [name, version] : versions->items()) {
    if (version.is_string()) out.versions[name] = version.get<std::string>();
  }
  return out;
}

// Makes it the current version, unless it is, or somebody has made another one current since; and lets it use
// what it names. Its version.
Result<std::string> apply(platform::Store& store, grant::Grants& grants, const std::string& text,
                          const std::string& source, Before& before) {
  auto read = agent::read_definition(text, source, {});
  if (!read) return fail(read.error());
  std::string version = agent::version_of(*read);
  const auto current = store.current_definition(read->name);
  if (!current && current.error().code() != Code::kNotFound) return fail(current.error());
  std::string& applied = before.versions[read->name];
  const bool is_ours = !current || applied.empty() || current->hash == applied;
  if (is_ours && (!current || current->hash != version)) {
    auto deployed = agent::deploy(store, {.text = text, .source = source});
    if (!deployed) return fail(deployed.error());
    version = deployed->version;
  }
  if (is_ours) applied = version;
  grants.allow_named(version, agent::needs_of(*read));
  return version;
}

// On the port of the last start; when something else has it now, on any.
template <typename Start>
auto start_on(std::uint16_t port, Start start) {
  auto server = start(port);
  if (!server && port != 0 && server.error().code() == Code::kUnavailable) server = start(std::uint16_t{0});
  return server;
}

}  // namespace

struct DevRole::Impl {
  std::unique_ptr<model::ScriptedServer> model;
  std::unique_ptr<demo::Receiver> receiver;
  std::string agent;
  std::string version;
  std::string run = kDemoRun;
};

DevRole::DevRole(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DevRole::~DevRole() = default;

const std::string& DevRole::demo_run() const {
  return impl_->run;
}

Result<std::unique_ptr<DevRole>> DevRole::open(const fs::path& data, platform::Store& store,
                                               const Environment& environment, grant::Grants& grants) {
  auto impl = std::make_unique<Impl>();
  fs::path folder = data / "demo";
  std::error_code error;
  fs::create_directories(folder, error);
  Before before = read_before(folder / "ports.json");

  auto model = start_on(before.model, [&](std::uint16_t port) {
    model::ScriptedOptions options;
    options.script = demo::dev_script();
    options.name = "demo";
    options.port = port;
    return model::start_scripted_server(options);
  });
  if (!model) return std::unexpected(model.error());
  impl->model = *std::move(model);

  auto receiver = start_on(before.receiver, [](std::uint16_t port) { return demo::Receiver::start(port); });
  if (!receiver) return std::unexpected(receiver.error());
  impl->receiver = *std::move(receiver);

  fs::path shop = folder / "shop.db";
  if (!fs::exists(shop, error)) {
    if (Status made = demo::make_shop(shop); !made.ok()) return fail(std::move(made));
  }
  demo::AgentPlaces places;
  places.model_url = impl->model->base_url();
  places.receiver_url = impl->receiver->url();
  places.database = shop;
  auto hello = apply(store, grants, demo::hello_agent(places.model_url), "hello", before);
  if (!hello) return fail(hello.error());
  auto refund = apply(store, grants, demo::refund_agent(places), "refund demo", before);
  if (!refund) return fail(refund.error());
  impl->agent = kDemoAgent;
  impl->version = *std::move(refund);

  std::ofstream(folder / "ports.json") << nlohmann::json{
      {"model", impl->model->port()}, {"receiver", impl->receiver->port()}, {"versions", before.versions}};
  return std::unique_ptr<DevRole>(new DevRole(std::move(impl)));
}

void DevRole::begin(runs::Runs& runs) {
  platform::StartIntent intent;
  intent.run = impl_->run;
  intent.agent = impl_->agent;
  intent.definition_hash = impl_->version;
  intent.input = dump_json(nlohmann::json(demo::refund_input()));
  // Somebody else's run of that name is no reason not to start.
  if (auto run = runs.start(intent); !run) {
    complain("the demo's run was not started: " + run.error().message());
  }
}

}  // namespace holdfast::app
