// `holdfast demo`: the demo with this machine's clock, entropy and threads.

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "app/commands.h"
#include "app/output.h"
#include "os/clock.h"
#include "os/thread_executor.h"
#include "refund/demo.h"

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
  int code = 0;
  // The report's printing throws where its text cannot go.
  try {
    code = holdfast::demo::run_demo(settings, environment);
  } catch (const std::system_error& error) {
    end_without_output(error.code().value());
  }
  if (std::fflush(stdout) != 0) end_without_output(errno);
  if (std::ferror(stdout) != 0)
    end_without_output(EIO);  // an earlier flush failed; why is not known any more
  return code;
}

}  // namespace holdfast::app
