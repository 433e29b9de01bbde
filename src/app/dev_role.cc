#include "app/dev_role.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "activities/deploy.h"
#include "app/output.h"
#include "base/json.h"
#include "refund/agent_files.h"
#include "refund/receiver.h"
#include "refund/shop.h"
#include "scripted/server.h"

namespace holdfast::app {

namespace fs = std::filesystem;

namespace {

constexpr const char* kDemoRun = "refund-demo";

struct Ports {
  std::uint16_t model = 0;
  std::uint16_t receiver = 0;
};

Ports read_ports(const fs::path& file) {
  std::ifstream in(file);
  auto json = in ? nlohmann::json::parse(in, nullptr, false) : nlohmann::json();
  if (!json.is_object()) return {};
  return {json.value("model", std::uint16_t{0}), json.value("receiver", std::uint16_t{0})};
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
  Ports ports = read_ports(folder / "ports.json");

  auto model = start_on(ports.model, [&](std::uint16_t port) {
    model::ScriptedOptions options;
    options.script = demo::refund_script();
    options.name = "refund demo";
    options.port = port;
    return model::start_scripted_server(options);
  });
  if (!model) return std::unexpected(model.error());
  impl->model = *std::move(model);

  auto receiver = start_on(ports.receiver, [](std::uint16_t port) { return demo::Receiver::start(port); });
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
  const std::string definition = demo::refund_agent(places);
  auto deployed = agent::deploy(store, {.text = definition, .source = "refund demo"});
  if (!deployed) return std::unexpected(deployed.error());
  grants.allow_named(deployed->version, deployed->needs);
  impl->agent = deployed->name;
  impl->version = deployed->version;

  std::ofstream(folder / "ports.json")
      << nlohmann::json{{"model", impl->model->port()}, {"receiver", impl->receiver->port()}};
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
