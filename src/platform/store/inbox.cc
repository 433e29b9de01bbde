#include "platform/inbox.h"

#include "base/check.h"
#include "platform/store.h"

namespace holdfast::platform {

InboxStore& inbox_store_of(Store& store) {
  auto* inbox = dynamic_cast<InboxStore*>(&store);
  HF_CHECK(inbox != nullptr);
  return *inbox;
}

}  // namespace holdfast::platform
