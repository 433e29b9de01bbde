#include "platform/store.h"

#include <utility>

namespace holdfast::platform {

Reference Store::empty_conversation(std::string conversation) {
  Reference reference;
  reference.conversation = std::move(conversation);
  return reference;
}

}  // namespace holdfast::platform
