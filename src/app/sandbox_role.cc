#include "app/sandbox_role.h"

namespace holdfast::app {

Result<sandbox::Broker*> SandboxRole::broker() {
  const std::lock_guard lock(mutex_);
  if (broker_) return broker_.get();
  auto started =
      sandbox::Broker::start({.python_packages = python_packages_, .monty = monty_}, memory_, clock_);
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

Status SandboxRole::check_language(flows::CodeLanguage language) const {
  if (language == flows::CodeLanguage::kJavaScript) return {};
  if (language == flows::CodeLanguage::kMonty) {
    const auto found = sandbox::find_monty(monty_);
    return found ? Status() : found.error();
  }
  const auto found = sandbox::find_python(sandbox::kPython, python_packages_);
  return found ? Status() : found.error();
}

}  // namespace holdfast::app
