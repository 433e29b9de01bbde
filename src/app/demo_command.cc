// `holdfast demo`: the demo with this machine's clock, entropy and threads.

#include "app/commands.h"
#include "demo/demo.h"
#include "os/clock.h"
#include "os/thread_executor.h"

namespace holdfast::app {

int demo(const DemoCommandOptions& options) {
  os::SystemClock clock;
  os::SystemRandom random;
  holdfast::demo::DemoEnvironment environment;
  environment.clock = &clock;
  environment.random = &random;
  environment.new_executor = [](const std::string& name) {
    return std::make_unique<os::ThreadExecutor>(name);
  };
  holdfast::demo::DemoOptions settings;
  settings.kill_at = options.kill_at;
  settings.engine = options.engine;
  settings.keep = options.keep;
  settings.json = options.json;
  return holdfast::demo::run_demo(settings, environment);
}

}  // namespace holdfast::app
