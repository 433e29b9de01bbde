#pragma once

// What `holdfast dev` adds to a server: two agents on a scripted model, so that clients and the first page
// have something to show, without a key and without a network: `hello`, which answers whatever it is told,
// and the refund agent of the demo with its shop database and a receiver for its messages. A start applies
// them only where nobody has made another version current.
// Everything is kept in DATA/demo; the addresses stay the same from start to start, because a run keeps the
// definition it began with.

#include <filesystem>
#include <memory>
#include <string>

#include "grant/grants.h"
#include "holdfast/environment.h"
#include "holdfast/status.h"
#include "platform/store.h"
#include "runs/runs.h"

namespace holdfast::app {

class DevRole {
 public:
  // Store and environment must outlive it. Grants these agents what they name, and nobody else anything.
  static Result<std::unique_ptr<DevRole>> open(const std::filesystem::path& data, platform::Store& store,
                                               const Environment& environment, grant::Grants& grants);
  ~DevRole();
  DevRole(const DevRole&) = delete;
  DevRole& operator=(const DevRole&) = delete;

  // Starts the demo's run, unless an earlier start did.
  void begin(runs::Runs& runs);
  const std::string& demo_run() const;

 private:
  struct Impl;
  explicit DevRole(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::app
