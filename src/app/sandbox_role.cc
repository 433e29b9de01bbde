#include "app/sandbox_role.h"

namespace holdfast::app {

Result<sandbox::Broker*> SandboxRole::broker() {
  const std::lock_guard lock(mutex_);
  if (broker_) return broker_.get();
  auto started = sandbox::Broker::start({}, memory_, clock_);
  if (!started) return fail(started.error());
  broker_ = *std::move(started);
  return broker_.get();
}

Result<sandbox::Reply> SandboxRole::run(std::string_view tenant, const sandbox::Request& request,
                                        std::chrono::milliseconds patience) {
  auto started = broker();
  if (!started) return fail(started.error());
  return (*started)->run(tenant, request, patience);
}

}  // namespace holdfast::app
