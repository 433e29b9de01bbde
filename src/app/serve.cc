// `holdfast server` and `holdfast dev`: one Node until a signal ends it.

#include <google/protobuf/stubs/logging.h>

#include <chrono>

#include "app/commands.h"
#include "app/node.h"
#include "app/output.h"
#include "app/stop_signals.h"

namespace holdfast::app {

int serve(const ServeOptions& options) {
  auto begin = std::chrono::steady_clock::now();
  StopSignals signals;
  // Whoever sends what is no message is told so; a line of the log for each would be theirs to write.
  google::protobuf::SetLogHandler(nullptr);
  Node node(options);
  if (Status status = node.start(); !status.ok()) {
    report_error(status);
    return node.exit_code();
  }
  node.announce(
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin));
  signals.wait([&node] { node.reload(); });
  complain("stopping");
  signals.force_on_next();
  node.stop();
  return kExitOk;
}

}  // namespace holdfast::app
