// `holdfast scripted-model`: the scripted model on its own, for tests and for trying agents without a key.

#include <unistd.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/exit_code.h"
#include "app/input_file.h"
#include "app/output.h"
#include "base/json.h"
#include "scripted/server.h"

namespace holdfast::app {

int scripted_model(const ScriptedModelOptions& options) {
  auto script = read_file(options.script);
  if (!script) return refuse(script.error());
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  model::ScriptedOptions settings;
  settings.script = *std::move(script);
  settings.name = options.script;
  settings.port = options.port;
  auto server = model::start_scripted_server(settings);
  if (!server) return refuse(server.error());
  std::string url = (*server)->base_url();
  print_line(options.json ? dump_json(nlohmann::ordered_json{
                                {"event", "ready"}, {"base_url", url}, {"pid", ::getpid()}})
                          : "scripted model at " + url);
  int signal = 0;
  sigwait(&signals, &signal);
  return kExitOk;
}

}  // namespace holdfast::app
