// `holdfast scripted-model`: the scripted model on its own, for tests and for trying agents without a key.

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/exit_code.h"
#include "app/output.h"
#include "model/scripted_server.h"
#include "os/thread_executor.h"

namespace holdfast::app {

int scripted_model(const ScriptedModelOptions& options) {
  std::ifstream in(options.script, std::ios::binary);
  if (!in) {
    complain(fmt::format("{} cannot be read", options.script));
    return kExitNotFound;
  }
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  model::ScriptedOptions settings;
  settings.script = std::string(std::istreambuf_iterator<char>(in), {});
  settings.name = options.script;
  settings.port = options.port;
  os::ThreadExecutor loop("scripted-model");
  auto server = model::start_scripted_server(settings, loop);
  if (!server) {
    complain(server.error());
    return server.error().code() == Code::kInvalidArgument ? kExitUsage : kExitError;
  }
  std::string url = (*server)->base_url();
  print_line(options.json
                 ? nlohmann::ordered_json{{"event", "ready"}, {"base_url", url}, {"pid", ::getpid()}}.dump()
                 : "scripted model at " + url);
  int signal = 0;
  sigwait(&signals, &signal);
  return kExitOk;
}

}  // namespace holdfast::app
