#include "faults/sync_hook.h"

#include <atomic>

namespace holdfast::faults {

namespace {

std::atomic<SyncHook> told{nullptr};

}  // namespace

void set_sync_hook(SyncHook hook) {
  told = hook;
}

void tell_sync(std::string_view file, bool durable) {
  if (const SyncHook hook = told) hook(file, durable);
}

}  // namespace holdfast::faults
