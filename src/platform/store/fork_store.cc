#include "platform/fork_store.h"

#include "base/check.h"

namespace holdfast::platform {

ForkStore& fork_store_of(Store& store) {
  auto* forks = dynamic_cast<ForkStore*>(&store);
  HF_CHECK(forks != nullptr);
  return *forks;
}

}  // namespace holdfast::platform
